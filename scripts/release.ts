/**
 * Makes a release: runs all checks, writes the version and the changelog, makes
 * the executables, and packs each with what belongs to it.
 *
 *     deno task release VERSION [TARGET…] [--to FOLDER] [--skip-checks]
 *
 * @module
 */

import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { COMPLETION_SCRIPTS } from "../src/cli/completion_scripts.ts";
import { type ArchiveFile, tarGz, zip } from "./archive.ts";
import { deno, ROOT } from "./bundle.ts";
import { withRelease } from "./changelog.ts";
import { checksums, compile, executable, git, TARGETS } from "./compile.ts";
import { manPage, today } from "./man.ts";

export interface Release {
  version: string;
  /** Such as 2026-01-31. */
  date: string;
  targets: string[];
}

/**
 * Packs executables that are made.
 *
 * @param executableOf where a target's is
 * @param to a folder, which is made
 * @returns the names of the files in it, SHA256SUMS the last
 */
export async function pack(
  { version, date, targets }: Release,
  executableOf: (target: string) => URL,
  to: URL,
): Promise<string[]> {
  await Deno.mkdir(to, { recursive: true });
  const shared = await filesForAll(version, date);
  const names: string[] = [];
  for (const target of targets) {
    const name = `i2ptun-${version}-${target}`;
    const { suffix } = TARGETS[target]!;
    const program: ArchiveFile = {
      path: `i2ptun${suffix}`,
      content: await Deno.readFile(executableOf(target)),
      executable: true,
    };
    const files = [program, ...shared].map((file) => ({
      ...file,
      path: `${name}/${file.path}`,
    }));
    const windows = suffix === ".exe";
    const archive = `${name}${windows ? ".zip" : ".tar.gz"}`;
    await Deno.writeFile(
      new URL(archive, to),
      windows ? zip(files) : tarGz(files),
    );
    names.push(archive);
  }
  await Deno.writeTextFile(
    new URL("SHA256SUMS", to),
    await checksums(to, names),
  );
  return [...names, "SHA256SUMS"];
}

/** What is beside every executable. */
async function filesForAll(
  version: string,
  date: string,
): Promise<ArchiveFile[]> {
  const docs = [...Deno.readDirSync(new URL("docs/", ROOT))]
    .map(({ name }) => `docs/${name}`).filter((path) => path.endsWith(".md"));
  const copied = ["README.md", "LICENSE", "CHANGELOG.md", ...docs.sort()];
  const text = (path: string, content: string) => ({
    path,
    content: new TextEncoder().encode(content),
    executable: false,
  });
  const { bash, zsh, fish, powershell } = COMPLETION_SCRIPTS;
  return [
    ...await Promise.all(copied.map(async (path) => ({
      path,
      content: await Deno.readFile(new URL(path, ROOT)),
      executable: false,
    }))),
    text("i2ptun.1", manPage({ date, version })),
    text("completions/i2ptun.bash", bash),
    text("completions/_i2ptun", zsh),
    text("completions/i2ptun.fish", fish),
    text("completions/i2ptun.ps1", powershell),
  ];
}

/** Writes the version and the changelog. @returns whether anything changed */
async function writeVersion({ version, date }: Release): Promise<boolean> {
  const tag = await git("describe", "--tags", "--abbrev=0", "--match=v*");
  const range = tag ? [`${tag}..HEAD`] : [];
  const subjects = await git("log", "--format=%s", "--no-merges", ...range);
  const changes = subjects?.split("\n").filter(Boolean) ?? [];
  const manifest = await change(
    "deno.json",
    (text) => text.replace(/("version": )"[^"]*"/, `$1"${version}"`),
  );
  const changelog = await change(
    "CHANGELOG.md",
    (text) => withRelease(text, version, date, changes),
  );
  if (changelog) await deno("fmt", "-q", "CHANGELOG.md");
  return manifest || changelog;
}

async function change(
  name: string,
  edit: (text: string) => string,
): Promise<boolean> {
  const file = new URL(name, ROOT);
  const text = await Deno.readTextFile(file);
  const changed = edit(text);
  if (changed === text) return false;
  await Deno.writeTextFile(file, changed);
  return true;
}

/** Runs a task of deno.json, in sight. @throws {Error} if it fails */
async function task(name: string): Promise<void> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["task", name],
    cwd: ROOT,
  }).spawn().status;
  if (!success) throw new Error(`deno task ${name} failed`);
}

async function main(args: string[]): Promise<void> {
  const { values, positionals: [version, ...named] } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      "skip-checks": { type: "boolean", default: false },
      "to": { type: "string", default: "dist/release" },
    },
  });
  if (!/^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/.test(version ?? "")) {
    throw new Error("which version?\ntry: deno task release 1.2.3");
  }
  const targets = named.length > 0 ? named : Object.keys(TARGETS);
  const release = { version: version!, date: today(), targets };
  if (await git("status", "--porcelain")) {
    throw new Error("there are changes that are not committed");
  }
  if (!values["skip-checks"]) {
    await task("check");
    await task("test");
  }
  const isRepository = await git("rev-parse", "--show-prefix") === "";
  // committed, so that the executables name a commit that has it
  if (await writeVersion(release) && isRepository) {
    const commit = await git("commit", "-qam", `Release ${version}`);
    if (commit === undefined) throw new Error("git commit failed");
  }
  await compile(targets);
  const to = pathToFileURL(`${values.to}/`);
  const names = await pack(
    release,
    (target) => new URL(executable(target), ROOT),
    to,
  );
  for (const name of names) console.log(`${values.to}/${name}`);
  console.log(
    `publish it with: git tag v${version} && git push origin HEAD v${version}`,
  );
}

if (import.meta.main) {
  try {
    await main(Deno.args);
  } catch (error) {
    console.error(`error: ${(error as Error).message}`);
    Deno.exit(1);
  }
}

/**
 * Makes the executables in `dist/`, all five or those named, and SHA256SUMS:
 *
 *     deno task compile [linux-x64 …]
 *
 * The same source, compiled by the same Deno, gives the same bytes.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { V8_FLAGS, writeFlag } from "../src/platform/run.ts";
import { bundle, deno, ignoreMissing, PLAIN, ROOT } from "./bundle.ts";
import { icon } from "./icon.ts";

/** By name: what Deno calls it, and how its executables end. */
export const TARGETS: Record<string, { triple: string; suffix: string }> = {
  "linux-x64": { triple: "x86_64-unknown-linux-gnu", suffix: "" },
  "linux-arm64": { triple: "aarch64-unknown-linux-gnu", suffix: "" },
  "macos-x64": { triple: "x86_64-apple-darwin", suffix: "" },
  "macos-arm64": { triple: "aarch64-apple-darwin", suffix: "" },
  "windows-x64": { triple: "x86_64-pc-windows-msvc", suffix: ".exe" },
};

/** Relative to the root. */
const BUILD = "dist/build";

/** The path of a target's executable, relative to the root. */
export function executable(target: string): string {
  return `dist/i2ptun-${target}${TARGETS[target]!.suffix}`;
}

/** Makes an executable of a script; both paths relative to the root. */
export async function compileScript(
  script: string,
  output: string,
  ...options: string[]
): Promise<void> {
  await deno(
    ...["compile", "-q", "--no-prompt", "--no-check", V8_FLAGS, "-P=i2ptun"],
    // The cache would be a file of a well-known name in the folder for temporary
    // files, where on many systems others can put one first.
    "--no-code-cache",
    ...options,
    `--output=${output}`,
    script,
  );
}

/**
 * Makes the executables of these targets.
 *
 * @throws {Error} if there is no such target, or Deno cannot make it; those that
 * are made by then are there, with their checksums
 */
export async function compile(targets: string[]): Promise<void> {
  for (const name of targets) {
    if (TARGETS[name]) continue;
    throw new Error(
      `there is no target ${name}\ntry: ${Object.keys(TARGETS).join(" ")}`,
    );
  }
  if (Deno.env.get("DENORT_BIN") && targets.length > 1) {
    throw new Error(
      "DENORT_BIN is the runtime of one target\ntry: name that target",
    );
  }
  try {
    const main = await bundle(BUILD, { source: await sourceName() });
    const ico = `${BUILD}/i2ptun.ico`;
    await Deno.writeFile(new URL(ico, ROOT), icon());
    for (const target of targets) await compileFor(target, main, ico);
  } finally {
    await Deno.remove(new URL(BUILD, ROOT), { recursive: true })
      .catch(ignoreMissing);
    await writeChecksums();
  }
}

async function compileFor(target: string, main: string, ico: string) {
  const { triple } = TARGETS[target]!;
  const output = executable(target);
  try {
    await compileScript(
      main,
      output,
      `--target=${triple}`,
      ...(target.startsWith("windows")
        ? [`--icon=${ico}`, writeFlag("windows")]
        : []),
    );
    if (triple === Deno.build.target) await assertRuns(output);
  } catch (cause) {
    throw new Error(
      `cannot make ${output}: ${(cause as Error).message}\n` +
        `try: let this machine reach https://dl.deno.land, where Deno has its ` +
        `runtime for ${triple}, or name that of Deno ${Deno.version.deno} in ` +
        "DENORT_BIN",
      { cause },
    );
  }
}

/** Deno embeds a program in the runtime of another version, but in vain. */
async function assertRuns(output: string): Promise<void> {
  const program = new URL(output, ROOT);
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args: ["--version"],
    env: PLAIN,
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  if (success && text(stdout).endsWith(`Deno ${Deno.version.deno})`)) return;
  await Deno.remove(program);
  throw new Error(`it does not run: ${text(stdout)}${text(stderr)}`);
}

/** The commit; a tree without git, such as from a tarball, does not tell. */
async function sourceName(): Promise<string> {
  // a tarball may have been unpacked inside another repository
  if (await git("rev-parse", "--show-prefix") !== "") return "unknown commit";
  const commit = await git("rev-parse", "HEAD");
  if (!commit) return "unknown commit";
  const changes = await git("status", "--porcelain");
  return `commit ${commit.slice(0, 12)}${changes ? " with changes" : ""}`;
}

/** What git says; undefined if it fails or is not there. */
export async function git(...args: string[]): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command("git", {
      args,
      cwd: ROOT,
      stderr: "null",
    }).output();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  } catch {
    return undefined;
  }
}

/** The lines of sha256sum(1) for these files of a folder. */
export async function checksums(folder: URL, names: string[]): Promise<string> {
  const lines = await Promise.all(names.map(async (name) => {
    const bytes = await Deno.readFile(new URL(name, folder));
    const sum = createHash("sha256").update(bytes).digest("hex");
    return `${sum}  ${name}\n`;
  }));
  return lines.join("");
}

/** All executables that are in dist/, also from earlier. */
async function writeChecksums(): Promise<void> {
  const dist = new URL("dist/", ROOT);
  const names = [...Deno.readDirSync(dist)].map(({ name }) => name)
    .filter((name) =>
      Object.keys(TARGETS).some((each) => executable(each) === `dist/${name}`)
    ).sort();
  const sums = new URL("SHA256SUMS", dist);
  if (names.length === 0) return await Deno.remove(sums).catch(ignoreMissing);
  await Deno.writeTextFile(sums, await checksums(dist, names));
}

if (import.meta.main) {
  try {
    const targets = Deno.args.length > 0 ? Deno.args : Object.keys(TARGETS);
    await compile(targets);
    for (const target of targets) {
      const { size } = await Deno.stat(new URL(executable(target), ROOT));
      console.log(`${executable(target)}  ${(size / 1e6).toFixed(1)} MB`);
    }
  } catch (error) {
    console.error(`error: ${(error as Error).message}`);
    Deno.exit(1);
  }
}

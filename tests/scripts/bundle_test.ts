import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { bundle, ROOT } from "../../scripts/bundle.ts";
import { Sandbox } from "../support/program.ts";
import { copySource } from "../support/source_copy.ts";

type Files = Map<string, { text: string; time: number }>;

/** A bundle's files by name, and when they were changed. */
function filesOf(main: URL): Files {
  const folder = new URL("./", main);
  return new Map(
    [...Deno.readDirSync(folder)].map(({ name }) => {
      const file = new URL(name, folder);
      const time = Deno.statSync(file).mtime!.getTime();
      return [name, { text: Deno.readTextFileSync(file), time }] as const;
    }).sort(([a], [b]) => a < b ? -1 : 1),
  );
}

/** Those of a copy of the source, at another distance from the packages. */
async function filesFromElsewhere(source: string): Promise<Files> {
  await using copy = await copySource();
  const copied: typeof import("../../scripts/bundle.ts") = await import(
    `${copy.root}scripts/bundle.ts`
  );
  const main = await copied.bundle("dist/build", { source });
  return filesOf(new URL(main, copied.ROOT));
}

/** The text of a piece and of all that is loaded before it runs. */
function loadedWith(piece: string, files: Files): string {
  const names = new Set([piece]);
  let text = "";
  for (const name of names) {
    const part = files.get(name)!.text;
    text += part;
    // not import(), which waits until it is needed
    for (const [, next] of part.matchAll(/\b(?:from|import) ?"\.\/(.+?)"/g)) {
      names.add(next!);
    }
  }
  return text;
}

Deno.test("the bundle is the program, the same each time", async () => {
  const folder = `dist/test-${Deno.pid}`;
  await using sandbox = await Sandbox.create();
  try {
    const main = await bundle(`${folder}/a`, { source: "commit 0123" });
    const run = async (...args: string[]) => {
      const { code, stdout } = await new Deno.Command(Deno.execPath(), {
        args: [
          ...["run", "-q", "--no-prompt", "-P=i2ptun", main, ...args],
        ],
        cwd: ROOT,
        clearEnv: true,
        env: sandbox.env,
        stderr: "inherit",
        // a demo that has lost its server would try again for ever
        signal: AbortSignal.timeout(20_000),
      }).output();
      assert.equal(code, 0);
      return new TextDecoder().decode(stdout);
    };
    assert.match(await run("--version"), /\(commit 0123, Deno /);
    // a login, channels and timers: what bundling has broken before
    assert.match(await run("demo", "--once"), /fetched http/);

    const first = filesOf(new URL(main, ROOT));
    assert.deepEqual(await filesFromElsewhere("commit 0123"), first);
    const size = [...first.values()].reduce(
      (sum, { text }) => sum + text.length,
      0,
    );
    assert(size < 2.9e6, `${size} bytes`);
    const start = loadedWith("main.js", first);
    assert(start.length < 200_000, `${start.length} bytes to start`);
    const commands = [...first.keys()].filter((name) => /^list-/.test(name));
    assert.equal(commands.length, 1, "a command is a piece of its own");
    // in the middle of ssh2
    const ssh2 = "Handshake failed";
    assert([...first.values()].some(({ text }) => text.includes(ssh2)));
    // in the middle of @valibot/to-json-schema
    const converter = "cannot be converted to JSON Schema";
    assert([...first.values()].some(({ text }) => text.includes(converter)));
    for (const text of [start, loadedWith(commands[0]!, first)]) {
      assert(!text.includes(ssh2), "ssh2 is loaded");
      assert(!text.includes(converter), "the JSON Schema's maker is loaded");
    }
    for (const [name, { text }] of first) {
      assert(!text.includes("credit_card"), `${name} has all of valibot`);
      assert(!text.includes("iconv"), `${name} has all prompts`);
    }
    for (const [name, { text }] of first) {
      assert(!text.includes("posix-rename@openssh.com"), `${name} has SFTP`);
      assert(!text.includes("createPoly1305"), `${name} has ssh2's Poly1305`);
      assert(!/= require_\w+\(\)\.pbkdf;/.test(text), `${name} runs bcrypt`);
      assert(!/^ {2}""\(/m.test(text), `${name} is looked through twice`);
    }
    const root = fileURLToPath(ROOT);
    for (const [name, { text }] of first) {
      assert(!text.includes(root), `${name} names this machine's folders`);
    }
  } finally {
    await Deno.remove(new URL(folder, ROOT), { recursive: true });
  }
});

/** What a command does not need it does not load, so that it starts at once. */
import assert from "node:assert/strict";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const SRC = fileURLToPath(new URL("../../src", import.meta.url));

/** The packages that are loaded with these files of src/, before any code runs. */
function packagesOf(...files: string[]): string[] {
  const seen = new Set<string>();
  const packages = new Set<string>();
  const todo = files.map((file) => join(SRC, file));
  for (let path = todo.pop(); path !== undefined; path = todo.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    const text = Deno.readTextFileSync(path);
    // types are gone when it runs, and `import()` waits until it is needed
    const imports = text.matchAll(
      /^(?:import|export)(?! type)\b[^;()]*?from\s+"([^"]+)"/gm,
    );
    for (const [, to = ""] of imports) {
      if (to.endsWith(".ts")) todo.push(resolve(dirname(path), to));
      else if (!/^node:|\.json$/.test(to)) packages.add(to);
    }
  }
  return [...packages].sort();
}

Deno.test("help and version load nothing but the command line's package", () => {
  assert.deepEqual(packagesOf("cli/program.ts", "cli/commands/version.ts"), [
    "@commander-js/extra-typings",
  ]);
});

Deno.test("commands that only look at profiles load no SSH and no prompts", () => {
  const names = ["list", "show", "status", "stop", "open", "remove", "add"];
  const files = names.map((name) => `cli/commands/${name}.ts`);
  assert.deepEqual(packagesOf("cli/context.ts", ...files), [
    ...["fast-string-width", "supports-hyperlinks", "valibot", "yaml"],
  ]);
});

Deno.test("what makes the JSON Schema is loaded by `schema` alone", () => {
  const converter = "@valibot/to-json-schema";
  assert.deepEqual(packagesOf("profile/json_schema.ts"), [
    ...[converter, "valibot"],
  ]);
  const commands = [...Deno.readDirSync(join(SRC, "cli/commands"))]
    .map(({ name }) => `cli/commands/${name}`);
  const others = packagesOf("cli/program.ts", "cli/context.ts", ...commands);
  assert(others.includes("valibot"));
  assert(!others.includes(converter));
});

Deno.test("SSH is loaded by the process that runs the tunnel, not by its starter", () => {
  assert.deepEqual(packagesOf("cli/commands/start.ts"), [
    ...["fast-string-width", "supports-hyperlinks"],
  ]);
  // while the server is reached, no more than most logins need
  assert.deepEqual(packagesOf("background/supervise.ts"), []);
  assert.deepEqual(packagesOf("ssh/log_in.ts"), [
    ...["bcrypt-pbkdf", "ssh2/lib/agent.js", "ssh2/lib/client.js"],
    "ssh2/lib/protocol/constants.js",
    "ssh2/lib/protocol/keyParser.js",
    "ssh2/lib/protocol/zlib.js",
  ]);
});

import assert from "node:assert/strict";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SRC = join(ROOT, "src");

/**
 * The rooms, lowest first: a room imports from those before it and from itself.
 * docs/architecture.md says the same to people.
 */
const ROOMS = [
  "base",
  "platform",
  "ssh",
  "forward",
  "i2p",
  "profile",
  "tunnel",
  "background",
  "diagnosis",
  "autostart",
  "demo",
  "cli",
];

/** What a forward is, in types: every room speaks of it. */
const SHARED = "forward/address.ts";

function* sources(folder: string): Generator<string> {
  for (const entry of Deno.readDirSync(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory) yield* sources(path);
    else if (entry.name.endsWith(".ts")) yield path;
  }
}

/** What a file imports: relative paths resolved, packages as they are. */
function importsOf(path: string): string[] {
  const text = Deno.readTextFileSync(path);
  const found = text.matchAll(
    /^\s*(?:import|export)\b[^;]*?from\s+"([^"]+)"|\bimport\("([^"]+)"\)|^import\s+"([^"]+)"/gm,
  );
  return [...found].map(([, a, b, c]) => a ?? b ?? c ?? "")
    .map((each) =>
      each.startsWith(".") ? relative(SRC, resolve(dirname(path), each)) : each
    );
}

function roomOf(path: string): string {
  if (path === SHARED) return "base";
  const [room = ""] = path.split("/");
  return room.endsWith(".ts") ? "base" : room;
}

const imports = [...sources(SRC)].flatMap((path) =>
  importsOf(path).map((to) => ({ from: relative(SRC, path), to }))
);

Deno.test("every folder of src is a room", () => {
  const rooms = new Set(
    [...sources(SRC)].map((path) => roomOf(relative(SRC, path))),
  );
  assert.deepEqual([...rooms].filter((room) => !ROOMS.includes(room)), []);
});

Deno.test("lower rooms never import higher ones", () => {
  assert.ok(imports.length > 100, "the imports were found");
  const wrong = imports
    .filter(({ to }) => to.endsWith(".ts"))
    .filter(({ from, to }) =>
      ROOMS.indexOf(roomOf(to)) > ROOMS.indexOf(roomOf(from))
    )
    .map(({ from, to }) => `${from} -> ${to}`);
  assert.deepEqual(wrong, []);
});

Deno.test("only ssh/ssh2*.ts import ssh2, and only ssh, forward and demo use it", () => {
  const direct = imports.filter(({ to }) => /^ssh2($|\/)/.test(to))
    .map(({ from, to }) => `${from} ${to}`);
  assert.deepEqual(direct.sort(), [
    "ssh/ssh2.ts ssh2", // its types
    "ssh/ssh2.ts ssh2/lib/agent.js",
    "ssh/ssh2.ts ssh2/lib/client.js",
    "ssh/ssh2.ts ssh2/lib/protocol/constants.js",
    "ssh/ssh2.ts ssh2/lib/protocol/keyParser.js",
    "ssh/ssh2_compression.ts ssh2/lib/protocol/zlib.js",
    "ssh/ssh2_server.ts ssh2", // its types
    "ssh/ssh2_server.ts ssh2/lib/server.js",
  ]);
  const users = imports.filter(({ to }) =>
    /^ssh\/ssh2(_server)?\.ts$/.test(to)
  );
  assert.deepEqual(
    users.map(({ from }) => roomOf(from))
      .filter((room) => !["ssh", "forward", "demo"].includes(room)),
    [],
  );
});

Deno.test("only platform starts programs, and only cli writes to the terminal", () => {
  const uses = (pattern: RegExp, rooms: string[]) =>
    [...sources(SRC)]
      .filter((path) => pattern.test(Deno.readTextFileSync(path)))
      .map((path) => relative(SRC, path))
      .filter((path) => !rooms.includes(roomOf(path)));
  assert.deepEqual(
    uses(/Deno\.Command\b|child_process/, ["platform"]),
    [],
  );
  assert.deepEqual(uses(/\bconsole\.\w+\(|Deno\.stderr\b/, ["cli"]), []);
  // the process of a profile talks to its launcher over standard output
  assert.deepEqual(uses(/Deno\.stdout\b/, ["cli"]), ["background/launch.ts"]);
});

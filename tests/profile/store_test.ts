import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type ErrorKind, I2ptunError } from "../../src/errors.ts";
import { ProfileStore } from "../../src/profile/store.ts";
import { execute } from "../support/scratch.ts";
import { EXAMPLE } from "./example.ts";

const SOURCE = { server: "a@b", forwards: ["console" as const] };
const posix = Deno.build.os !== "windows";

/** A test with a folder of its own. */
function test(
  name: string,
  run: (store: ProfileStore, folder: string) => Promise<void>,
  options: { ignore?: boolean } = {},
): void {
  Deno.test({
    name,
    ...options,
    async fn() {
      const folder = await Deno.makeTempDir({ prefix: "i2ptun-profiles-" });
      try {
        const path = join(folder, "i2ptun", "profiles.yaml");
        await run(new ProfileStore(path), folder);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

async function write(store: ProfileStore, text: string): Promise<void> {
  await Deno.mkdir(dirname(store.path), { recursive: true });
  await Deno.writeTextFile(store.path, text);
}

async function rejects(
  promise: Promise<unknown>,
  kind: ErrorKind,
  message: RegExp,
): Promise<I2ptunError> {
  const thrown = await promise.then(
    () => assert.fail(`did not fail: ${message}`),
    (thrown: unknown) => thrown,
  );
  assert(thrown instanceof I2ptunError, String(thrown));
  assert.equal(thrown.kind, kind);
  assert.match(thrown.message, message);
  return thrown;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

test("from no file at all to one and back", async (store) => {
  assert.deepEqual(await store.load(), []);
  assert.equal(await store.text(), "");
  await rejects(store.remove("home"), "not-found", /no profile "home"/);
  assert(!await exists(dirname(store.path)), "only writing makes the folder");
  await store.add("home", SOURCE);
  await store.add("vps", SOURCE);
  assert.deepEqual((await store.load()).map(({ name }) => name), [
    "home",
    "vps",
  ]);
  assert.equal((await store.get("home")).server.host, "b");
  await store.remove("home");
  await store.remove("vps");
  assert.deepEqual(await store.load(), []);
});

test("what is not there is named with the nearest that is", async (store) => {
  const none = await rejects(
    store.get("hom"),
    "not-found",
    /no profile "hom"$/,
  );
  assert.match(none.remedy ?? "", /profile add hom/);
  await store.add("home", SOURCE);
  await rejects(store.get("hom"), "not-found", /did you mean "home"\?/);
  await rejects(store.textOf("hom"), "not-found", /did you mean "home"\?/);
  await rejects(store.remove("hom"), "not-found", /did you mean "home"\?/);
  await rejects(store.replace("hom", ""), "not-found", /did you mean "home"\?/);
});

test("nothing wrong is written", async (store) => {
  await write(store, EXAMPLE);
  await rejects(store.add("home", SOURCE), "usage", /"home" already exists/);
  await rejects(store.add("HOME", SOURCE), "usage", /"home" only in case/);
  await rejects(
    store.add("new", { server: "", forwards: [] }),
    "usage",
    /"new" has mistakes/,
  );
  await rejects(store.add("a b", SOURCE), "usage", /"a b" is not a name/);
  await rejects(
    store.addForwards("home", [{ dynamic: 7657 }]),
    "usage",
    /another forward already listens on 7657/,
  );
  const wrong = await rejects(
    store.replace(
      "home",
      "home:\n  sever: x\n  forwards: [consol]\n",
      "x.yaml",
    ),
    "usage",
    /x\.yaml has 2 mistakes/,
  );
  assert.deepEqual(wrong.details, [
    'x.yaml:2:3: unknown key "sever"; did you mean "server"?',
    'x.yaml:3:14: unknown service "consol"; did you mean "console"?',
  ]);
  const more = [
    "casa:\n  server: x\n  forwards: []\n",
    "home:\n  server: x\n  forwards: []\nother:\n  server: x\n  forwards: []\n",
    "",
  ];
  for (const lines of more) {
    await rejects(store.replace("home", lines), "usage", /"home" and nothing/);
  }
  await rejects(store.replace("home", "home: {\n"), "usage", /1 mistake/);
  assert.equal(await store.text(), EXAMPLE);
});

test("a file with mistakes is left alone, but can be mended", async (store) => {
  const text = EXAMPLE.replace("- console ", "- consol ");
  await write(store, text);
  for (
    const attempt of [
      () => store.load(),
      () => store.get("vps"),
      () => store.add("new", SOURCE),
      () => store.remove("vps"),
      () => store.replace("vps", "vps:\n  server: x\n  forwards: []\n"),
    ]
  ) {
    const { details } = await rejects(attempt(), "usage", /has 1 mistake/);
    assert.deepEqual(details, [
      `${store.path}:6:9: unknown service "consol"; did you mean "console"?`,
    ]);
  }
  assert.equal(await store.text(), text);
  const lines = await store.textOf("home");
  await store.replace("home", lines.replace("consol ", "console "));
  assert.equal(await store.text(), EXAMPLE);
  await write(store, "profiles:\n  a: {\n  b: {}\n");
  await rejects(store.textOf("a"), "usage", /mistake/);
});

test("a byte order mark and line breaks of Windows stay", async (store) => {
  const text = "\ufeff" + EXAMPLE.replaceAll("\n", "\r\n");
  await write(store, text);
  await store.add("new", SOURCE);
  await store.remove("new");
  assert.equal(await store.text(), text);
  await store.replace("home", "\ufeff" + (await store.textOf("home")) + "\n");
  assert.equal(await store.text(), text);
});

test("modes, and nothing left beside the file", async (store) => {
  await store.add("home", SOURCE);
  const mode = async (path: string) => (await Deno.stat(path)).mode! & 0o777;
  assert.equal(await mode(dirname(store.path)), 0o700);
  assert.equal(await mode(store.path), 0o600);
  await Deno.chmod(store.path, 0o640);
  await store.add("vps", SOURCE);
  assert.equal(await mode(store.path), 0o640);
  const beside = [...Deno.readDirSync(dirname(store.path))];
  assert.deepEqual(beside.map(({ name }) => name).sort(), [
    "profiles.yaml",
    "profiles.yaml.lock",
  ]);
}, { ignore: !posix });

test(
  "a symbolic link stays one, also to a file not there yet",
  async (store, folder) => {
    const real = join(folder, "real.yaml");
    await Deno.mkdir(dirname(store.path));
    await execute("ln", ["-s", "../real.yaml", store.path]);
    await store.add("home", SOURCE);
    await store.add("vps", SOURCE);
    assert((await Deno.lstat(store.path)).isSymlink);
    assert((await Deno.lstat(real)).isFile);
    assert.equal((await new ProfileStore(real).load()).length, 2);
  },
  { ignore: !posix },
);

test("what cannot be read or written is said, naming it", async (_, folder) => {
  const file = join(folder, "file");
  await Deno.writeFile(file, new Uint8Array([0xff, 0xfe, 0x41, 0]));
  await rejects(new ProfileStore(file).load(), "usage", /file is not UTF-8/);
  await rejects(new ProfileStore(folder).load(), "unforeseen", /cannot read/);
  const inside = new ProfileStore(join(file, "profiles.yaml"));
  const { message, remedy } = await rejects(
    inside.add("a", SOURCE),
    "unforeseen",
    /^cannot write .*profiles\.yaml: [^(]*$/,
  );
  assert(!message.includes("os error") && remedy?.includes("--config"));
});

test("a writer that fails half-way leaves the old file", async (store) => {
  await store.add("home", SOURCE);
  const before = await store.text();
  // A folder that is not empty where the new text would be written first.
  await Deno.mkdir(join(`${store.path}.new`, "inside"), { recursive: true });
  await rejects(store.add("vps", SOURCE), "unforeseen", /cannot write/);
  assert.equal(await store.text(), before);
  await Deno.remove(`${store.path}.new`, { recursive: true });
  await store.add("vps", SOURCE);
});

function writer(store: ProfileStore, ...args: string[]): Deno.ChildProcess {
  const script = fileURLToPath(new URL("store_writer.ts", import.meta.url));
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-q",
      "--no-prompt",
      "-P=i2ptun",
      script,
      store.path,
      ...args,
    ],
    stdout: "piped",
  }).spawn();
}

test("several processes that write at once lose nothing", async (store) => {
  const writers = ["a", "b", "c", "d"].map((one) => writer(store, one, "6"));
  const results = await Promise.all(writers.map((one) => one.output()));
  assert(results.every(({ success }) => success));
  const names = (await store.load()).map(({ name }) => name).sort();
  const all = ["a", "b", "c", "d"].flatMap((one) =>
    [0, 1, 2, 3, 4, 5].map((i) => `${one}${i}`)
  );
  assert.deepEqual(names, all);
});

test("a writer that is killed leaves a whole file and no lock", async (store) => {
  await write(store, EXAMPLE);
  for (let round = 0; round < 3; round++) {
    const child = writer(store, "new", "0");
    await using reader = {
      lines: child.stdout.getReader(),
      async [Symbol.asyncDispose]() {
        await this.lines.cancel();
      },
    };
    await reader.lines.read();
    // Each of these reads while it writes, and moves the moment of the kill.
    for (let i = 0; i < 20 + 7 * round; i++) {
      assert((await store.load()).length >= 2);
    }
    child.kill("SIGKILL");
    await child.status;
    const names = (await store.load()).map(({ name }) => name);
    if (names.includes("new")) await store.remove("new");
    assert.equal(await store.text(), EXAMPLE);
  }
});

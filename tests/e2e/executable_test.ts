/** What is in the executables, as far as it shows without running them. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { dirname, join, resolve } from "node:path";
import manifest from "../../deno.json" with { type: "json" };
import { ROOT } from "../../scripts/bundle.ts";
import { compileScript, executable, TARGETS } from "../../scripts/compile.ts";
import { WRITE_ROOTS } from "../../src/platform/permissions.ts";
import { type Embedded, readEmbedded } from "../support/embedded.ts";
import { checkMachO } from "../support/mach_o.ts";
import { testWith } from "../support/requirements.ts";

/** The one under test, and those for other systems that lie beside it. */
function executables(): { target: string; path: string }[] {
  const folder = dirname(resolve(Deno.env.get("I2PTUN_BIN")!));
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
  return Object.keys(TARGETS)
    .filter((target) => names.includes(executable(target).slice(5)))
    .map((target) => ({
      target,
      path: join(folder, executable(target).slice(5)),
    }));
}

function assertPermitted({ permissions }: Embedded, target: string): void {
  const { allow_import: _givenUp, ...others } = permissions;
  const set = manifest.permissions.i2ptun;
  const system = target.startsWith("windows") ? "windows" : "posix";
  const everything: string[] = [];
  assert.deepEqual(others, {
    allow_read: everything,
    allow_write: WRITE_ROOTS[system],
    allow_net: everything,
    allow_run: everything,
    allow_env: set.env,
    allow_sys: set.sys,
    allow_ffi: null,
    ...Object.fromEntries(
      Object.keys(others).filter((name) => /^(deny|ignore)_/.test(name))
        .map((name) => [name, null]),
    ),
    prompt: false,
  }, target);
}

testWith(
  ["executable"],
  "an executable is the bundle with the permissions of the set, on every system",
  async () => {
    const all = executables();
    assert(all.length > 0);
    let first: Embedded | undefined;
    for (const { target, path } of all) {
      const each = await readEmbedded(path);
      assertPermitted(each, target);
      assert.equal(each.main, "dist/build/js/main.js");
      assert(each.files.includes(each.main));
      assert.deepEqual(
        each.files.filter((file) =>
          !/^dist\/build\/js\/[\w-]+\.js$/.test(file)
        ),
        [],
        target,
      );
      first ??= each;
      assert(each.program.equals(first.program), `${target} has another`);
      if (target.startsWith("macos")) {
        checkMachO(Buffer.from((await Deno.readFile(path)).buffer));
      }
    }
  },
);

testWith(
  ["executable"],
  "an executable is at most 3 MB larger than one of an empty program",
  async () => {
    // where deno.json is found
    const folder = `dist/test-${Deno.pid}`;
    const at = new URL(`${folder}/`, ROOT);
    await Deno.mkdir(at, { recursive: true });
    try {
      await Deno.writeTextFile(new URL("empty.ts", at), "");
      await compileScript(`${folder}/empty.ts`, `${folder}/empty`);
      const empty = await Deno.stat(new URL("empty", at));
      const { size } = await Deno.stat(Deno.env.get("I2PTUN_BIN")!);
      const more = size - empty.size;
      assert(more > 0 && more < 3e6, `${more} bytes more`);
    } finally {
      await Deno.remove(at, { recursive: true });
    }
  },
);

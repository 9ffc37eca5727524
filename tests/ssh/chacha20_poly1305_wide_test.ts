/**
 * The cipher as V8's optimizing compiler makes it with the program's flags. V8
 * takes the flags when it starts, so this is a process of its own.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { V8_FLAGS } from "../../src/platform/run.ts";
import { execute } from "../support/scratch.ts";

const tests = fileURLToPath(
  new URL("chacha20_poly1305_test.ts", import.meta.url),
);
const config = fileURLToPath(new URL("../../deno.json", import.meta.url));

const wasm = new URL(
  "../../src/ssh/chacha20_poly1305_wasm.ts",
  import.meta.url,
);

/** Says of each function whether the optimizing compiler has made it. */
const OPTIMIZED = `
  import { MODULE } from "${wasm}";
  const bytes = Uint8Array.from(atob(MODULE), (c) => c.charCodeAt(0));
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  const isOptimized = new Function("f", "return %IsTurboFanFunction(f)");
  for (const name of ["start", "mac", "cipher"]) {
    exports[name](0, 0, 0);
    console.log(name, isOptimized(exports[name]));
  }`;

Deno.test("the optimizing compiler makes the ciphers, also without threads", async () => {
  const said = await execute(Deno.execPath(), [
    ...["eval", "-q", "--no-config", `${V8_FLAGS},--allow-natives-syntax`],
    OPTIMIZED,
  ]);
  assert.equal(said.trim(), "start true\nmac true\ncipher true");
});

Deno.test("256-bit vectors compute the same", async () => {
  const said = await execute(Deno.execPath(), [
    ...["test", "-q", "--no-prompt", "--no-check", `--config=${config}`],
    ...[`${V8_FLAGS},--trace-wasm-revectorize`, "-P=i2ptun", tests],
  ]);
  if (!await hasWideVectors()) return;
  // so many pairs become one, by function
  const pairs = [...said.matchAll(/DecideVectorize \d+: Save: (\d+)/g)]
    .map(([, saved]) => Number(saved));
  const many = pairs.filter((saved) => saved > 50);
  assert.equal(many.length, 3, "two functions of ChaCha20, one of Poly1305");
});

async function hasWideVectors(): Promise<boolean> {
  if (Deno.build.arch !== "x86_64" || Deno.build.os !== "linux") return false;
  return / avx2 /.test(await execute("cat", ["/proc/cpuinfo"]));
}

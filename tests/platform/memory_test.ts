import assert from "node:assert/strict";
import { collectAtRest } from "../../src/platform/memory.ts";
import { V8_FLAGS } from "../../src/platform/run.ts";
import { execute } from "../support/scratch.ts";

const SCRIPT = `
import { collectGarbage } from "${new URL(
  "../../src/platform/memory.ts",
  import.meta.url,
)}";
let garbage = Array.from({ length: 500_000 }, (_, i) => ({ i }));
garbage = undefined;
const before = Deno.memoryUsage();
collectGarbage();
const after = Deno.memoryUsage();
console.log(JSON.stringify([before.heapTotal, after.heapTotal]));
`;

Deno.test("with the program's flags garbage is given back when asked", async () => {
  const said = await execute(Deno.execPath(), [
    ...["eval", "-q", "--no-config", V8_FLAGS, SCRIPT],
  ]);
  const [before, after] = JSON.parse(said);
  assert(after < before - 10e6, said);
});

Deno.test("what goes on is not held up by collecting, once and only then", () => {
  let bytes = 0;
  let tick: (() => void) | undefined;
  let collected = 0;
  const start = () =>
    collectAtRest(() => bytes, (ms, callBack) => {
      assert.equal(ms, 500);
      tick = callBack;
      return () => tick = undefined;
    }, () => collected++);
  start();
  for (bytes of [1, 2, 1000]) tick!();
  assert.equal(collected, 0);
  tick!();
  assert.equal(collected, 1);
  assert.equal(tick, undefined);

  const end = start();
  end();
  assert.equal(tick, undefined);
});

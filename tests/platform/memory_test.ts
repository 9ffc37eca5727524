import assert from "node:assert/strict";
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

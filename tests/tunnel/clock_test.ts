import assert from "node:assert/strict";
import { execute } from "../support/scratch.ts";

const clock = new URL("../../src/tunnel/clock.ts", import.meta.url);

/** In a process of its own, which can collect its garbage. */
const SCRIPT = `
  const { systemClock } = await import("${clock}");
  const [one, other] = [new AbortController(), new AbortController()];
  let woken = false;
  const any = () => AbortSignal.any([one.signal, other.signal]);
  (async () => {
    await systemClock.sleep(Infinity, any());
    woken = true;
  })();
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    gc();
  }
  other.abort();
  await new Promise((resolve) => setTimeout(resolve, 0));
  console.log(woken ? "woken" : "asleep");
`;

Deno.test("who sleeps for ever is not forgotten with the garbage", async () => {
  const said = await execute(Deno.execPath(), [
    ...["eval", "-q", "--v8-flags=--expose-gc", SCRIPT],
  ]);
  assert.equal(said.trim(), "woken");
});

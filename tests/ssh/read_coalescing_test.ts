import assert from "node:assert/strict";
import { ReadCoalescing } from "../../src/ssh/read_coalescing.ts";

const KB = 1024;

/** Takes reads; says before which of them it slept. */
function setUp() {
  let slept = 0;
  const coalescing = new ReadCoalescing((ms) => {
    assert(ms > 0 && ms < 1);
    slept++;
  });
  return {
    coalescing,
    sleepsBefore: (...reads: number[]) =>
      reads.map((length) => {
        const before = slept;
        coalescing.wait();
        coalescing.received(length);
        return slept > before;
      }),
  };
}

const few = Array<number>(8).fill(64 * KB);

Deno.test("what comes in bulk gathers before it is read", () => {
  const { sleepsBefore } = setUp();
  assert.deepEqual(sleepsBefore(...few), few.map(() => false));
  assert.deepEqual(sleepsBefore(64 * KB, 16 * KB, 200 * KB), [
    true,
    true,
    true,
  ]);
});

Deno.test("where reads bring much nothing has to gather", () => {
  const { sleepsBefore } = setUp();
  sleepsBefore(...few);
  assert.deepEqual(sleepsBefore(256 * KB, 512 * KB, 100 * KB, 100 * KB), [
    true,
    false,
    false,
    true,
  ]);
});

Deno.test("short answers are read at once, also after a transfer", () => {
  const { sleepsBefore } = setUp();
  const short = Array<number>(20).fill(1000);
  assert.deepEqual(sleepsBefore(...short), short.map(() => false));
  sleepsBefore(...few);
  assert.deepEqual(sleepsBefore(1000, 1000, 64 * KB, 64 * KB), [
    true,
    false,
    false,
    false,
  ]);
});

Deno.test("nobody who has asked for something waits", () => {
  const { coalescing, sleepsBefore } = setUp();
  sleepsBefore(...few);
  coalescing.asked();
  assert.deepEqual(sleepsBefore(...few), few.map(() => false));
  assert.deepEqual(sleepsBefore(1), [true]);
});

Deno.test({
  name: "the thread sleeps, where that is no longer than it should be",
  ignore: Deno.build.os !== "linux",
  fn: () => {
    const { wait } = Atomics;
    const waited: unknown[] = [];
    Atomics.wait = (...args: unknown[]) => {
      waited.push(args[3]);
      return "timed-out" as const;
    };
    using _restored = { [Symbol.dispose]: () => void (Atomics.wait = wait) };
    const coalescing = new ReadCoalescing();
    for (const length of few) coalescing.received(length);
    coalescing.wait();
    assert.deepEqual(waited, [0.3]);
  },
});

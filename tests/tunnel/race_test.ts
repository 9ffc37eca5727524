import assert from "node:assert/strict";
import { I2ptunError } from "../../src/errors.ts";
import { race } from "../../src/tunnel/race.ts";
import { settle } from "./fake_clock.ts";

/** A race whose attempts the test answers, and which it tells to hurry. */
function setUp() {
  const attempts: {
    signal: AbortSignal;
    answer: () => void;
    fallSilent: (ms?: number) => void;
    succeed: (result: string) => void;
    fail: (error: Error) => void;
  }[] = [];
  const ended: string[] = [];
  const stop = new AbortController();
  const told: string[] = [];
  const clock = { now: 0 };
  let hurry: () => void = () => {};
  const result = race<string>({
    attempt: (signal, answer, fallSilent) => {
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      signal.addEventListener("abort", () => reject(signal.reason));
      attempts.push({
        ...{ signal, answer, succeed: resolve, fail: reject },
        fallSilent: (ms = 5000) => fallSilent(ms),
      });
      return promise;
    },
    end: (late) => ended.push(late),
    onJoined: ({ silentMs, hasTalked }) =>
      told.push(
        `${silentMs} ms ${hasTalked ? "in the login" : "from the start"}`,
      ),
    now: () => clock.now,
    again: (signal) =>
      new Promise((resolve) => {
        hurry = resolve;
        signal.addEventListener("abort", () => resolve());
      }),
    signal: stop.signal,
  });
  return {
    ...{ attempts, ended, result, stop, told, clock },
    async again() {
      hurry();
      await settle();
    },
    open: () => attempts.map(({ signal }) => !signal.aborted),
  };
}

Deno.test("the first attempt that is answered goes on alone", async () => {
  const { attempts, result, again, open } = setUp();
  await again();
  await again();
  assert.deepEqual(open(), [true, true, true]);
  attempts[1]!.answer();
  assert.deepEqual(open(), [false, true, false]);
  await again();
  assert.equal(attempts.length, 3, "nothing joins it any more");
  attempts[1]!.succeed("second");
  assert.equal(await result, "second");
});

Deno.test("there are never more than four, and the first is one", async () => {
  const { attempts, result, again, open } = setUp();
  for (let i = 0; i < 5; i++) await again();
  assert.deepEqual(open(), [true, false, false, true, true, true]);
  attempts[0]!.succeed("slow");
  assert.equal(await result, "slow");
  assert(open().every((each, i) => each === (i === 0)));
});

Deno.test("one that fails decides too", async () => {
  const { attempts, result, again, open } = setUp();
  await again();
  attempts[1]!.fail(new Error("refused"));
  await assert.rejects(result, /refused/);
  assert.deepEqual(open(), [false, true]);
});

Deno.test("one whose server falls silent is joined, but goes on", async () => {
  const { attempts, result, again, open, ended } = setUp();
  attempts[0]!.answer();
  await again();
  assert.equal(attempts.length, 1);
  attempts[0]!.fallSilent();
  await again();
  await again();
  assert.deepEqual(open(), [true, true, true]);
  // it may be as slow as the first
  attempts[1]!.answer();
  assert.deepEqual(open(), [true, true, false]);
  await again();
  assert.equal(attempts.length, 3, "until it falls silent too");
  attempts[1]!.fallSilent();
  await again();
  assert.deepEqual(open(), [true, true, false, true]);
  attempts[2]!.answer();
  assert.deepEqual(open(), [true, true, false, true], "it has ended");
  attempts[0]!.answer();
  assert.deepEqual(open(), [true, true, false, false]);
  attempts[0]!.succeed("slow");
  assert.equal(await result, "slow");
  assert.deepEqual(open(), [true, false, false, false]);
  assert.deepEqual(ended, []);
});

Deno.test("a fresh one that fails does not end one that is further", async () => {
  const { attempts, result, again, open } = setUp();
  attempts[0]!.answer();
  attempts[0]!.fallSilent();
  await again();
  attempts[1]!.fail(new I2ptunError("unreachable", "too many"));
  await settle();
  await again();
  assert.deepEqual(open(), [true, true, true]);
  attempts[2]!.answer();
  attempts[2]!.fail(new I2ptunError("unreachable", "closed"));
  await settle();
  await again();
  assert.equal(attempts.length, 4, "the first still hangs");
  attempts[0]!.succeed("slow");
  assert.equal(await result, "slow");
});

Deno.test("what cannot be mended decides, whoever is further", async () => {
  const { attempts, result, again, open } = setUp();
  attempts[0]!.answer();
  attempts[0]!.fallSilent();
  await again();
  attempts[1]!.fail(new I2ptunError("host-key", "changed"));
  await assert.rejects(result, /changed/);
  assert.deepEqual(open(), [false, true]);
});

Deno.test("what succeeds too late is ended", async () => {
  const { attempts, result, again, ended } = setUp();
  await again();
  // both at the same moment
  attempts[1]!.succeed("fresh");
  attempts[0]!.succeed("first");
  assert.equal(await result, "fresh");
  assert.deepEqual(ended, ["first"]);
});

Deno.test("a stop ends all of them", async () => {
  const { result, stop, again, open } = setUp();
  await again();
  stop.abort(new Error("stopped"));
  await assert.rejects(result, /stopped/);
  assert.deepEqual(open(), [false, false]);
});

Deno.test("an attempt that hangs is told of once, when it is joined", async () => {
  const { attempts, result, again, told, clock } = setUp();
  assert.deepEqual(told, []);
  clock.now = 1000;
  await again();
  assert.deepEqual(told, ["1000 ms from the start"]);
  clock.now = 2000;
  await again();
  await again();
  assert.equal(told.length, 1, "the fresh ones hang as well");
  attempts[1]!.answer();
  clock.now = 8000;
  attempts[1]!.fallSilent(5000);
  assert.equal(told.length, 1, "nothing has joined it yet");
  clock.now = 9000;
  await again();
  await again();
  assert.deepEqual(told.slice(1), ["6000 ms in the login"]);
  attempts[1]!.answer();
  attempts[1]!.fallSilent();
  await again();
  assert.equal(told.length, 2, "it hangs once more");
  attempts[1]!.succeed("slow");
  await result;
});

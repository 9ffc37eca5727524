import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { Silence } from "../../src/ssh/silence.ts";

/** A server that speaks when the test says, on a clock that it turns. */
function setUp() {
  const transport = new PassThrough();
  const said: string[] = [];
  let timer: { callBack: () => void; ms: number } | undefined;
  const silence = new Silence(transport, {
    limitMs: 5000,
    onWord: () => said.push("word"),
    onSilence: (ms) => said.push(`silence of ${ms} ms`),
    after: (ms, callBack) => {
      const mine = timer = { ms, callBack };
      return () => {
        if (timer === mine) timer = undefined;
      };
    },
  });
  return {
    silence,
    said,
    speak: () => transport.emit("data", new Uint8Array(1)),
    /** How long it would wait; undefined if it does not. */
    waits: () => timer?.ms,
    wait() {
      const { callBack } = timer!;
      timer = undefined;
      callBack();
    },
  };
}

Deno.test("silence is told once a server has begun, and its end too", () => {
  const { said, speak, waits, wait } = setUp();
  assert.equal(waits(), undefined, "not before its first word");
  speak();
  speak();
  assert.deepEqual(said, ["word"]);
  assert.equal(waits(), 5000);
  wait();
  assert.deepEqual(said, ["word", "silence of 5000 ms"]);
  assert.equal(waits(), undefined, "once");
  speak();
  assert.deepEqual(said, ["word", "silence of 5000 ms", "word"]);
  assert.equal(waits(), 5000);
});

Deno.test("it is not the server's silence while a person is waited for", async () => {
  const { silence, speak, waits } = setUp();
  speak();
  const first = Promise.withResolvers<string>();
  const second = Promise.withResolvers<never>();
  const waiting = [first, second].map(({ promise }) =>
    silence.pausedFor<unknown>(promise).catch(() => {})
  );
  assert.equal(waits(), undefined);
  speak();
  assert.equal(waits(), undefined);
  first.resolve("yes");
  await waiting[0];
  assert.equal(waits(), undefined, "one of two");
  second.reject(new Error("no"));
  await waiting[1];
  assert.equal(waits(), 5000);
});

Deno.test("after its end nothing is told", async () => {
  const { silence, said, speak, waits } = setUp();
  speak();
  await Promise.all([
    silence.pausedFor(Promise.resolve()),
    Promise.resolve().then(() => silence.end()),
  ]);
  speak();
  assert.equal(waits(), undefined);
  assert.deepEqual(said, ["word"]);
});

import assert from "node:assert/strict";
import { PromptAck } from "../../src/ssh/prompt_ack.ts";

/** In a world whose time passes as the test says. */
function setUp() {
  let now = 100;
  let timer: { at: number; callBack: () => void } | undefined;
  const world = {
    isWanted: true,
    acknowledged: [] as number[],
    wakeUps: 0,
    get now() {
      return Math.round(now - 100);
    },
    get timer() {
      return timer;
    },
    pass(ms: number) {
      const until = now + ms;
      while (timer && timer.at <= until) {
        const { at, callBack } = timer;
        timer = undefined;
        now = at;
        world.wakeUps++;
        callBack();
      }
      now = until;
    },
  };
  const ack = new PromptAck(
    () => world.isWanted,
    () => world.acknowledged.push(world.now),
    (ms, callBack) => {
      assert.equal(timer, undefined, "two timers");
      timer = { at: now + ms, callBack };
      return () => timer = undefined;
    },
  );
  return { ack, world };
}

Deno.test("what nothing is sent after is acknowledged, once", () => {
  const { ack, world } = setUp();
  ack.received();
  world.pass(1);
  ack.received();
  world.pass(100);
  assert.deepEqual(world.acknowledged, [2]);
  assert.equal(world.wakeUps, 1);
  ack.received();
  world.pass(2);
  assert.deepEqual(world.acknowledged, [2, 103]);
});

Deno.test("what something is sent after is acknowledged by that", () => {
  const { ack, world } = setUp();
  ack.received();
  ack.sent();
  world.pass(100);
  assert.deepEqual(world.acknowledged, []);
  assert.equal(world.wakeUps, 1);
});

Deno.test("to and fro neither is acknowledged nor wakes up often", () => {
  const { ack, world } = setUp();
  for (let i = 0; i < 40; i++) {
    ack.received();
    world.pass(0.05);
    ack.sent();
    world.pass(0.05);
  }
  assert.deepEqual(world.acknowledged, []);
  assert(world.wakeUps <= 2, `${world.wakeUps} times`);
  ack.received();
  world.pass(1.5);
  assert.deepEqual(world.acknowledged, [], "it has time of its own");
  world.pass(2.5);
  assert.equal(world.acknowledged.length, 1);
});

Deno.test("long to and fro wakes up seldom, until there is something to do", () => {
  const { ack, world } = setUp();
  const toAndFro = (ms: number) => {
    const before = world.wakeUps;
    for (let i = 0; i < ms; i++) {
      ack.received();
      world.pass(0.5);
      ack.sent();
      world.pass(0.5);
    }
    return world.wakeUps - before;
  };
  const delay = () => {
    const from = world.now;
    world.acknowledged.length = 0;
    ack.received();
    world.pass(100);
    assert.equal(world.acknowledged.length, 1);
    return world.acknowledged[0]! - from;
  };
  toAndFro(100);
  assert(toAndFro(1000) < 80, "it wakes up as often as before");
  assert(delay() < 35, "the system would have done it by then");
  assert.equal(delay(), 2);
  assert(toAndFro(20) >= 6, "it is slow although it was of use a moment ago");
  assert(delay() <= 4);
});

Deno.test("what nobody waits for is left to the system", () => {
  const { ack, world } = setUp();
  world.isWanted = false;
  ack.received();
  assert.equal(world.timer, undefined, "it does not even wake up");
});

Deno.test("no timer outlives the connection", () => {
  const { ack, world } = setUp();
  ack.stop();
  ack.received();
  ack.stop();
  assert.equal(world.timer, undefined);
});

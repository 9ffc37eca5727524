import assert from "node:assert/strict";
import { PromptAck } from "../../src/ssh/prompt_ack.ts";

function setUp() {
  const world = {
    isWanted: true,
    acknowledged: 0,
    timers: [] as (() => void)[],
    cancelled: 0,
    /** Lets the time of all timers come. */
    pass: () => world.timers.splice(0).forEach((timer) => timer()),
  };
  const ack = new PromptAck(
    () => world.isWanted,
    () => world.acknowledged++,
    (_ms, callBack) => {
      world.timers.push(callBack);
      return () => world.cancelled++;
    },
  );
  return { ack, world };
}

Deno.test("what nothing is sent after is acknowledged, once", () => {
  const { ack, world } = setUp();
  ack.received(36);
  ack.received(100);
  assert.equal(world.timers.length, 1, "one timer for both");
  world.pass();
  assert.equal(world.acknowledged, 1);
  world.pass();
  assert.equal(world.acknowledged, 1);
  ack.received(36);
  world.pass();
  assert.equal(world.acknowledged, 2);
});

Deno.test("what something is sent after is acknowledged by that", () => {
  const { ack, world } = setUp();
  ack.received(36);
  ack.sent();
  world.pass();
  assert.equal(world.acknowledged, 0);
  ack.sent();
  ack.received(36);
  world.pass();
  assert.equal(world.acknowledged, 1, "what was sent before does not count");
});

Deno.test("much at once and what nobody waits for is left to the system", () => {
  const { ack, world } = setUp();
  ack.received(64 * 1024);
  world.isWanted = false;
  ack.received(36);
  assert.equal(world.timers.length, 0, "it does not even wake up");
});

Deno.test("no timer outlives the connection", () => {
  const { ack, world } = setUp();
  ack.stop();
  ack.received(36);
  ack.stop();
  assert.equal(world.cancelled, 1);
});

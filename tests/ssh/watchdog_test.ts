import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { Watchdog } from "../../src/ssh/watchdog.ts";

/** A watchdog in a world whose time passes as the test says. */
function setUp(intervalMs: number, count: number, { ask = () => {} } = {}) {
  let monotonic = 1000;
  let wall = 5_000_000;
  let timer: { at: number; callBack: () => void } | undefined;
  const transport = new PassThrough();
  const world = {
    transport,
    asked: [] as number[],
    wakeUps: 0,
    lostAfter: undefined as number | undefined,
    /** When it was asked what it did not answer. */
    askedAt: undefined as number | undefined,
    hasAddress: true,
    said: [] as string[],
    now: () => monotonic - 1000,
    /** Lets time pass on both clocks. */
    pass(ms: number) {
      const until = monotonic + ms;
      while (timer && timer.at <= until) {
        const { at, callBack } = timer;
        timer = undefined;
        wall += at - monotonic;
        monotonic = at;
        world.wakeUps++;
        callBack();
      }
      wall += until - monotonic;
      monotonic = until;
    },
    /** The machine sleeps: its timers stand still, the wall clock does not. */
    suspend: (ms: number) => wall += ms,
    /** The process is held up: when it goes on, its timers are late. */
    freeze(ms: number) {
      wall += ms;
      monotonic += ms;
      if (timer) timer.at = Math.max(timer.at, monotonic);
    },
    hear: () => transport.emit("data", new Uint8Array(1)),
  };
  const watchdog = new Watchdog(transport, {
    keepalive: { intervalMs, count },
    ask: () => {
      world.asked.push(world.now());
      ask();
    },
    hasAddress: () => world.hasAddress,
    onSilence: (patienceMs, askedAt) => {
      assert.equal(world.lostAfter, undefined, "told twice");
      world.lostAfter = patienceMs;
      world.askedAt = askedAt - 1000;
    },
    log: (_level, message) => world.said.push(message),
    time: {
      monotonic: () => monotonic,
      wall: () => wall,
      after: (ms, callBack) => {
        const mine = timer = { at: monotonic + ms, callBack };
        return () => {
          if (timer === mine) timer = undefined;
        };
      },
    },
  });
  watchdog.start();
  return Object.assign(world, { watchdog });
}

/** One whose server answers at once. */
function withServer(intervalMs: number, count: number) {
  const world = setUp(intervalMs, count, { ask: () => world.hear() });
  return world;
}

Deno.test("idle, it wakes up for keepalives only", () => {
  const world = withServer(15_000, 3);
  world.pass(3600_000);
  assert.equal(world.asked.length, 240);
  assert.equal(world.wakeUps, 240);
  assert.equal(world.lostAfter, undefined);
  world.watchdog.stop();
  world.pass(3600_000);
  assert.equal(world.wakeUps, 240);
});

Deno.test("a silent server is lost after interval × count, not before", () => {
  for (const [interval, count] of [[15_000, 3], [1000, 2], [10_000, 1]]) {
    const world = setUp(interval!, count!);
    // the last that was heard came between two questions
    world.pass(interval! / 3);
    world.hear();
    world.pass(interval! * count! - 1);
    assert.equal(world.lostAfter, undefined);
    assert(world.asked.length >= count! - 1, `${world.asked}`);
    assert(world.asked.length > 0);
    world.pass(1);
    assert.equal(world.lostAfter, interval! * count!);
    world.pass(interval! * 10);
  }
});

Deno.test("while it talks the server is not asked", () => {
  const world = setUp(15_000, 3);
  for (let i = 0; i < 100; i++) {
    world.pass(1000);
    world.hear();
  }
  assert.deepEqual(world.asked, []);
});

Deno.test("after a sleep the server is asked at once, and has 5 s", () => {
  for (const how of ["suspend", "freeze"] as const) {
    const world = withServer(15_000, 3);
    world.pass(20_000);
    const before = world.asked.length;
    world[how](3600_000);
    // the timer of a machine that slept has up to an interval to go
    world.pass(how === "suspend" ? 10_000 : 0);
    assert.equal(world.asked.length, before + 1, how);
    assert.match(world.said.join(), /asleep for 3[56]\d\d s/);
    world.pass(60_000);
    assert.equal(world.lostAfter, undefined, "it has answered");

    const silent = setUp(15_000, 3);
    silent.pass(10_000);
    silent[how](3600_000);
    silent.pass(how === "suspend" ? 5000 : 0);
    assert.equal(silent.asked.length, 1, how);
    silent.pass(4999);
    assert.equal(silent.lostAfter, undefined, how);
    silent.pass(1);
    assert.equal(silent.lostAfter, 5000, how);
  }
});

Deno.test("who comes after a sleep need not wait for the keepalive", () => {
  const world = setUp(15_000, 3);
  world.pass(10_000);
  world.suspend(600_000);
  world.watchdog.check(false);
  assert.equal(world.asked.length, 1);
  world.pass(5000);
  assert.equal(world.lostAfter, 5000);
});

Deno.test("an idle connection is given up sooner when it is needed", () => {
  const world = setUp(15_000, 3);
  world.pass(10_000);
  world.watchdog.check(true);
  world.pass(999);
  assert.deepEqual(world.asked, [], "its use asks, too");
  world.pass(2001);
  world.watchdog.check(true);
  assert.deepEqual(world.asked, [11_000], "asked once");
  world.pass(2000);
  assert.equal(world.lostAfter, 5000);
  assert.equal(world.askedAt, 10_000);

  const used = setUp(15_000, 3);
  used.pass(10_000);
  used.watchdog.check(true);
  used.pass(200);
  used.hear();
  used.pass(14_999);
  assert.deepEqual(used.asked, [], "its use was answered");
  used.pass(1);
  assert.deepEqual(used.asked, [25_200]);

  const answers = setUp(15_000, 3);
  answers.pass(10_000);
  answers.watchdog.check(true);
  answers.pass(4000);
  answers.hear();
  answers.pass(15_000);
  assert.equal(answers.lostAfter, undefined);

  // not sooner than is left anyway, and not for what was just heard
  const late = setUp(15_000, 3);
  late.watchdog.check(true);
  assert.deepEqual(late.asked, []);
  late.pass(43_000);
  late.watchdog.check(true);
  late.pass(2000);
  assert.notEqual(late.lostAfter, undefined);
});

Deno.test("others that would be cut get all of the time", () => {
  const world = setUp(15_000, 3);
  world.pass(10_000);
  world.watchdog.check(false);
  world.pass(34_999);
  assert.equal(world.lostAfter, undefined);
  world.pass(1);
  assert.equal(world.lostAfter, 45_000);
});

Deno.test("a changed address is a reason to ask, once", () => {
  const world = setUp(15_000, 3);
  world.pass(10_000);
  world.hasAddress = false;
  world.watchdog.check(false);
  assert.equal(world.asked.length, 1);
  assert.match(world.said.join(), /address has changed/);
  world.hear();
  world.pass(14_000);
  world.hear();
  world.pass(20_000);
  assert.equal(world.lostAfter, undefined, "it works all the same");
  assert.equal(world.said.length, 1);

  const noticed = setUp(15_000, 3);
  noticed.pass(10_000);
  noticed.hasAddress = false;
  noticed.pass(10_000);
  assert.equal(noticed.lostAfter, 5000, "with the keepalive");
});

Deno.test("what was heard a moment ago proves nothing after a sleep", () => {
  const world = setUp(15_000, 3);
  world.pass(9_000);
  world.hear();
  world.suspend(600_000);
  world.watchdog.check(false);
  assert.equal(world.asked.length, 1);
});

Deno.test("nor for long when the address has changed since", () => {
  const world = setUp(15_000, 3);
  world.pass(9_000);
  world.hear();
  world.hasAddress = false;
  world.watchdog.check(false);
  assert.deepEqual(world.asked, []);
  world.pass(1000);
  assert.deepEqual(world.asked, [10_000]);
  world.pass(5000);
  assert.equal(world.lostAfter, 5000);

  const busy = withServer(15_000, 3);
  for (let i = 0; i < 100; i++) {
    busy.pass(100);
    busy.hear();
    busy.watchdog.check(false);
  }
  assert.equal(busy.wakeUps, 9, "one a second for all clients");
  busy.pass(3600_000);
  assert.equal(busy.wakeUps, 10 + 240);
});

Deno.test("what it did not answer tells whose fault it is", () => {
  const behind = setUp(15_000, 3);
  const jump = withServer(15_000, 3);
  for (const each of [behind, jump]) each.pass(45_000);
  assert.equal(behind.lostAfter, 45_000);
  assert.equal(behind.askedAt, 15_000);
  const since = behind.askedAt + 1000;
  assert.equal(jump.watchdog.endUnlessHeardSince(since, 45_000), false);
  assert.equal(jump.lostAfter, undefined);

  const dead = setUp(15_000, 3);
  dead.pass(14_000);
  dead.hear();
  dead.pass(31_000);
  assert.equal(dead.lostAfter, undefined);
  assert.equal(dead.watchdog.endUnlessHeardSince(since, 45_000), true);
  assert.equal(dead.lostAfter, 45_000);
  dead.pass(100_000);
  assert.equal(dead.watchdog.endUnlessHeardSince(since, 45_000), false);
});

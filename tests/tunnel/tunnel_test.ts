import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { I2ptunError } from "../../src/errors.ts";
import { isFree } from "../support/ports.ts";
import { settle } from "./fake_clock.ts";
import { attempt, client, setUp, unreachable, up } from "./setup.ts";

Deno.test("start connects and is up; stop frees the port", async () => {
  const { tunnel, port, states, connection } = await up();
  assert.deepEqual(states, ["connecting", "up"]);
  assert.deepEqual(tunnel.status().forwards[0]?.listen, [`127.0.0.1:${port}`]);
  tunnel.stop();
  assert.equal(await tunnel.finished, undefined);
  assert.equal(connection.ended, true);
  assert.deepEqual(states, ["connecting", "up", "stopped"]);
  await assert.rejects(() => once(connect(port, "127.0.0.1"), "connect"));
});

Deno.test("a client that says nothing is activity, too", async () => {
  const { tunnel, port } = await up();
  const before = tunnel.activity;
  (await client(port)).destroy();
  assert.ok(tunnel.activity > before);
  tunnel.stop();
});

Deno.test("a start that fails leaves nothing open", async () => {
  const { tunnel, port, attempts, states } = setUp();
  const started = tunnel.start();
  await attempt(attempts, 1);
  attempts[0]!.fail(unreachable());
  await assert.rejects(started, { kind: "unreachable" });
  assert(isFree(port), "it is said to have failed before its port is free");
  assert.deepEqual(states, ["connecting", "failed"]);
});

Deno.test("a port in use fails the start before anything connects", async () => {
  const { tunnel, port, attempts } = setUp();
  using _other = Deno.listen({ hostname: "127.0.0.1", port });
  await assert.rejects(tunnel.start(), {
    kind: "forward",
    message: `console: port ${port} is already in use by somebody (pid 1)`,
  });
  assert.equal(attempts.length, 0);
});

Deno.test("a lost connection is replaced at once, then with growing delays", async () => {
  const { clock, attempts, connection, tunnel, states } = await up();
  clock.chance = 1;
  connection.lose();
  await attempt(attempts, 2);
  assert.equal(attempts[1]!.at, 0);
  for (const at of [1000, 3000, 7000, 15_000]) {
    attempts.at(-1)!.fail(unreachable());
    await clock.advance(at - clock.now());
    assert.equal(attempts.at(-1)!.at, at);
  }
  assert.equal(tunnel.status().lastError, "no answer");
  attempts.at(-1)!.succeed();
  await settle();
  assert.deepEqual(states, ["connecting", "up", "reconnecting", "up"]);
  assert.equal(tunnel.status().reconnects, 1);
  tunnel.stop();
});

Deno.test("delays are between the beginnings of attempts", async () => {
  const { clock, attempts, connection, tunnel } = await up();
  clock.chance = 1;
  connection.lose();
  for (let i = 2; i < 6; i++) {
    await attempt(attempts, i);
    attempts.at(-1)!.fail(unreachable());
    await settle();
    await clock.advance(clock.next!);
  }
  // the next delay would be 16 s
  await clock.advance(15_000);
  attempts.at(-1)!.fail(unreachable());
  await settle();
  assert.equal(clock.next, 1000);
  await clock.advance(1000);
  await clock.advance(40_000);
  const before = attempts.length;
  attempts.at(-1)!.fail(unreachable());
  await attempt(attempts, before + 1);
  assert.equal(attempts.at(-1)!.at, clock.now(), "one that took long");
  tunnel.stop();
});

Deno.test("a connection that flickers does not begin the backoff anew", async () => {
  const { clock, attempts, connection, tunnel } = await up();
  clock.chance = 1;
  connection.lose();
  await attempt(attempts, 2);
  const second = attempts[1]!.succeed();
  await settle();
  second.lose();
  await settle();
  assert.equal(attempts.length, 2);
  assert.equal(clock.next, 1000);
  await clock.advance(1000);
  const third = attempts[2]!.succeed();
  await clock.advance(60_000);
  third.lose();
  await attempt(attempts, 4);
  assert.equal(attempts[3]!.at, clock.now());
  attempts[3]!.fail(unreachable());
  await settle();
  assert.equal(clock.next, 1000, "a stable one does");
  tunnel.stop();
});

Deno.test("a waiting client cuts the delay short, to once a second", async () => {
  const { clock, attempts, connection, tunnel, port } = await up();
  clock.chance = 1;
  connection.lose();
  await attempt(attempts, 2);
  for (let i = 0; i < 4; i++) {
    attempts.at(-1)!.fail(unreachable());
    await settle();
    await clock.advance(clock.next!);
  }
  attempts.at(-1)!.fail(unreachable());
  await settle();
  const failedAt = clock.now();
  assert.equal(clock.next, 16_000);
  await clock.advance(5000);
  const before = attempts.length;
  const waiting = await client(port);
  await attempt(attempts, before + 1);
  assert.equal(attempts.at(-1)!.at, failedAt + 5000, "at once");
  attempts.at(-1)!.fail(unreachable());
  await settle();
  assert.equal(clock.next, 1000, "and a second after that");
  await clock.advance(1000);
  const back = attempts.at(-1)!.succeed();
  for (let i = 0; back.channels === 0 && i < 1000; i++) await settle();
  assert.equal(back.channels, 1, "the client is served by the new connection");
  waiting.destroy();
  tunnel.stop();
});

Deno.test("a client waits no longer than connect_timeout", async () => {
  const { clock, attempts, connection, tunnel, port } = await up({
    connectTimeoutMs: 5000,
  });
  connection.lose();
  await attempt(attempts, 2);
  const waiting = await client(port);
  await clock.advance(4999);
  assert.equal(waiting.destroyed, false);
  const closed = new Promise((resolve) => waiting.once("close", resolve));
  await clock.advance(1);
  await closed;
  assert.equal(tunnel.state.name, "reconnecting");
  tunnel.stop();
});

Deno.test("a waiting client hurries an attempt that hangs, once a second", async () => {
  const { clock, attempts, connection, tunnel, port } = await up();
  connection.lose();
  await attempt(attempts, 2);
  const { again, signal } = attempts[1]!;
  assert(again, "a reconnect can be hurried");
  assert.equal(attempts[0]!.again, undefined, "a start asks a person");
  const times: number[] = [];
  const joining = (async () => {
    for (;;) {
      await again(signal);
      if (signal.aborted) return;
      times.push(clock.now());
    }
  })();
  await clock.advance(10_000);
  assert.deepEqual(times, [], "nobody waits");
  const waiting = await client(port);
  await clock.advance(3500);
  assert.deepEqual(times, [10_000, 11_000, 12_000, 13_000]);
  waiting.destroy();
  tunnel.stop();
  await joining;
});

Deno.test("a server that flickers is tried once a second, who ever waits", async () => {
  const { clock, attempts, connection, tunnel, port } = await up();
  connection.openChannel = () => {
    connection.lose();
    return Promise.reject(new I2ptunError("unreachable", "lost"));
  };
  const waiting = await client(port);
  for (let i = 2; i < 6; i++) {
    await attempt(attempts, i);
    const next = attempts.at(-1)!.succeed();
    next.openChannel = () => {
      next.lose();
      return Promise.reject(new I2ptunError("unreachable", "lost"));
    };
    for (let j = 0; j < 20; j++) await settle();
    if (i > 2) {
      assert.equal(attempts.length, i, "not before a second has passed");
    }
    await clock.advance(1000);
  }
  waiting.destroy();
  tunnel.stop();
});

Deno.test("a connection is looked after when a client comes", async () => {
  const { connection, tunnel, port } = await up();
  connection.openChannel = () => new Promise(() => {});
  const first = await client(port);
  const second = await client(port);
  for (let i = 0; connection.checks.length < 2 && i < 100; i++) await settle();
  assert.deepEqual(connection.checks, [true, false]);
  first.destroy();
  second.destroy();
  tunnel.stop();
});

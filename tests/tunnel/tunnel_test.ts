import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { once } from "node:events";
import { I2ptunError } from "../../src/errors.ts";
import { DEFAULTS, type Profile } from "../../src/profile/profile.ts";
import type { Connection } from "../../src/ssh/connection.ts";
import type { Again } from "../../src/tunnel/race.ts";
import { Tunnel } from "../../src/tunnel/tunnel.ts";
import { freePort, isFree } from "../support/ports.ts";
import { FakeClock, settle } from "./fake_clock.ts";

/** A logged-in connection that the test ends. */
class FakeConnection {
  ended = false;
  channels = 0;
  /** What {@link Connection.check} was told. */
  readonly checks: boolean[] = [];
  #end: (reason: I2ptunError) => void = () => {};
  readonly closed = new Promise<I2ptunError>((resolve) => this.#end = resolve);

  openChannel(): Promise<never> {
    this.channels++;
    return Promise.reject(new I2ptunError("forward", "no channels here"));
  }

  check(idle: boolean): void {
    this.checks.push(idle);
  }

  end(): void {
    this.ended = true;
    this.lose("ended");
  }

  lose(message = "the connection was lost"): void {
    this.#end(new I2ptunError("unreachable", message));
  }
}

/** A tunnel whose attempts to connect the test answers one by one. */
function setUp(
  changes: Partial<Profile> = {},
  options: { keepTrying?: boolean } = {},
) {
  const clock = new FakeClock();
  const port = freePort();
  const attempts: {
    at: number;
    signal: AbortSignal;
    again: Again | undefined;
    succeed: () => FakeConnection;
    fail: (error: I2ptunError) => void;
  }[] = [];
  const states: string[] = [];
  const tunnel = new Tunnel({
    profile: {
      ...DEFAULTS,
      name: "home",
      server: { user: "i2p", host: "example.org", port: 22 },
      jump: [],
      identity: [],
      knownHosts: undefined,
      hostKey: undefined,
      sshConfig: false,
      written: new Set(),
      forwards: [{
        kind: "local",
        name: "console",
        listen: { kind: "tcp", bind: "127.0.0.1", port },
        target: { kind: "tcp", host: "127.0.0.1", port: 7657 },
      }],
      ...changes,
    },
    server: "i2p@example.org:22",
    connect: (signal, again) =>
      new Promise((resolve, reject) => {
        attempts.push({
          at: clock.now(),
          signal,
          again,
          succeed: () => {
            const connection = new FakeConnection();
            resolve(connection as unknown as Connection);
            return connection;
          },
          fail: reject,
        });
      }),
    portOwner: () => Promise.resolve("somebody (pid 1)"),
    clock,
    log: () => {},
    onChange: (state) => states.push(state.name),
    ...options,
  });
  return { clock, port, attempts, states, tunnel };
}

/** Starts a tunnel and brings it up. */
async function up(changes?: Partial<Profile>) {
  const all = setUp(changes);
  const started = all.tunnel.start();
  await attempt(all.attempts, 1);
  const connection = all.attempts[0]!.succeed();
  await started;
  await settle();
  return { ...all, connection };
}

/** Waits until the `n`th attempt has begun. */
async function attempt(attempts: unknown[], n: number): Promise<void> {
  for (let i = 0; attempts.length < n; i++) {
    assert.ok(i < 1000, `attempt ${n} was not made`);
    await settle();
  }
}

async function client(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  await settle();
  return socket;
}

const unreachable = () => new I2ptunError("unreachable", "no answer");

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

Deno.test("stop while connecting ends the attempt", async () => {
  const { tunnel, attempts } = setUp();
  const started = tunnel.start();
  await attempt(attempts, 1);
  tunnel.stop();
  assert.equal(attempts[0]!.signal.aborted, true);
  const connection = attempts[0]!.succeed();
  await assert.rejects(started, { kind: "interrupted" });
  assert.equal(connection.ended, true);
  assert.equal(tunnel.state.name, "stopped");
});

Deno.test("stop while it opens a port frees it", async () => {
  const { tunnel, port, attempts } = setUp();
  const started = tunnel.start();
  tunnel.stop();
  await assert.rejects(started, { kind: "interrupted" });
  assert(isFree(port));
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

for (const kind of ["login-refused", "host-key"] as const) {
  Deno.test(`${kind} ends it as failed, with the reason`, async () => {
    const { attempts, connection, tunnel, port } = await up();
    connection.lose();
    await attempt(attempts, 2);
    attempts[1]!.fail(new I2ptunError(kind, "that is the reason"));
    assert.equal((await tunnel.finished)?.kind, kind);
    assert.equal(tunnel.status().state, "failed");
    assert.equal(tunnel.status().lastError, "that is the reason");
    await assert.rejects(() => once(connect(port, "127.0.0.1"), "connect"));
    tunnel.stop();
    assert.equal(tunnel.state.name, "failed", "stop does not hide it");
  });
}

Deno.test("reconnect: false ends it with the first loss", async () => {
  const { attempts, connection, tunnel } = await up({ reconnect: false });
  connection.lose("gone");
  assert.equal((await tunnel.finished)?.message, "gone");
  assert.equal(attempts.length, 1);
});

Deno.test("stop while it waits to reconnect leaves no timer", async () => {
  const { clock, attempts, connection, tunnel } = await up();
  connection.lose();
  await attempt(attempts, 2);
  attempts[1]!.fail(unreachable());
  await settle();
  assert.notEqual(clock.next, undefined);
  tunnel.stop();
  await settle();
  assert.equal(clock.next, undefined);
  assert.equal(attempts.length, 2);
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

Deno.test("one that keeps trying is reconnecting until it is up", async () => {
  const keeping = setUp({}, { keepTrying: true });
  const { clock, attempts, states, tunnel, port } = keeping;
  clock.chance = 1;
  const started = tunnel.start();
  await attempt(attempts, 1);
  attempts[0]!.fail(unreachable());
  assert.equal(await started, false, "it says that it is up");
  assert.deepEqual(states, ["connecting", "reconnecting"]);
  assert.equal(tunnel.status().lastError, "no answer");
  assert.deepEqual(tunnel.status().forwards[0]?.listen, [`127.0.0.1:${port}`]);

  for (const at of [1000, 3000, 7000]) {
    await clock.advance(at - clock.now());
    assert.equal(attempts.at(-1)!.at, at);
    assert(attempts.at(-1)!.again, "one that hangs can be hurried");
    attempts.at(-1)!.fail(unreachable());
    await settle();
  }
  assert.equal(clock.next, 8000);
  const waiting = await client(port);
  await clock.advance(1000);
  assert.equal(attempts.at(-1)!.at, 8000, "a client makes it try");
  const first = attempts.at(-1)!.succeed();
  for (let i = 0; first.channels === 0 && i < 1000; i++) await settle();
  assert.equal(first.channels, 1, "the client is served");
  assert.deepEqual(states, ["connecting", "reconnecting", "up"]);
  assert.equal(tunnel.status().reconnects, 0);

  await clock.advance(10_000);
  first.lose();
  await attempt(attempts, 6);
  attempts[5]!.succeed();
  await settle();
  assert.equal(tunnel.status().reconnects, 1);
  waiting.destroy();
  tunnel.stop();
});

Deno.test("one that keeps trying may be up at once", async () => {
  const { attempts, states, tunnel } = setUp({}, { keepTrying: true });
  const started = tunnel.start();
  await attempt(attempts, 1);
  assert.equal(attempts[0]!.again, undefined, "a start asks a person");
  const first = attempts[0]!.succeed();
  assert.equal(await started, true);
  first.lose();
  await attempt(attempts, 2);
  assert.equal(attempts[1]!.at, 0, "no failure has been counted");
  assert.deepEqual(states, ["connecting", "up", "reconnecting"]);
  tunnel.stop();
});

for (const kind of ["login-refused", "host-key"] as const) {
  Deno.test(`${kind} ends also one that keeps trying`, async () => {
    const failed = new I2ptunError(kind, "that is the reason");
    const first = setUp({}, { keepTrying: true });
    const started = first.tunnel.start();
    await attempt(first.attempts, 1);
    first.attempts[0]!.fail(failed);
    await assert.rejects(started, failed);
    assert.deepEqual(first.states, ["connecting", "failed"]);
    assert(isFree(first.port));

    const later = setUp({}, { keepTrying: true });
    const { attempts, clock, states, tunnel } = later;
    tunnel.start();
    await attempt(attempts, 1);
    attempts[0]!.fail(unreachable());
    await clock.advance(1000);
    attempts[1]!.fail(failed);
    assert.equal(await tunnel.finished, failed);
    assert.deepEqual(states, ["connecting", "reconnecting", "failed"]);
    assert(isFree(later.port));
  });
}

Deno.test("a port in use ends also one that keeps trying", async () => {
  const { tunnel, port, attempts } = setUp({}, { keepTrying: true });
  using _other = Deno.listen({ hostname: "127.0.0.1", port });
  await assert.rejects(tunnel.start(), { kind: "forward" });
  assert.equal(attempts.length, 0);
});

Deno.test("reconnect: false is about a connection that there was", async () => {
  const keeping = setUp({ reconnect: false }, { keepTrying: true });
  const { attempts, clock, tunnel } = keeping;
  clock.chance = 1;
  tunnel.start();
  await attempt(attempts, 1);
  attempts[0]!.fail(unreachable());
  await settle();
  assert.equal(clock.next, 1000, "not without a pause");
  await clock.advance(1000);
  attempts[1]!.succeed().lose("gone");
  assert.equal((await tunnel.finished)?.message, "gone");
  assert.equal(attempts.length, 2);
});

Deno.test("stop while it keeps trying leaves no timer", async () => {
  const { attempts, clock, port, states, tunnel } = setUp({}, {
    keepTrying: true,
  });
  const started = tunnel.start();
  await attempt(attempts, 1);
  attempts[0]!.fail(unreachable());
  await started;
  tunnel.stop();
  assert.equal(await tunnel.finished, undefined);
  assert.equal(clock.next, undefined);
  assert(isFree(port));
  assert.deepEqual(states, ["connecting", "reconnecting", "stopped"]);
});

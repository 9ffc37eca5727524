/** A tunnel that is to keep trying, from its start. */
import assert from "node:assert/strict";
import { I2ptunError } from "../../src/errors.ts";
import { isFree } from "../support/ports.ts";
import { settle } from "./fake_clock.ts";
import { attempt, client, setUp, unreachable } from "./setup.ts";

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

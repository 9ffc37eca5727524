/** Every transition of the drawing in docs/architecture.md, and no other. */
import assert from "node:assert/strict";
import { I2ptunError } from "../../src/errors.ts";
import type { Forward } from "../../src/forward/address.ts";
import { isFree } from "../support/ports.ts";
import { settle } from "./fake_clock.ts";
import { attempt, FakeConnection, setUp, unreachable, up } from "./setup.ts";

type SetUp = ReturnType<typeof setUp>;

const REMOTE: Forward = {
  kind: "remote",
  name: "back",
  listen: { kind: "tcp", bind: undefined, port: 7000 },
  target: { kind: "tcp", host: "127.0.0.1", port: 80 },
};

/** A connection whose server answers a request to listen as the test says. */
class Listening extends FakeConnection {
  readonly asked = Promise.withResolvers<void>();

  constructor(readonly answer: () => Promise<never>) {
    super();
  }

  override listen(): Promise<never> {
    this.asked.resolve();
    return this.answer();
  }
}

/** One that is still starting, and what comes of its start. */
function starting(changes?: Parameters<typeof setUp>[0]) {
  const all = setUp(changes);
  const refused = all.tunnel.start().then(
    () => assert.fail("it started"),
    (error: I2ptunError) => error.kind,
  );
  return { ...all, refused };
}

/** One whose first attempt has failed, and that keeps trying. */
async function waiting() {
  const all = setUp({}, { keepTrying: true });
  const started = all.tunnel.start();
  await attempt(all.attempts, 1);
  all.attempts[0]!.fail(unreachable());
  assert.equal(await started, false);
  return all;
}

/** One that has lost its connection and is trying for the next. */
async function reconnecting() {
  const all = await up();
  all.connection.lose();
  await attempt(all.attempts, 2);
  return all;
}

const permanent = (kind: "login-refused" | "host-key" | "not-found") =>
  new I2ptunError(kind, "for good");

const TRANSITIONS: Record<string, Record<string, () => Promise<SetUp>>> = {
  "stopped → stopped": {
    "stop before the start": async () => {
      const all = setUp();
      all.tunnel.stop();
      await assert.rejects(all.tunnel.start(), { kind: "interrupted" });
      return all;
    },
  },
  "stopped → connecting": {
    "start": async () => {
      const all = starting();
      await attempt(all.attempts, 1);
      return all;
    },
  },
  "connecting → up": { "it is let in": () => up() },
  "connecting → failed": {
    "the port is taken": async () => {
      const all = setUp();
      using _other = Deno.listen({ hostname: "127.0.0.1", port: all.port });
      await assert.rejects(all.tunnel.start(), { kind: "forward" });
      return all;
    },
    "no answer": async () => {
      const all = starting();
      await attempt(all.attempts, 1);
      all.attempts[0]!.fail(unreachable());
      assert.equal(await all.refused, "unreachable");
      return all;
    },
    "the server does not listen": async () => {
      const all = starting({ forwards: [REMOTE] });
      await attempt(all.attempts, 1);
      const refusal = new I2ptunError("forward", "it is taken there");
      const server = new Listening(() => Promise.reject(refusal));
      all.attempts[0]!.succeed(server);
      assert.equal(await all.refused, "forward");
      assert.equal(server.ended, true);
      return all;
    },
  },
  "connecting → reconnecting": { "no answer, but it keeps trying": waiting },
  "connecting → stopped": {
    "stop while it opens its ports": async () => {
      const all = starting();
      all.tunnel.stop();
      assert.equal(await all.refused, "interrupted");
      assert.equal(all.attempts.length, 0);
      return all;
    },
    "stop while it connects": async () => {
      const all = starting();
      await attempt(all.attempts, 1);
      all.tunnel.stop();
      assert.equal(all.attempts[0]!.signal.aborted, true);
      const late = all.attempts[0]!.succeed();
      assert.equal(await all.refused, "interrupted");
      assert.equal(late.ended, true);
      return all;
    },
    "stop while the server is asked to listen": async () => {
      const all = starting({ forwards: [REMOTE] });
      await attempt(all.attempts, 1);
      const server: Listening = new Listening(() =>
        server.closed.then((error) => Promise.reject(error))
      );
      all.attempts[0]!.succeed(server);
      await server.asked.promise;
      all.tunnel.stop();
      await all.refused;
      assert.equal(server.ended, true);
      return all;
    },
  },
  "up → reconnecting": { "it is lost": reconnecting },
  "up → failed": {
    "it is lost, with reconnect: false": async () => {
      const all = await up({ reconnect: false });
      all.connection.lose();
      assert.equal((await all.tunnel.finished)?.kind, "unreachable");
      return all;
    },
  },
  "up → stopped": {
    "stop": async () => {
      const all = await up();
      all.tunnel.stop();
      assert.equal(await all.tunnel.finished, undefined);
      assert.equal(all.connection.ended, true);
      return all;
    },
  },
  "reconnecting → up": Object.fromEntries(
    (["unreachable", "forward", "unforeseen"] as const).map((kind) => [
      `it is let in, after ${kind}`,
      async () => {
        const all = await reconnecting();
        all.attempts[1]!.fail(new I2ptunError(kind, "for now"));
        await settle();
        assert.equal(all.tunnel.state.name, "reconnecting");
        assert.equal(all.tunnel.status().lastError, "for now");
        await all.clock.advance(all.clock.next!);
        all.attempts[2]!.succeed();
        await settle();
        return all;
      },
    ]),
  ),
  "reconnecting → failed": Object.fromEntries(
    (["login-refused", "host-key", "not-found"] as const).map((kind) => [
      kind,
      async () => {
        const all = await reconnecting();
        all.attempts[1]!.fail(permanent(kind));
        assert.equal((await all.tunnel.finished)?.kind, kind);
        assert.equal(all.tunnel.status().lastError, "for good");
        return all;
      },
    ]),
  ),
  "reconnecting → stopped": {
    "stop before the next attempt": async () => {
      const all = await reconnecting();
      all.attempts[1]!.fail(unreachable());
      await settle();
      all.tunnel.stop();
      assert.equal(await all.tunnel.finished, undefined);
      assert.equal(all.attempts.length, 2);
      return all;
    },
    "stop during an attempt": async () => {
      const all = await reconnecting();
      all.tunnel.stop();
      assert.equal(all.attempts[1]!.signal.aborted, true);
      all.attempts[1]!.fail(permanent("login-refused"));
      assert.equal(await all.tunnel.finished, undefined);
      return all;
    },
    "stop as it is let in": async () => {
      const all = await reconnecting();
      const late = all.attempts[1]!.succeed();
      all.tunnel.stop();
      assert.equal(await all.tunnel.finished, undefined);
      await settle();
      assert.equal(late.ended, true);
      return all;
    },
  },
  "failed → failed": {
    "stop does not hide why": async () => {
      const all = await reconnecting();
      all.attempts[1]!.fail(permanent("host-key"));
      await all.tunnel.finished;
      all.tunnel.stop();
      return all;
    },
  },
};

for (const [transition, ways] of Object.entries(TRANSITIONS)) {
  const [before, after] = transition.split(" → ");
  for (const [how, go] of Object.entries(ways)) {
    Deno.test(`${transition}: ${how}`, async () => {
      const { tunnel, states, clock, port } = await go();
      await settle();
      assert.equal(tunnel.state.name, after);
      assert.equal(tunnel.status().state, after);
      const seen = ["stopped", ...states];
      const last = before === after ? [after] : [before, after];
      assert.deepEqual(seen.slice(-last.length), last);
      for (const [i, state] of seen.slice(1).entries()) {
        const drawn = `${seen[i]} → ${state}`;
        assert.ok(drawn in TRANSITIONS, `${drawn} is not drawn`);
      }
      if (after === "failed" || after === "stopped") {
        assert.equal(clock.next, undefined, "nothing is waited for");
        assert.ok(isFree(port), "its port is free");
      }
      tunnel.stop();
    });
  }
}

/**
 * A tunnel with a clock, connections and attempts that the test governs.
 *
 * @module
 */

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { I2ptunError } from "../../src/errors.ts";
import type { ListenAddress } from "../../src/forward/address.ts";
import { DEFAULTS, type Profile } from "../../src/profile/profile.ts";
import type { Connection } from "../../src/ssh/connection.ts";
import type { Again } from "../../src/tunnel/race.ts";
import { Tunnel, type TunnelOptions } from "../../src/tunnel/tunnel.ts";
import { freePort } from "../support/ports.ts";
import { FakeClock, settle } from "./fake_clock.ts";

/** A logged-in connection that the test ends. */
export class FakeConnection {
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

  room(): undefined {}

  /** For remote forwards. */
  listen(at: ListenAddress): Promise<ListenAddress> {
    return Promise.resolve(at);
  }

  cancelListen(): void {}

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
export function setUp(
  changes: Partial<Profile> = {},
  options: Pick<TunnelOptions, "keepTrying"> = {},
) {
  const clock = new FakeClock();
  const port = freePort();
  const attempts: {
    at: number;
    signal: AbortSignal;
    again: Again | undefined;
    succeed: (connection?: FakeConnection) => FakeConnection;
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
          succeed: (connection = new FakeConnection()) => {
            resolve(connection as unknown as Connection);
            return connection;
          },
          fail: reject,
        });
      }),
    portOwner: () => Promise.resolve({ name: "somebody (pid 1)" }),
    clock,
    log: () => {},
    onChange: (state) => states.push(state.name),
    ...options,
  });
  return { clock, port, attempts, states, tunnel };
}

/** Starts a tunnel and brings it up. */
export async function up(changes?: Partial<Profile>) {
  const all = setUp(changes);
  const started = all.tunnel.start();
  await attempt(all.attempts, 1);
  const connection = all.attempts[0]!.succeed();
  await started;
  await settle();
  return { ...all, connection };
}

/** Waits until the `n`th attempt has begun. */
export async function attempt(attempts: unknown[], n: number): Promise<void> {
  for (let i = 0; attempts.length < n; i++) {
    assert.ok(i < 1000, `attempt ${n} was not made`);
    await settle();
  }
}

/** A client at a local port. */
export async function client(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  await settle();
  return socket;
}

/** An error that trying again may mend. */
export const unreachable = () => new I2ptunError("unreachable", "no answer");

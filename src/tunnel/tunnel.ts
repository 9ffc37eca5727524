/**
 * Keeps one profile's connection up for as long as the profile runs.
 *
 * The life of a tunnel, top to bottom: {@link Tunnel.start} opens the local
 * ports and the first connection, `#keep` replaces one that is lost or did not
 * come about, {@link Tunnel.stop} ends it. All changes of state go through
 * `#become`.
 *
 * @module
 */

import { I2ptunError } from "../errors.ts";
import { createForward } from "../forward/create.ts";
import type { PortOwner } from "../forward/listener.ts";
import type { RunningForward } from "../forward/running_forward.ts";
import type { Log } from "../log.ts";
import { DEFAULTS, type Profile } from "../profile/profile.ts";
import type { Connection } from "../ssh/connection.ts";
import type { Clock } from "./clock.ts";
import { Pace } from "./pace.ts";
import type { Again } from "./race.ts";
import { describeForward, type TunnelStatus } from "./status.ts";

export type TunnelState =
  | { name: "stopped" }
  | { name: "connecting" }
  | { name: "up"; connection: Connection }
  | { name: "reconnecting"; reason: I2ptunError }
  | { name: "failed"; reason: I2ptunError };

export interface TunnelOptions {
  profile: Profile;
  /** `user@host:port`, for status and messages. */
  server: string;
  /** Opens a logged-in connection; `again`: when one that hangs may be hurried. */
  connect: (signal: AbortSignal, again?: Again) => Promise<Connection>;
  portOwner: PortOwner;
  clock: Clock;
  log: Log;
  /**
   * A first attempt that fails is treated as a reconnect that does: unless that
   * cannot help, it is tried again. Also where `reconnect` is false, which is
   * about a connection that there was.
   */
  keepTrying?: boolean | undefined;
  /** Called after every change of state. */
  onChange?: (state: TunnelState) => void;
}

/** A connection that lasted this long was no mere flicker. */
const STABLE_MS = 10_000;

export class Tunnel {
  readonly #options: TunnelOptions;
  readonly #forwards: RunningForward[];
  readonly #pace: Pace;
  readonly #ended = new AbortController();
  #state: TunnelState = { name: "stopped" };
  #since: Date | undefined;
  #reconnects = 0;
  #lastError: string | null = null;
  /** Clients at the local ports that wait for a connection. */
  readonly #waiting = new Set<(connection: Connection) => void>();
  #finish: (error: I2ptunError | undefined) => void = () => {};
  /** Fulfilled when it has ended: with the reason if it failed. */
  readonly finished: Promise<I2ptunError | undefined>;

  constructor(options: TunnelOptions) {
    this.#options = options;
    const { reconnect, forwards } = options.profile;
    this.#pace = new Pace({
      clock: options.clock,
      maxDelayMs: (reconnect || DEFAULTS.reconnect).maxDelayMs,
      isAwaited: () => this.#waiting.size > 0,
    });
    this.#forwards = forwards.map((forward) =>
      createForward(forward, {
        connection: () => this.#connection(),
        connectTimeoutMs: options.profile.connectTimeoutMs,
        sleep: (ms, signal) => options.clock.sleep(ms, signal),
        portOwner: options.portOwner,
        log: options.log,
      })
    );
    this.finished = new Promise((resolve) => this.#finish = resolve);
  }

  get state(): TunnelState {
    return this.#state;
  }

  /**
   * Opens every local port, connects and logs in, and has the server listen;
   * all or nothing. With `keepTrying` it also returns when the first attempt has
   * failed: it is `reconnecting` then.
   *
   * @returns whether it is up
   * @throws {I2ptunError} why it could not start; then nothing is left open.
   */
  async start(): Promise<boolean> {
    const { signal } = this.#ended;
    signal.throwIfAborted();
    this.#become({ name: "connecting" });
    try {
      for (const forward of this.#forwards) await forward.open();
      signal.throwIfAborted();
      const connection = await this.#connectFirst();
      this.#keep(connection);
      return connection !== undefined;
    } catch (error) {
      const reason = I2ptunError.from(error);
      this.#end({ name: "failed", reason });
      // the one that was being opened while the others were closed
      await Promise.all(this.#forwards.map((forward) => forward.close()));
      await this.finished;
      throw reason;
    }
  }

  /** Ends it, whatever it is doing. */
  stop(): void {
    if (this.#state.name !== "failed") this.#end({ name: "stopped" });
  }

  status(): TunnelStatus {
    const { profile, server } = this.#options;
    return {
      name: profile.name,
      state: this.#state.name,
      pid: Deno.pid,
      server,
      since: this.#since?.toISOString() ?? null,
      reconnects: this.#reconnects,
      lastError: this.#lastError,
      forwards: this.#forwards.map((each) => ({
        ...describeForward(each.forward),
        listen: each.addresses,
        ...structuredClone(each.traffic),
        problem: each.problem,
      })),
    };
  }

  /** How much has happened: grows with each connection, and each byte. */
  get activity(): number {
    return this.#forwards.reduce(
      (sum, { traffic: { bytes, connections } }) =>
        sum + connections.total + bytes.sent + bytes.received,
      0,
    );
  }

  /**
   * Connects and opens every forward on the server; if one fails, ends the
   * connection. Undefined if it is to be tried again.
   */
  async #connectFirst(): Promise<Connection | undefined> {
    const { connect, keepTrying, log } = this.#options;
    const { signal } = this.#ended;
    let connection: Connection | undefined;
    // its end makes whoever waits for the server's answer give up
    const end = () => connection?.end();
    signal.addEventListener("abort", end, { once: true });
    this.#pace.begin();
    try {
      connection = await connect(signal);
      signal.throwIfAborted();
      for (const forward of this.#forwards) {
        await forward.attach(connection).catch((refusal: I2ptunError) => {
          if (!keepTrying || refusal.kind !== "forward") throw refusal;
          forward.attachAgain(connection!, true);
        });
      }
      signal.throwIfAborted();
      return connection;
    } catch (error) {
      end();
      const reason = I2ptunError.from(error);
      if (!keepTrying || reason.permanent || signal.aborted) throw reason;
      log("warning", reason.message);
      this.#pace.fail();
      this.#become({ name: "reconnecting", reason });
      return undefined;
    } finally {
      signal.removeEventListener("abort", end);
    }
  }

  /** From the first connection, if it is there yet: when one is lost, the next. */
  async #keep(first: Connection | undefined): Promise<void> {
    const { clock, log, profile } = this.#options;
    let connection = first ?? await this.#reconnect();
    while (connection !== undefined) {
      const since = clock.now();
      this.#become({ name: "up", connection });
      for (const serve of this.#waiting) serve(connection);
      this.#waiting.clear();

      const reason = await connection.closed;
      if (this.#ended.signal.aborted) return;
      log("warning", reason.message);
      if (profile.reconnect === false) {
        return this.#end({ name: "failed", reason });
      }
      if (clock.now() - since >= STABLE_MS) this.#pace.reset();
      this.#become({ name: "reconnecting", reason });

      connection = await this.#reconnect();
      if (connection !== undefined) this.#reconnects++;
    }
  }

  /** Tries until it succeeds; undefined if the tunnel has ended instead. */
  async #reconnect(): Promise<Connection | undefined> {
    const { connect, log } = this.#options;
    for (;;) {
      await this.#pace.next(this.#ended.signal);
      if (this.#ended.signal.aborted) return undefined;
      try {
        const connection = await connect(this.#ended.signal, this.#pace.again);
        if (this.#ended.signal.aborted) {
          connection.end();
          return undefined;
        }
        // what the server refuses now is tried again until it does not
        for (const forward of this.#forwards) forward.attachAgain(connection);
        return connection;
      } catch (error) {
        if (this.#ended.signal.aborted) return undefined;
        const reason = I2ptunError.from(error);
        log("warning", reason.message);
        if (reason.permanent) {
          this.#end({ name: "failed", reason });
          return undefined;
        }
        this.#lastError = reason.message;
      }
    }
  }

  /** The connection, for a client at a local port: now or when it is back. */
  #connection(): Connection | Promise<Connection> {
    const state = this.#state;
    if (state.name === "up") {
      state.connection.check(this.#clients() <= 1);
      return state.connection;
    }
    const { clock, profile } = this.#options;
    return new Promise((resolve, reject) => {
      const served = new AbortController();
      const serve = (connection: Connection) => {
        served.abort();
        resolve(connection);
      };
      this.#waiting.add(serve);
      this.#pace.hurry();
      clock.sleep(
        profile.connectTimeoutMs,
        AbortSignal.any([served.signal, this.#ended.signal]),
      ).then(() => {
        this.#waiting.delete(serve);
        reject(
          new I2ptunError(
            "unreachable",
            "a client waited in vain for the tunnel to come back",
          ),
        );
      });
    });
  }

  /** How many there are, whoever has asked for the connection included. */
  #clients(): number {
    return this.#forwards.reduce(
      (sum, { traffic }) => sum + traffic.connections.open,
      0,
    );
  }

  #end(state: Extract<TunnelState, { name: "stopped" | "failed" }>): void {
    if (this.#ended.signal.aborted) return;
    const connection = this.#state.name === "up"
      ? this.#state.connection
      : undefined;
    this.#ended.abort(
      new I2ptunError("interrupted", "the tunnel was stopped"),
    );
    this.#become(state);
    const closed = this.#forwards.map((forward) => forward.close());
    connection?.end();
    const reason = state.name === "failed" ? state.reason : undefined;
    Promise.all(closed).then(() => this.#finish(reason));
  }

  #become(state: TunnelState): void {
    const { clock, log, onChange, profile } = this.#options;
    this.#state = state;
    this.#since = clock.date();
    if ("reason" in state) this.#lastError = state.reason.message;
    log(
      state.name === "failed" ? "error" : "info",
      `${profile.name} is ${state.name}`,
    );
    onChange?.(state);
  }
}

/**
 * Keepalive: notices that a server has fallen silent, and when that is likely.
 *
 * One timer, at the interval of the keepalive. So an idle connection wakes up
 * for keepalives only.
 *
 * @module
 */

import type { Duplex } from "node:stream";
import type { Log } from "../log.ts";

/**
 * How long a server may be silent when there is a reason to doubt that the
 * connection still exists, in milliseconds.
 */
const DOUBT_MS = 5000;

/** A clock that is so much ahead tells that the machine has slept. */
const SLEEP_MS = 5000;

/**
 * What was heard so recently is proof that the server is there, and what it is
 * used for has mostly been answered after as long.
 */
const FRESH_MS = 1000;

/** Time, as a parameter: tests bring their own. */
export interface WatchdogTime {
  /** Milliseconds, never going back; may stand still while the machine sleeps. */
  monotonic(): number;
  /** Milliseconds, which go on while the machine sleeps. */
  wall(): number;
  /** Calls back after `ms`. @returns cancels it */
  after(ms: number, callBack: () => void): () => void;
}

const systemTime: WatchdogTime = {
  monotonic: () => performance.now(),
  wall: () => Date.now(),
  after: (ms, callBack) => {
    const timer = setTimeout(callBack, ms);
    return () => clearTimeout(timer);
  },
};

export interface WatchdogOptions {
  /** Lost after interval × count without anything heard. */
  keepalive: { intervalMs: number; count: number };
  /** Sends the server something that it has to answer. */
  ask: () => void;
  /** Whether this machine still has the address that the connection is from. */
  hasAddress: () => boolean;
  /**
   * Called once.
   *
   * @param patienceMs how long the server was given
   * @param askedAt when it was asked what it has not answered, on the monotonic
   *   clock
   */
  onSilence: (patienceMs: number, askedAt: number) => void;
  log: Log;
  time?: WatchdogTime;
}

/** Watches one connection's transport: anything that comes is a sign of life. */
export class Watchdog {
  readonly #transport: Duplex;
  readonly #options: WatchdogOptions;
  readonly #time: WatchdogTime;
  /** With a count of 1 the answer needs time before the limit. */
  readonly #askEveryMs: number;
  readonly #limitMs: number;
  readonly #doubtMs: number;
  #heardAt = 0;
  /** When it was first asked what it has not answered. */
  #askedAt: number | undefined;
  /** The last reason for doubt; over as soon as something is heard. */
  #doubt: { at: number; slept: boolean } | undefined;
  #cancel: (() => void) | undefined;
  /** When the timer should fire, by the wall clock. */
  #dueAt = 0;
  /** The wall clock's lead over the monotonic one when the timer was set. */
  #lead = 0;
  #hasAddress = true;

  constructor(transport: Duplex, options: WatchdogOptions) {
    const { intervalMs, count } = options.keepalive;
    this.#transport = transport;
    this.#options = options;
    this.#time = options.time ?? systemTime;
    this.#askEveryMs = count === 1 ? intervalMs / 2 : intervalMs;
    this.#limitMs = intervalMs * count;
    this.#doubtMs = Math.min(DOUBT_MS, this.#limitMs);
  }

  readonly #heard = () => {
    this.#heardAt = this.#time.monotonic();
    this.#askedAt = undefined;
    this.#doubt = undefined;
  };

  start(): void {
    this.#heard();
    this.#hasAddress = this.#options.hasAddress();
    this.#transport.on("data", this.#heard);
    this.#arm(this.#askEveryMs);
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#transport.removeListener("data", this.#heard);
  }

  /**
   * Gives the server less time, and asks it, if there is reason to doubt that it
   * is there. To be called when somebody is about to use the connection.
   *
   * @param idle nothing else goes through it that its end would cut
   */
  check(idle: boolean): void {
    const now = this.#time.monotonic();
    if (!this.#cancel) return;
    // on a clock that stands still while the machine sleeps
    const isFresh = now - this.#heardAt < FRESH_MS;
    if (isFresh && this.#sleptMs(now) < SLEEP_MS) return this.#lookSoon();
    if (this.#findReason()) return this.#ask(now);
    if (!idle || this.#doubt) return;
    this.#doubt = { at: now, slept: false };
    // what it is about to be used for is a question, whose answer that to another
    // one would hold up for a round trip (Nagle's algorithm, `session.ts`)
    this.#askedAt ??= now;
    this.#lookSoon();
  }

  /**
   * Gives the server up now, unless it was heard since `askedAt`.
   *
   * @returns whether it is given up
   */
  endUnlessHeardSince(askedAt: number, patienceMs: number): boolean {
    if (!this.#cancel || this.#heardAt >= askedAt) return false;
    this.stop();
    this.#options.onSilence(patienceMs, askedAt);
    return true;
  }

  /** When the server counts as lost, on the monotonic clock. */
  get #deadline(): number {
    const usual = this.#heardAt + this.#limitMs;
    if (!this.#doubt) return usual;
    const { at, slept } = this.#doubt;
    // asleep, nothing could be heard
    return slept ? at + this.#doubtMs : Math.min(usual, at + this.#doubtMs);
  }

  #tick(): void {
    const now = this.#time.monotonic();
    this.#findReason();
    if (this.#deadline <= now) {
      this.stop();
      return this.#options.onSilence(
        this.#doubt ? this.#doubtMs : this.#limitMs,
        this.#askedAt ?? this.#heardAt,
      );
    }
    const silent = now - this.#heardAt;
    // what is heard now is the answer to the last question
    if (!this.#doubt && silent < this.#askEveryMs / 2) {
      this.#arm(this.#askEveryMs - silent);
    } else this.#ask(now);
  }

  /** Whether there is a new reason for doubt, which is then remembered. */
  #findReason(): boolean {
    const now = this.#time.monotonic();
    const slept = this.#sleptMs(now);
    if (slept >= SLEEP_MS) {
      this.#options.log(
        "info",
        `this machine was asleep for ${Math.round(slept / 1000)} s`,
      );
      this.#doubt = { at: now, slept: true };
      return true;
    }
    const had = this.#hasAddress;
    this.#hasAddress = this.#options.hasAddress();
    if (this.#hasAddress || !had) return false;
    this.#options.log("info", "this machine's address has changed");
    this.#doubt ??= { at: now, slept: false };
    return true;
  }

  /** By how much the clock has jumped, or the timer is late. */
  #sleptMs(now: number): number {
    const wall = this.#time.wall();
    return Math.max(wall - now - this.#lead, wall - this.#dueAt);
  }

  /** What somebody begins now may wait for a server that has just gone. */
  #lookSoon(): void {
    if (this.#dueAt - this.#time.wall() > FRESH_MS) this.#arm(FRESH_MS);
  }

  #ask(now: number): void {
    this.#askedAt ??= now;
    this.#options.ask();
    this.#arm(Math.min(this.#askEveryMs, this.#deadline - now));
  }

  #arm(ms: number): void {
    this.#cancel?.();
    const wall = this.#time.wall();
    this.#dueAt = wall + Math.max(ms, 0);
    this.#lead = wall - this.#time.monotonic();
    this.#cancel = this.#time.after(ms, () => this.#tick());
  }
}

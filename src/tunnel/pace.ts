/**
 * When the next attempt to connect is made.
 *
 * @module
 */

import { Backoff } from "./backoff.ts";
import type { Clock } from "./clock.ts";
import type { Again } from "./race.ts";

/** How soon after an attempt a waiting client may cause the next one. */
const IMPATIENT_MS = 1000;

export interface PaceOptions {
  clock: Clock;
  maxDelayMs: number;
  /** Whether a client waits for a connection. */
  isAwaited: () => boolean;
}

export class Pace {
  readonly #options: PaceOptions;
  readonly #backoff: Backoff;
  #impatience = new AbortController();
  /** When the last attempt began. */
  #triedAt = -Infinity;

  constructor(options: PaceOptions) {
    this.#options = options;
    this.#backoff = new Backoff(
      options.maxDelayMs,
      () => options.clock.random(),
    );
  }

  /** An attempt begins that nothing has delayed. */
  begin(): void {
    this.#triedAt = this.#options.clock.now();
  }

  /** That attempt has failed, so the next one is not made at once. */
  fail(): void {
    this.#backoff.next();
  }

  /** Waits until the next attempt is due, which then begins. */
  async next(signal: AbortSignal): Promise<void> {
    await this.#pause(this.#backoff.next(), signal);
  }

  /** Waits until a client wants a fresh attempt beside one that hangs. */
  readonly again: Again = (signal) => this.#pause(Infinity, signal);

  /** A client has come to wait. */
  hurry(): void {
    this.#impatience.abort();
  }

  /** The backoff begins anew, after the connection has been stable. */
  reset(): void {
    this.#backoff.reset();
  }

  /**
   * Waits for the time of the next attempt: `ms` after the last one began, but
   * no longer than a second after it if a client is waiting.
   */
  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    const { clock, isAwaited } = this.#options;
    const until = this.#triedAt + ms;
    while (!signal.aborted) {
      const wakeAt = isAwaited()
        ? Math.min(until, this.#triedAt + IMPATIENT_MS)
        : until;
      const left = wakeAt - clock.now();
      if (left <= 0) break;
      this.#impatience = new AbortController();
      await clock.sleep(
        left,
        AbortSignal.any([signal, this.#impatience.signal]),
      );
    }
    if (!signal.aborted) this.begin();
  }
}

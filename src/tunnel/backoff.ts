/** The first step of the backoff; each further failure doubles it. */
const FIRST_DELAY_MS = 1000;

/**
 * How long to wait before each further attempt: none before the first, then
 * exponential with full jitter, so that many clients of a server that returns
 * do not all come at once.
 */
export class Backoff {
  #failures = 0;

  constructor(readonly maxDelayMs: number, readonly random: () => number) {}

  /** The delay in milliseconds before the next attempt. */
  next(): number {
    const limit = this.#failures === 0
      ? 0
      : Math.min(this.maxDelayMs, FIRST_DELAY_MS * 2 ** (this.#failures - 1));
    this.#failures++;
    return limit * this.random();
  }

  /** Begins anew, after the connection has been stable. */
  reset(): void {
    this.#failures = 0;
  }
}

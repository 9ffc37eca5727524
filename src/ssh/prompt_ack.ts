/**
 * Keeps servers from waiting for acknowledgements of TCP.
 *
 * OpenSSH's server, before version 10, leaves Nagle's algorithm on where there is
 * no session (RFC 896): a short packet waits until all before it are
 * acknowledged. This machine's system puts that off, for 40 ms on Linux, in case
 * there is something to send that acknowledges as well (RFC 1122 §4.2.3.2). So a
 * channel's opening, an answer in two parts, or new keys in the middle of a
 * transfer take 40 ms more whenever nothing happens to be sent meanwhile. Nobody
 * but the system can acknowledge; but something that means nothing can be sent.
 *
 * @module
 */

/** So long, or up to twice as long, something of use may still be sent; in ms. */
const PATIENCE_MS = 2;

/**
 * So long, also in ms, after waiting in vain so often in a row: where there is
 * much to and fro, waking up for nothing is a twentieth of the time it takes.
 */
const LONG_PATIENCE_MS = 16;
const OFTEN_IN_VAIN = 16;

/** Calls back after so many ms. @returns what cancels it */
type After = (ms: number, callBack: () => void) => () => void;

const afterSystemTime: After = (ms, callBack) => {
  const timer = setTimeout(callBack, ms);
  return () => clearTimeout(timer);
};

/** Watches what comes from a server, and goes to it. */
export class PromptAck {
  readonly #isWanted: () => boolean;
  readonly #acknowledge: () => void;
  readonly #after: After;
  /** Whether something has come that nothing was sent after. */
  #isDue = false;
  /** How often that began, and how often when the timer was set. */
  #times = 0;
  #timesThen = 0;
  /** How often in a row nothing was to be acknowledged. */
  #inVain = 0;
  #cancel: (() => void) | undefined;

  /**
   * @param isWanted whether the server may have more to say soon
   * @param acknowledge sends something that means nothing
   * @param after a parameter for tests
   */
  constructor(
    isWanted: () => boolean,
    acknowledge: () => void,
    after = afterSystemTime,
  ) {
    this.#isWanted = isWanted;
    this.#acknowledge = acknowledge;
    this.#after = after;
  }

  /** Something has come, and nothing was done about it yet. */
  received(): void {
    if (this.#isDue || !this.#isWanted()) return;
    this.#isDue = true;
    this.#times++;
    // where there is much to and fro, one timer for all of it
    if (!this.#cancel) this.#wait();
  }

  /** Something is sent, which acknowledges all that has come. */
  sent(): void {
    this.#isDue = false;
  }

  /** The connection is over, or the server does not wait. */
  stop(): void {
    this.#cancel?.();
  }

  #wait(): void {
    this.#timesThen = this.#times;
    const ms = this.#inVain < OFTEN_IN_VAIN ? PATIENCE_MS : LONG_PATIENCE_MS;
    this.#cancel = this.#after(ms, () => {
      this.#cancel = undefined;
      if (this.#isDue && this.#times === this.#timesThen) {
        this.#isDue = false;
        this.#inVain = 0;
        return this.#acknowledge();
      }
      this.#inVain++;
      if (this.#isDue) this.#wait();
    });
  }
}

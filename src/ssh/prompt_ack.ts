/**
 * Keeps servers from waiting for acknowledgements of TCP.
 *
 * OpenSSH's server leaves Nagle's algorithm on where there is no terminal
 * (RFC 896): a short packet waits until all before it are acknowledged. This
 * machine's system puts that off, for 40 ms on Linux, in case there is something
 * to send that acknowledges as well (RFC 1122 §4.2.3.2). So a channel's opening,
 * or an answer in two parts, takes 40 ms more whenever nothing happens to be
 * sent meanwhile. Nobody but the system can acknowledge; but something that
 * means nothing can be sent.
 *
 * @module
 */

/** What is longer fills segments, which TCP acknowledges soon; in bytes. */
const SHORT = 16 * 1024;

/** So long something of use may still be sent, in ms. */
const PATIENCE_MS = 1;

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
  #isDue = false;
  #cancel: (() => void) | undefined;

  /**
   * @param isWanted whether the server may have more to say soon
   * @param acknowledge sends something that means nothing
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

  /** So many bytes have come, and nothing was done about them yet. */
  received(bytes: number): void {
    if (bytes > SHORT || !this.#isWanted()) return;
    this.#isDue = true;
    // one timer for all that comes meanwhile: it is early for the last at worst
    this.#cancel ??= this.#after(PATIENCE_MS, () => {
      this.#cancel = undefined;
      if (!this.#isDue) return;
      this.#isDue = false;
      this.#acknowledge();
    });
  }

  /** Something is sent, which acknowledges all that has come. */
  sent(): void {
    this.#isDue = false;
  }

  /** The connection is over. */
  stop(): void {
    this.#cancel?.();
  }
}

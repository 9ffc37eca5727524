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
const PATIENCE_MS = 2;

/** Time, as a parameter: tests bring their own. */
export interface AckTime {
  /** Milliseconds, never going back. */
  now(): number;
  /** Calls back after so many ms. @returns what cancels it */
  after(ms: number, callBack: () => void): () => void;
}

const systemTime: AckTime = {
  now: () => performance.now(),
  after: (ms, callBack) => {
    const timer = setTimeout(callBack, ms);
    return () => clearTimeout(timer);
  },
};

/** Watches what comes from a server, and goes to it. */
export class PromptAck {
  readonly #isWanted: () => boolean;
  readonly #acknowledge: () => void;
  readonly #time: AckTime;
  /** When something came that nothing was sent after; undefined: nothing. */
  #since: number | undefined;
  #cancel: (() => void) | undefined;

  /**
   * @param isWanted whether the server may have more to say soon
   * @param acknowledge sends something that means nothing
   */
  constructor(
    isWanted: () => boolean,
    acknowledge: () => void,
    time = systemTime,
  ) {
    this.#isWanted = isWanted;
    this.#acknowledge = acknowledge;
    this.#time = time;
  }

  /** So many bytes have come, and nothing was done about them yet. */
  received(bytes: number): void {
    if (bytes > SHORT || !this.#isWanted()) return;
    this.#since ??= this.#time.now();
    // where there is much to and fro, one timer for all of it
    this.#cancel ??= this.#time.after(PATIENCE_MS, () => this.#look());
  }

  /** Something is sent, which acknowledges all that has come. */
  sent(): void {
    this.#since = undefined;
  }

  /** The connection is over. */
  stop(): void {
    this.#cancel?.();
  }

  #look(): void {
    this.#cancel = undefined;
    if (this.#since === undefined) return;
    const left = PATIENCE_MS - (this.#time.now() - this.#since);
    if (left > 0) {
      this.#cancel = this.#time.after(left, () => this.#look());
      return;
    }
    this.#since = undefined;
    this.#acknowledge();
  }
}

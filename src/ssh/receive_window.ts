/**
 * How much a server may send over a channel before it has to wait (RFC 4254
 * §5.2). It begins with what ssh(1) allows, and grows as long as it is what holds
 * up the server while the reader keeps pace, as TCP's receive window does.
 *
 * @module
 */

/** What OpenSSH allows (channels.h, CHAN_TCP_WINDOW_DEFAULT), in bytes. */
export const FIRST_WINDOW = 2 * 1024 * 1024;

/** The most one channel gets, in bytes. */
const LARGEST_WINDOW = 32 * 1024 * 1024;

/** What all channels of the process may have above the first, in bytes. */
const BUDGET = 48 * 1024 * 1024;
let budget = BUDGET;

export class ReceiveWindow {
  readonly #adjust: (bytes: number) => void;
  #size = FIRST_WINDOW;
  /** What the server may still send. */
  #left = FIRST_WINDOW;
  /** What has come and was not consumed. */
  #waiting = 0;
  /** What was consumed and the server may not send again yet. */
  #owed = 0;

  /** @param adjust lets the server send so many bytes more */
  constructor(adjust: (bytes: number) => void) {
    this.#adjust = adjust;
  }

  /** @returns false if it was more than the server may send */
  received(length: number): boolean {
    if (length > this.#left) return false;
    this.#left -= length;
    this.#waiting += length;
    const isHeldUp = this.#left < this.#size / 4;
    const keepsPace = this.#waiting < this.#size / 4;
    if (isHeldUp && keepsPace) this.#grow();
    return true;
  }

  consumed(length: number): void {
    this.#waiting -= length;
    this.#owed += length;
    if (this.#owed >= this.#size / 4) this.#pay();
  }

  /** Lets other channels grow instead. */
  close(): void {
    budget += this.#size - FIRST_WINDOW;
    this.#size = FIRST_WINDOW;
  }

  #pay(): void {
    this.#left += this.#owed;
    this.#adjust(this.#owed);
    this.#owed = 0;
  }

  #grow(): void {
    const more = Math.min(this.#size, LARGEST_WINDOW - this.#size, budget);
    if (more <= 0) return;
    budget -= more;
    this.#size += more;
    this.#owed += more;
    this.#pay();
  }
}

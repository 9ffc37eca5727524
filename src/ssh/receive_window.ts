/**
 * How much a server may send over a channel before it has to wait (RFC 4254
 * §5.2). It begins with what ssh(1) allows, and grows as long as it may be what
 * holds up the server while the reader keeps pace, as TCP's receive window does.
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

/**
 * From so far away, in milliseconds, growing in steps takes too long, a round trip
 * each. Nearer they are worth it: who does not read at all takes a megabyte, too,
 * with the system's buffers.
 */
const FAR_MS = 50;

/** Less is not worth a message, in bytes. */
const LEAST_GROWTH = 64 * 1024;

/** How long the server takes to answer, at its best, as far as it is known. */
export class RoundTrip {
  #ms = 0;

  constructor(readonly now: () => number = () => performance.now()) {}

  /** 0 while it is not known. */
  get ms(): number {
    return this.#ms;
  }

  /**
   * @returns to be called when what is asked now is answered; says how many
   *   milliseconds that took
   */
  start(): () => number {
    const asked = this.now();
    return () => {
      const ms = this.now() - asked;
      if (this.#ms === 0 || ms < this.#ms) this.#ms = ms;
      return ms;
    };
  }
}

export class ReceiveWindow {
  readonly #adjust: (bytes: number) => void;
  readonly #roundTrip: RoundTrip;
  #size = FIRST_WINDOW;
  /** What the server may still send. */
  #left = FIRST_WINDOW;
  /** What has come and was not consumed. */
  #waiting = 0;
  /** What was consumed and the server may not send again yet. */
  #owed = 0;
  /** What was consumed since then, a round trip ago at most. */
  #recent = 0;
  #since = 0;
  #isClosed = false;

  /** @param adjust lets the server send so many bytes more */
  constructor(adjust: (bytes: number) => void, roundTrip: RoundTrip) {
    this.#adjust = adjust;
    this.#roundTrip = roundTrip;
  }

  /** @returns false if it was more than the server may send */
  received(length: number): boolean {
    if (length > this.#left) return false;
    this.#left -= length;
    this.#waiting += length;
    return true;
  }

  consumed(length: number): void {
    if (this.#isClosed) return;
    if (this.#isTight(length)) this.#grow();
    this.#waiting -= length;
    this.#owed += length;
    if (this.#owed >= this.#size / 8) this.#pay();
  }

  /** Nothing more comes: lets other channels grow instead. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    budget += this.#size - FIRST_WINDOW;
  }

  /**
   * Whether the reader takes so much in a round trip that the server may have
   * to wait for leave to send.
   */
  #isTight(consumed: number): boolean {
    const now = this.#roundTrip.now();
    const hasLagged = this.#waiting > this.#size / 4;
    if (hasLagged || now - this.#since > this.#roundTrip.ms) {
      this.#since = now;
      this.#recent = 0;
    }
    if (hasLagged) return false;
    this.#recent += consumed;
    return this.#recent > this.#size / 2;
  }

  #pay(): void {
    this.#left += this.#owed;
    this.#adjust(this.#owed);
    this.#owed = 0;
  }

  #grow(): void {
    // half of what there is, since others may want more, too
    const more = Math.min(
      this.#roundTrip.ms < FAR_MS ? 3 * this.#size : Infinity,
      LARGEST_WINDOW - this.#size,
      Math.floor(budget / 2),
    );
    if (more < LEAST_GROWTH) return;
    budget -= more;
    this.#size += more;
    this.#owed += more;
    this.#recent = 0;
    this.#pay();
  }
}

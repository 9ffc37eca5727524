/**
 * Lets what comes in bulk gather before it is read, as network cards do before
 * they interrupt (ethtool(8), `rx-usecs`).
 *
 * A server on the same machine that sends while this program waits has to wake
 * it, which takes time that a transfer waits for; and to be woken takes this
 * program time, whoever sends. A timer would not help: who waits for one is woken
 * by what comes, too. So the thread sleeps.
 *
 * @module
 */

/** A transfer is going on when so many reads in a row bring so much, in bytes. */
const TRANSFER_READS = 8;
const TRANSFER_BYTES = 16 * 1024;

/** What brings so much is worth a read, in bytes. */
const ENOUGH_BYTES = 256 * 1024;

/** So long the thread sleeps, and some 0.06 more on Linux; in ms. */
const SLEEP_MS = 0.3;

/** Sleeps for so many ms; nothing else happens meanwhile. */
type Sleep = (ms: number) => void;

const never = new Int32Array(new SharedArrayBuffer(4));

/** Other systems sleep for longer than they are told, or it was not measured. */
const sleepHere: Sleep = Deno.build.os === "linux"
  ? (ms) => void Atomics.wait(never, 0, 0, ms)
  : () => {};

/** Watches what a link reads, and sends. */
export class ReadCoalescing {
  readonly #sleep: Sleep;
  #inARow = 0;
  #isDue = false;

  /** @param sleep a parameter for tests */
  constructor(sleep = sleepHere) {
    this.#sleep = sleep;
  }

  /** A read has brought so much. */
  received(length: number): void {
    this.#inARow = length < TRANSFER_BYTES ? 0 : this.#inARow + 1;
    this.#isDue = this.#inARow >= TRANSFER_READS && length < ENOUGH_BYTES;
  }

  /** Something is sent whose answer may be waited for. */
  asked(): void {
    this.#inARow = 0;
    this.#isDue = false;
  }

  /** To be called before the next read. */
  wait(): void {
    if (this.#isDue) this.#sleep(SLEEP_MS);
  }
}

/**
 * One direction of a connection through the relay.
 *
 * @module
 */

/** How bytes travel. */
export interface Timing {
  delayMs: number;
  /** How many bytes are passed on at a time, at most. */
  chunkBytes: number;
}

/** What is under way, and when it arrives. */
interface Item {
  due: number;
  bytes: Uint8Array;
}

const READ_BYTES = 64 * 1024;
/** With a delay, so much may be under way before the sender is held up. */
const DELAYED_BYTES = 16 * 1024 * 1024;

/** Carries what one connection reads to the other, later or not at all. */
export class Direction {
  delayMs: number;
  readonly #from: Deno.Conn;
  readonly #to: Deno.Conn;
  readonly #chunkBytes: number;
  readonly #count: (bytes: number) => void;
  readonly #queue: Item[] = [];
  #underWay = 0;
  #ended = false;
  #stalled = false;
  #stopped = false;
  /** How many bytes it still passes on before it stalls. */
  #left = Infinity;
  readonly #stop = Promise.withResolvers<void>();
  #changed = Promise.withResolvers<void>();

  /** @param count is told how many bytes were passed on */
  constructor(
    from: Deno.Conn,
    to: Deno.Conn,
    timing: Timing,
    count: (bytes: number) => void,
  ) {
    this.#from = from;
    this.#to = to;
    this.#count = count;
    this.delayMs = timing.delayMs;
    this.#chunkBytes = timing.chunkBytes;
  }

  /**
   * Carries until the end was passed on or {@link stop} was called.
   *
   * @throws what reading or writing throws, such as a reset
   */
  async run(): Promise<void> {
    const carried = Promise.all([this.#read(), this.#write()]);
    // A write to somebody who does not read may outlast the connection.
    await Promise.race([carried, this.#stop.promise]);
  }

  /** So many more bytes are passed on, then it stalls. */
  stallAfter(bytes: number): void {
    this.#left = bytes;
  }

  /** Passes nothing on until {@link resume}. */
  stall(): void {
    this.#stalled = true;
    this.#wake();
  }

  /** The opposite of {@link stall}. */
  resume(): void {
    this.#stalled = false;
    this.#left = Infinity;
    this.#wake();
  }

  /** Ends {@link run}; what is under way is lost. */
  stop(): void {
    this.#stopped = true;
    this.#stop.resolve();
    this.#wake();
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(READ_BYTES);
    while (await this.#until(() => !this.#stalled && this.#hasRoom())) {
      const n = await this.#from.read(buffer);
      if (n === null) break;
      for (let at = 0; at < n; at += this.#chunkBytes) {
        this.#queue.push({
          due: performance.now() + this.delayMs,
          bytes: buffer.slice(at, Math.min(n, at + this.#chunkBytes)),
        });
      }
      this.#underWay += n;
      this.#wake();
    }
    this.#queue.push({
      due: performance.now() + this.delayMs,
      bytes: new Uint8Array(0),
    });
    this.#ended = true;
    this.#wake();
  }

  async #write(): Promise<void> {
    const ready = () => !this.#stalled && this.#queue.length > 0;
    while (await this.#until(ready)) {
      const { due, bytes } = this.#queue[0]!;
      const wait = due - performance.now();
      if (wait > 0) {
        await this.#sleep(wait);
        continue;
      }
      this.#queue.shift();
      if (this.#ended && this.#queue.length === 0) {
        await this.#to.closeWrite();
        return;
      }
      const passed = bytes.subarray(0, this.#left);
      for (let at = 0; at < passed.length;) {
        at += await this.#to.write(passed.subarray(at));
      }
      if (passed.length < bytes.length) {
        const rest = bytes.subarray(passed.length);
        this.#queue.unshift({ due, bytes: rest });
      }
      this.#underWay -= passed.length;
      this.#count(passed.length);
      this.#left -= passed.length;
      if (this.#left <= 0) this.stall();
      this.#wake();
      // Pieces that are written at once would travel as one.
      if (this.#chunkBytes !== Infinity) await this.#sleep(0);
    }
  }

  #hasRoom(): boolean {
    return this.#underWay < (this.delayMs > 0 ? DELAYED_BYTES : READ_BYTES);
  }

  /** Waits for a condition. @returns false when it is time to stop */
  async #until(condition: () => boolean): Promise<boolean> {
    while (!this.#stopped && !condition()) await this.#changed.promise;
    return !this.#stopped;
  }

  /** Waits so long, or until something changes. */
  async #sleep(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    await Promise.race([promise, this.#changed.promise]);
    clearTimeout(timer);
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

/**
 * Bytes that wait to be written, in the order in which they came.
 *
 * @module
 */

/** A block is as large as what waits already, between these; in bytes. */
const SMALLEST_BLOCK = 4 * 1024;
const LARGEST_BLOCK = 128 * 1024;

/** Largest blocks that are kept for later instead of being made again. */
const MOST_SPARE = 16;
const spare: Uint8Array<ArrayBuffer>[] = [];

/** Copies what it is given; blocks are reused. */
export class ByteQueue {
  readonly #blocks: Uint8Array<ArrayBuffer>[] = [];
  /** Where the first byte is in the first block, and the end in the last one. */
  #start = 0;
  #end = 0;
  #length = 0;

  /** In bytes. */
  get length(): number {
    return this.#length;
  }

  append(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      const last = this.#blocks.at(-1);
      if (!last || this.#end === last.length) {
        this.#blocks.push(newBlock(this.#length + bytes.length - at));
        this.#end = 0;
        continue;
      }
      const part = bytes.subarray(at, at + last.length - this.#end);
      last.set(part, this.#end);
      this.#end += part.length;
      this.#length += part.length;
      at += part.length;
    }
  }

  /** The first bytes, as many as lie in a row; they stay where they are. */
  peek(): Uint8Array<ArrayBuffer> {
    const [first] = this.#blocks;
    if (!first) return new Uint8Array();
    const end = this.#blocks.length === 1 ? this.#end : first.length;
    return first.subarray(this.#start, end);
  }

  /** Drops the first bytes, at most as many as {@link peek} has shown. */
  consume(length: number): void {
    this.#start += length;
    this.#length -= length;
    const first = this.#blocks[0]!;
    const isOnly = this.#blocks.length === 1;
    if (this.#start < (isOnly ? this.#end : first.length)) return;
    this.#blocks.shift();
    this.#start = 0;
    if (isOnly) this.#end = 0;
    if (first.length === LARGEST_BLOCK && spare.length < MOST_SPARE) {
      spare.push(first);
    }
  }

  /** Drops all; a write that is under way may still read what it was given. */
  clear(): void {
    this.#blocks.length = 0;
    this.#start = this.#end = this.#length = 0;
  }
}

function newBlock(needed: number): Uint8Array<ArrayBuffer> {
  if (needed >= LARGEST_BLOCK) {
    return spare.pop() ?? new Uint8Array(LARGEST_BLOCK);
  }
  return new Uint8Array(Math.max(needed, SMALLEST_BLOCK));
}

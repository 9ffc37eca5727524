/**
 * Bytes that wait to be written, in the order in which they came.
 *
 * @module
 */

/** Powers of two, in bytes. */
const SMALLEST_BLOCK = 4 * 1024;
const LARGEST_BLOCK = 128 * 1024;

/**
 * Blocks for later, by size: new ones are memory that the system has to find
 * and to clear first.
 */
const spare = new Map<number, Uint8Array<ArrayBuffer>[]>();
let spareBytes = 0;
const MOST_SPARE_BYTES = 2 * 1024 * 1024;

/** Copies what it is given; blocks are reused. */
export class ByteQueue {
  readonly #blocks: Uint8Array<ArrayBuffer>[] = [];
  /** Where the first byte is in the first block, and the end in the last one. */
  #start = 0;
  #end = 0;
  #length = 0;
  /**
   * How much has come since it was last empty, and in the time before; no more
   * than a block holds.
   */
  #passed = 0;
  #usual = 0;

  /** In bytes. */
  get length(): number {
    return this.#length;
  }

  append(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      const last = this.#blocks.at(-1);
      if (!last || this.#end === last.length) {
        const waiting = this.#length + bytes.length - at;
        this.#blocks.push(takeBlock(Math.max(waiting, this.#usual)));
        this.#end = 0;
        continue;
      }
      const part = bytes.subarray(at, at + last.length - this.#end);
      last.set(part, this.#end);
      this.#end += part.length;
      this.#length += part.length;
      // not counted on: V8 has code of its own for numbers of 31 bits and more
      this.#passed = Math.min(this.#passed + part.length, LARGEST_BLOCK);
      at += part.length;
    }
  }

  /** The first bytes, as many as lie in a row; they stay where they are. */
  peek(): Uint8Array<ArrayBuffer> {
    const first = this.#blocks[0];
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
    giveBack(first);
    if (!isOnly) return;
    this.#end = 0;
    this.#usual = this.#passed;
    this.#passed = 0;
  }

  /** Drops all; a write that is under way may still read what it was given. */
  clear(): void {
    this.#blocks.length = 0;
    this.#start = this.#end = 0;
    this.#length = this.#passed = 0;
  }
}

/** @param needed how much it should hold, if that is not too much */
function takeBlock(needed: number): Uint8Array<ArrayBuffer> {
  let size = SMALLEST_BLOCK;
  while (size < needed && size < LARGEST_BLOCK) size *= 2;
  const block = spare.get(size)?.pop();
  if (!block) return new Uint8Array(size);
  spareBytes -= size;
  return block;
}

function giveBack(block: Uint8Array<ArrayBuffer>): void {
  if (spareBytes + block.length > MOST_SPARE_BYTES) return;
  spareBytes += block.length;
  const same = spare.get(block.length);
  if (same) same.push(block);
  else spare.set(block.length, [block]);
}

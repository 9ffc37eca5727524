/**
 * Buffers for reading from connections that may be short: used again, since each
 * new one is work for the collector of garbage.
 *
 * @module
 */

/** A read takes as much at first, and ever more while reads come full; bytes. */
export const FIRST_READ = 4 * 1024;

const MOST_SPARE = 64;
const spare: Uint8Array<ArrayBuffer>[] = [];

/** One of {@link FIRST_READ} bytes, with anything in it. */
export function takeReadBuffer(): Uint8Array<ArrayBuffer> {
  return spare.pop() ?? new Uint8Array(FIRST_READ);
}

/** @param buffer one that nobody reads into or looks at any more */
export function giveBackReadBuffer(buffer: Uint8Array<ArrayBuffer>): void {
  if (buffer.length === FIRST_READ && spare.length < MOST_SPARE) {
    spare.push(buffer);
  }
}

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import type { Parsed } from "../../src/forward/parsed.ts";

/** Bytes, cut into pieces at random. */
export function chunked(
  bytes: fc.Arbitrary<Uint8Array>,
): fc.Arbitrary<Uint8Array[]> {
  return fc.tuple(bytes, fc.infiniteStream(fc.integer({ min: 1, max: 40 })))
    .map(([all, sizes]) => {
      const pieces: Uint8Array[] = [];
      for (let at = 0; at < all.length;) {
        const size = sizes.next().value as number;
        pieces.push(all.subarray(at, at + size));
        at += size;
      }
      return pieces;
    });
}

/** Checks that a parser fed piece by piece comes to what it makes of all. */
export function assertDecidesOnce<T>(
  parse: (bytes: Uint8Array) => Parsed<T>,
  pieces: Uint8Array[],
): void {
  const atOnce = parse(Buffer.concat(pieces));
  let soFar = Buffer.alloc(0);
  let decided: Parsed<T> = { state: "incomplete" };
  for (const piece of pieces) {
    soFar = Buffer.concat([soFar, piece]);
    decided = parse(soFar);
    if (decided.state !== "incomplete") break;
  }
  assert.deepEqual(decided, pieces.length === 0 ? decided : atOnce);
}

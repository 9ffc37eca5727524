/**
 * Where the module's data lies in its memory, in bytes.
 *
 * @module
 */

/** The program's own data lies from `data` on. */
export const LAYOUT = {
  /**
   * 16 pairs of vectors, one for each word: the initial state of eight blocks;
   * the first of a pair has those of the first four blocks.
   */
  state: 0,
  /** Key stream of sixteen blocks, see `streamAt`. */
  stream: 512,
  /** The second key's eight words, then the first key's. */
  keys: 1536,
  /** The Poly1305 key of the packet. */
  macKey: 1600,
  /** Five 64-bit limbs each: the accumulator, r to its fourth power, and r^8. */
  limbs: 1632,
  /** Five pairs of vectors: the accumulator of four lanes. */
  lanes: 1888,
  /** r^4 in every lane: five limbs, then five times the upper four. */
  r4: 2048,
  /** r^8, and r^4, r^3, r^2, r^1: the same. */
  r8: 2192,
  powers: 2336,
  /** 16 bytes: the last block padded, then the tag. */
  last: 2480,
  tag: 2496,
  data: 2560,
} as const;

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
  /** Five 64-bit limbs each: the accumulator, r, r^4 and another power. */
  limbs: 1632,
  /** Six pairs of vectors: the accumulator of four lanes. */
  lanes: 1792,
  /** For r^16, r^12, r^8 and r^4: six limbs as doubles, then 20 times the upper five. */
  factors: 1984,
  constants: 2336,
  /** 16 bytes: the last block padded, then the tag. */
  last: 2368,
  tag: 2384,
  data: 2432,
} as const;

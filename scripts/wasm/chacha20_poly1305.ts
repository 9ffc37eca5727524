/**
 * The packets of chacha20-poly1305@openssh.com in WebAssembly with 128-bit
 * vectors, as text. No branch and no address depends on a secret.
 *
 * V8's `--experimental-wasm-revectorize` makes 256-bit vectors of pairs of
 * 128-bit ones where the processor has them. It begins at stores to neighbouring
 * addresses and goes up from there to what they come from, as long as both sides
 * do the same and nothing lies between that could fail, such as an access to an
 * address that is not constant. What takes the time is written so that it can:
 * `--trace-wasm-revectorize` tells.
 *
 * @module
 */

import { chacha20, COUNTER, NONCE, streamAt } from "./chacha20.ts";
import { get, i32, lines, range, skip, vector, vload, vstore } from "./code.ts";
import { LAYOUT } from "./layout.ts";
import { poly1305 } from "./poly1305.ts";
import { constants } from "./poly1305_lanes.ts";

/** `use(key)`: has the first block, the others are of the first key always. */
const use = `(func $use (param $key i32)
  ${
  lines(
    range(8).map((i) =>
      `(i32.store offset=${LAYOUT.state + 32 * (4 + i)} ${
        i32(0)
      } (i32.load offset=${4 * i} ${get("key")}))`
    ),
  )
})`;

/** Of the key stream that `start` computes: 16 bytes each before the data's. */
const BEFORE_DATA = 8;

/**
 * `start(nonce)`: key stream that depends on the number of a packet alone: a
 * block with the second key for its length, then, with the first one, block 0
 * for its Poly1305 key, and the data's first six blocks.
 */
const start = `(func $start (export "start") (param $nonce i32)
  (call $use ${i32(LAYOUT.keys)})
  ${
  lines([0, 16].map((half) =>
    vstore(
      LAYOUT.state,
      NONCE + half,
      `(i32x4.splat ${get("nonce")})`,
    )
  ))
}
  ${vstore(LAYOUT.state, COUNTER, vector(0, 0, 1, 2))}
  ${vstore(LAYOUT.state, COUNTER + 16, vector(3, 4, 5, 6))}
  (call $eight)
  (call $use ${i32(LAYOUT.keys + 32)})
  (i32.store offset=${LAYOUT.state + COUNTER} ${i32(0)} ${i32(7)})
  ${
  lines([0, 1].map((half) =>
    vstore(
      LAYOUT.macKey,
      16 * half,
      vload(LAYOUT.stream, streamAt(4 + half)),
    )
  ))
})`;

/**
 * `cipher(at, length)`: en- or decrypts, from a packet's first block on, and
 * leaves what follows as it is.
 */
const cipher =
  `(func $cipher (export "cipher") (param $at i32) (param $length i32)
  (call $xor ${get("at")} ${get("length")} ${i32(BEFORE_DATA)})
  ${skip(i32(16 * (32 - BEFORE_DATA)))}
  (block $done (loop $more
    (br_if $done (i32.lt_s ${get("length")} ${i32(1024)}))
    (call $sixteen)
    (call $xorFirst ${get("at")})
    (call $xorSecond (i32.add ${get("at")} ${i32(512)}))
    ${skip(i32(1024))}
    (br $more)))
  (block $done (loop $more
    (br_if $done (i32.le_s ${get("length")} ${i32(0)}))
    (call $eight)
    (call $xor ${get("at")} ${get("length")} ${i32(0)})
    ${skip(i32(512))}
    (br $more))))`;

/** @returns the module as WebAssembly text, its memory `pages` of 64 KiB */
export function chacha20Poly1305Wat(pages: number): string {
  const functions = lines(chacha20, poly1305, use, start, cipher);
  return `(module (memory (export "memory") ${pages} ${pages})
${constants}
${functions})`;
}

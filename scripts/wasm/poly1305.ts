/**
 * Poly1305 (RFC 8439 §2.5) of a message: its key, the last blocks and the tag.
 *
 * @module
 */

import {
  type Code,
  get,
  i32,
  i64,
  lines,
  locals,
  set,
  skip,
  splat,
} from "./code.ts";
import { LAYOUT } from "./layout.ts";
import { lanes, STEP } from "./poly1305_lanes.ts";
import {
  H,
  limb,
  LIMBS,
  MASK,
  multiply,
  product,
  R,
  setLimb,
} from "./poly1305_number.ts";
import { factors, gather, powers } from "./poly1305_radix.ts";

/** `block(at, top)`: one block of 16 bytes, with 2^128 too if `top` is 2^24. */
const block = `(func $block (param $at i32) (param $top i64)
  ${
  lines([0, 3, 6, 9].map((byte, i) =>
    setLimb(
      H,
      i,
      `(i64.add ${
        limb(H, i)
      } (i64.and (i64.shr_u (i64.load32_u offset=${byte} align=1 ${
        get("at")
      }) ${i64(2 * i)}) ${i64(MASK)}))`,
    )
  ))
}
  ${
  setLimb(
    H,
    4,
    `(i64.add ${limb(H, 4)} (i64.or ${
      get("top")
    } (i64.shr_u (i64.load32_u offset=12 align=1 ${get("at")}) ${i64(8)})))`,
  )
}
  ${multiply(H, R, H)})`;

/** `finish(key)`: the accumulator fully reduced, plus the key's second half. */
function finishFunction(): Code {
  const h = (i: number) => `h${i}`;
  const g = (i: number) => `g${i}`;
  const carry = (
    x: (i: number) => string,
    from: number,
    to: number,
    times = 1,
  ) => [
    set("c", `(i64.shr_u ${get(x(from))} ${i64(26)})`),
    set(x(from), `(i64.and ${get(x(from))} ${i64(MASK)})`),
    set(x(to), `(i64.add ${get(x(to))} (i64.mul ${get("c")} ${i64(times)}))`),
  ];
  const twice = [0, 0].flatMap(() => [
    ...[0, 1, 2, 3].flatMap((i) => carry(h, i, i + 1)),
    ...carry(h, 4, 0, 5),
  ]);
  // 32-bit words of the number, lowest first
  const words = [
    `(i64.or ${get("h0")} (i64.shl ${get("h1")} ${i64(26)}))`,
    `(i64.or (i64.shr_u ${get("h1")} ${i64(6)}) (i64.shl ${get("h2")} ${
      i64(20)
    }))`,
    `(i64.or (i64.shr_u ${get("h2")} ${i64(12)}) (i64.shl ${get("h3")} ${
      i64(14)
    }))`,
    `(i64.or (i64.shr_u ${get("h3")} ${i64(18)}) (i64.shl ${get("h4")} ${
      i64(8)
    }))`,
  ];
  return `(func $finish (param $key i32)
  ${locals("i64", [...LIMBS.map(h), ...LIMBS.map(g), "c", "keep"])}
  ${lines(LIMBS.map((i) => set(h(i), limb(H, i))))}
  ${lines(twice, carry(h, 0, 1))}
  ;; g = h + 5 - 2^130: not negative if h is at least the modulus
  ${lines(LIMBS.map((i) => set(g(i), get(h(i)))))}
  ${set("g0", `(i64.add ${get("g0")} ${i64(5)})`)}
  ${lines([0, 1, 2, 3].flatMap((i) => carry(g, i, i + 1)))}
  ${set("g4", `(i64.sub ${get("g4")} ${i64(1 << 26)})`)}
  ${set("keep", `(i64.shr_s ${get("g4")} ${i64(63)})`)}
  ${
    lines(LIMBS.map((i) =>
      set(
        h(i),
        `(i64.or (i64.and ${get(h(i))} ${get("keep")}) (i64.and (i64.and ${
          get(g(i))
        } ${i64(MASK)}) (i64.xor ${get("keep")} ${i64(-1)})))`,
      )
    ))
  }
  ${set("c", i64(0))}
  ${
    lines(words.map((word, i) =>
      lines(
        set(
          "c",
          `(i64.add ${get("c")} (i64.add (i64.and ${word} ${
            i64(0xffffffff)
          }) (i64.load32_u offset=${16 + 4 * i} ${get("key")})))`,
        ),
        `(i64.store32 ${i32(LAYOUT.tag + 4 * i)} ${get("c")})`,
        set("c", `(i64.shr_u ${get("c")} ${i64(32)})`),
      )
    ))
  })`;
}

/** Below it, the powers of r cost more than four lanes gain. */
const LANES_FROM = 512;

/** `mac(key, at, length)`: the tag of a message, to `tag`. */
const mac =
  `(func $mac (export "mac") (param $key i32) (param $at i32) (param $length i32)
  (local $bulk i32)
  ${lines(LIMBS.map((i) => setLimb(H, i, i64(0))))}
  ;; r, with the bits cleared that RFC 8439 §2.5 wants cleared
  ${
    lines(
      [0x3ffffff, 0x3ffff03, 0x3ffc0ff, 0x3f03fff, 0x00fffff].map((clamp, i) =>
        setLimb(
          R,
          i,
          `(i64.and (i64.shr_u (i64.load32_u offset=${
            [0, 3, 6, 9, 12][i]
          } align=1 ${get("key")}) ${i64([0, 2, 4, 6, 8][i]!)}) ${i64(clamp)})`,
        )
      ),
    )
  }
  (if (i32.ge_u ${get("length")} ${i32(LANES_FROM)}) (then
    (call $powers)
    ${set("bulk", `(i32.and ${get("length")} ${i32(-STEP)})`)}
    (call $lanes ${get("at")} ${get("bulk")})
    ${skip(get("bulk"))}
    (call $gather)))
  (block $done (loop $more
    (br_if $done (i32.lt_u ${get("length")} ${i32(16)}))
    (call $block ${get("at")} ${i64(1 << 24)})
    ${set("at", `(i32.add ${get("at")} ${i32(16)})`)}
    ${set("length", `(i32.sub ${get("length")} ${i32(16)})`)}
    (br $more)))
  (if ${get("length")} (then
    (v128.store ${i32(LAYOUT.last)} ${splat(0)})
    (memory.copy ${i32(LAYOUT.last)} ${get("at")} ${get("length")})
    (i32.store8 (i32.add ${i32(LAYOUT.last)} ${get("length")}) ${i32(1)})
    (call $block ${i32(LAYOUT.last)} ${i64(0)})))
  (call $finish ${get("key")}))`;

/** The functions, `mac` and what it calls. */
export const poly1305: Code[] = [
  product,
  block,
  lanes,
  factors,
  powers,
  gather,
  finishFunction(),
  mac,
];

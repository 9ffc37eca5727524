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
  range,
  set,
  skip,
  splat,
  sum,
  vload,
  vstore,
} from "./code.ts";
import { LAYOUT } from "./layout.ts";
import { CARRIES, lanes, lanesTwice, LIMBS, MASK } from "./poly1305_lanes.ts";

const limb = (set: number, i: number): Code =>
  `(i64.load ${i32(LAYOUT.limbs + 40 * set + 8 * i)})`;
const setLimb = (set: number, i: number, value: Code): Code =>
  `(i64.store ${i32(LAYOUT.limbs + 40 * set + 8 * i)} ${value})`;
/** Limbs: set 0 is the accumulator, sets 1 to 4 are powers of r, set 5 is r^8. */
const H = 0;
const R8 = 5;

const d = (i: number): string => `d${i}`;

function carryScalars(): Code {
  return lines(CARRIES.map(([from, to]) => {
    const carried = get("c");
    return lines(
      set("c", `(i64.shr_u ${get(d(from))} ${i64(26)})`),
      set(d(from), `(i64.and ${get(d(from))} ${i64(MASK)})`),
      set(
        d(to),
        `(i64.add ${get(d(to))} ${
          to === 0 ? `(i64.mul ${carried} ${i64(5)})` : carried
        })`,
      ),
    );
  }));
}

/** `product(a, b, to)`: limbs at `to` = a · b mod 2^130 - 5, not quite reduced. */
const product = `(func $product (param $a i32) (param $b i32) (param $to i32)
  ${
  locals("i64", [
    ...LIMBS.flatMap((i) => [`a${i}`, `b${i}`, `f${i}`, d(i)]),
    "c",
  ])
}
  ${
  lines(
    LIMBS.map((i) => set(`a${i}`, `(i64.load offset=${8 * i} ${get("a")})`)),
  )
}
  ${
  lines(
    LIMBS.map((i) => set(`b${i}`, `(i64.load offset=${8 * i} ${get("b")})`)),
  )
}
  ${
  lines(
    LIMBS.slice(1).map((i) =>
      set(`f${i}`, `(i64.mul ${get(`b${i}`)} ${i64(5)})`)
    ),
  )
}
  ${
  lines(LIMBS.map((k) =>
    set(
      d(k),
      sum(
        LIMBS.map((i) =>
          `(i64.mul ${get(`a${i}`)} ${
            get(i <= k ? `b${k - i}` : `f${5 + k - i}`)
          })`
        ),
        "i64.add",
      ),
    )
  ))
}
  ${carryScalars()}
  ${
  lines(
    LIMBS.map((i) => `(i64.store offset=${8 * i} ${get("to")} ${get(d(i))})`),
  )
})`;

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
  (call $product ${i32(LAYOUT.limbs)} ${i32(LAYOUT.limbs + 40)} ${
  i32(LAYOUT.limbs)
}))`;

/** `powers()`: r^2, r^3, r^4 and r^8, and their vectors. */
function powersFunction(): Code {
  const at = (power: number) => i32(LAYOUT.limbs + 40 * power);
  const lane = (power: number, i: number) => `(i32.wrap_i64 ${limb(power, i)})`;
  const four = (i: number, powers: number[]) =>
    powers.slice(1).reduce(
      (v, power, k) => `(i32x4.replace_lane ${k + 1} ${v} ${lane(power, i)})`,
      `(i32x4.splat ${lane(powers[0]!, i)})`,
    );
  const vectors = (to: number, powers: number[]) =>
    LIMBS.flatMap((i) => [
      vstore(to, 16 * i, four(i, powers)),
      ...(i === 0 ? [] : [
        vstore(
          to,
          64 + 16 * i,
          `(i32x4.mul ${vload(to, 16 * i)} ${splat(5)})`,
        ),
      ]),
    ]);
  return `(func $powers
  ${
    lines(
      [2, 3, 4].map((n) => `(call $product ${at(n - 1)} ${at(1)} ${at(n)})`),
      `(call $product ${at(4)} ${at(4)} ${at(R8)})`,
    )
  }
  ${
    lines(
      vectors(LAYOUT.r4, [4, 4, 4, 4]),
      vectors(LAYOUT.r8, [R8, R8, R8, R8]),
      vectors(LAYOUT.powers, [4, 3, 2, 1]),
    )
  })`;
}

/** `gather()`: the accumulator becomes the sum of the lanes. */
const gather = `(func $gather
  ${locals("i64", [...LIMBS.map(d), "c"])}
  ${
  lines(LIMBS.map((i) =>
    set(
      d(i),
      sum(
        range(4).map((lane) =>
          `(i64.load ${i32(LAYOUT.lanes + 32 * i + 8 * lane)})`
        ),
        "i64.add",
      ),
    )
  ))
}
  ${carryScalars()}
  ${lines(LIMBS.map((i) => setLimb(H, i, get(d(i)))))})`;

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
const LANES_FROM = 256;

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
          1,
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
    (memory.fill ${i32(LAYOUT.lanes)} ${i32(0)} ${i32(32 * LIMBS.length)})
    ;; all but the last 64 bytes, which bring the lanes together
    ${
    set("bulk", `(i32.sub (i32.and ${get("length")} ${i32(-64)}) ${i32(64)})`)
  }
    (call $lanesTwice ${get("at")} ${get("bulk")})
    ${skip(`(i32.and ${get("bulk")} ${i32(-128)})`)}
    (call $lanes ${i32(LAYOUT.r4)} ${get("at")} (i32.and ${get("bulk")} ${
    i32(64)
  }))
    ${skip(`(i32.and ${get("bulk")} ${i32(64)})`)}
    (call $lanes ${i32(LAYOUT.powers)} ${get("at")} ${i32(64)})
    ${skip(i32(64))}
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
  lanesTwice,
  powersFunction(),
  gather,
  finishFunction(),
  mac,
];

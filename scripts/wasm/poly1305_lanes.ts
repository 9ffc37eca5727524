/**
 * Poly1305 (RFC 8439 §2.5) with four blocks at once, each lane a polynomial in
 * r^4, in radix 2^26: limbs of a 130-bit number.
 *
 * @module
 */

import {
  type Code,
  get,
  i32,
  lines,
  locals,
  pick,
  range,
  set,
  SPARE,
  splat,
  sum,
  transpose,
  vadd,
  vand,
  vload,
  vor,
  vshl,
  vshr,
  vstore,
} from "./code.ts";
import { LAYOUT } from "./layout.ts";

export const LIMBS = range(5);
export const MASK = 0x3ffffff;

/** Carries from limb to limb, so that each is below 2^26 or a little over. */
export const CARRIES = [[0, 1], [3, 4], [1, 2], [4, 0], [2, 3], [0, 1], [
  3,
  4,
]] as const;

const HALVES = ["low", "high"];
const M = range(4).map((i) => `m${i}`);
/** The accumulator: each limb of four lanes in two vectors. */
const ACCUMULATOR = LIMBS.flatMap((i) =>
  HALVES.map((half, k) => ({ name: `${half}${i}`, offset: 32 * i + 16 * k }))
);

/** A block for each lane; and what to multiply with, as {@link LAYOUT}.r4 is. */
interface Factor {
  /** Names of locals begin with these: of blocks, limbs, and five times these. */
  h: string;
  r: string;
  f: string;
  at: Code | number;
}

/**
 * A function that takes blocks at a time for each of these: the accumulator is
 * added to the first, and becomes the sum of all products.
 */
function lanesFunction(head: Code, factors: Factor[]): Code {
  const bytes = 64 * factors.length;
  const limbOf = (low: string, right: number, high: string, left: number) =>
    vand(vor(vshr(get(low), right), vshl(get(high), left)), get("mask"));
  const message = [
    vand(get("m0"), get("mask")),
    limbOf("m0", 26, "m1", 6),
    limbOf("m1", 20, "m2", 12),
    limbOf("m2", 14, "m3", 18),
    vor(vshr(get("m3"), 8), splat(1 << 24)),
  ];
  const load = factors.flatMap(({ h }, k) => [
    ...M.map((m, i) => set(m, vload(get("at"), 64 * k + 16 * i))),
    transpose(M, M, SPARE),
    ...LIMBS.map((i) => {
      const sum = pick(get(`low${i}`), get(`high${i}`), 0, 2, 4, 6);
      return set(h + i, k === 0 ? vadd(sum, message[i]!) : message[i]!);
    }),
  ]);
  const multiply = LIMBS.flatMap((k) =>
    HALVES.map((half) =>
      set(
        half + k,
        sum(
          factors.flatMap(({ h, r, f }) =>
            LIMBS.map((i) =>
              `(i64x2.extmul_${half}_i32x4_u ${get(h + i)} ${
                get(i <= k ? `${r}${k - i}` : `${f}${5 + k - i}`)
              })`
            )
          ),
          "i64x2.add",
        ),
      )
    )
  );
  const carry = CARRIES.flatMap(([from, to]) =>
    HALVES.flatMap((half) => {
      const c = to === 0
        ? `(i64x2.add ${get("c")} (i64x2.shl ${get("c")} ${i32(2)}))`
        : get("c");
      return [
        set("c", `(i64x2.shr_u ${get(half + from)} ${i32(26)})`),
        set(half + from, vand(get(half + from), get("mask64"))),
        set(half + to, `(i64x2.add ${get(half + to)} ${c})`),
      ];
    })
  );
  return `(func ${head}
  ${
    locals("v128", [
      ...factors.flatMap(({ h, r, f }) =>
        LIMBS.flatMap((i) => [h + i, r + i, f + i])
      ),
      ...ACCUMULATOR.map(({ name }) => name),
      ...M,
      ...SPARE,
      "c",
      "mask",
      "mask64",
    ])
  }
  ${set("mask", splat(MASK))} ${
    set("mask64", `(v128.const i64x2 ${MASK} ${MASK})`)
  }
  ${
    lines(
      ACCUMULATOR.map(({ name, offset }) =>
        set(name, vload(LAYOUT.lanes, offset))
      ),
      factors.flatMap(({ r, f, at }) => [
        ...LIMBS.map((i) => set(r + i, vload(at, 16 * i))),
        ...LIMBS.slice(1).map((i) => set(f + i, vload(at, 64 + 16 * i))),
      ]),
    )
  }
  (block $done (loop $more
    (br_if $done (i32.lt_s ${get("length")} ${i32(bytes)}))
    ${lines(load, multiply, carry)}
    ${set("at", `(i32.add ${get("at")} ${i32(bytes)})`)}
    ${set("length", `(i32.sub ${get("length")} ${i32(bytes)})`)}
    (br $more)))
  ;; of each pair the upper one first
  ${
    lines(
      ACCUMULATOR.toReversed().map(({ name, offset }) =>
        vstore(LAYOUT.lanes, offset, get(name))
      ),
    )
  })`;
}

/** `lanes(r, at, length)`: 64 bytes at a time, multiplied by the lanes at `r`. */
export const lanes = lanesFunction(
  "$lanes (param $r i32) (param $at i32) (param $length i32)",
  [{ h: "h", r: "r", f: "f", at: get("r") }],
);

/** `lanesTwice(at, length)`: 128 bytes at a time, as twice 64 by r^4. */
export const lanesTwice = lanesFunction(
  "$lanesTwice (param $at i32) (param $length i32)",
  [
    { h: "h", r: "r", f: "f", at: LAYOUT.r8 },
    { h: "g", r: "p", f: "q", at: LAYOUT.r4 },
  ],
);

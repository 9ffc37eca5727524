/**
 * Poly1305 (RFC 8439 §2.5) with sixteen blocks at once: four lanes, each a
 * polynomial in r^16, of which a step adds four blocks.
 *
 * In double precision, as Bernstein's first implementations: six limbs in radix
 * 2^22, from -2^21 to 2^21 (a message's: below 2^22), so that all sums of products
 * are whole numbers below 2^52, and nothing is ever rounded. Processors multiply and add them in one
 * instruction, where products of integers first have to be spread out.
 *
 * @module
 */

import {
  type Code,
  get,
  i32,
  lines,
  locals,
  range,
  set,
  SPARE,
  splat,
  transpose,
  vand,
  vload,
  vor,
  vshl,
  vshr,
  vstore,
} from "./code.ts";
import { LAYOUT } from "./layout.ts";

/** The limbs of a lane's number. */
export const FLOATS = range(6);
export const FLOAT_BITS = 22;
/** A step takes so many blocks for each lane. */
export const SETS = 4;
export const STEP = 64 * SETS;
/** The powers are r^16 for the accumulator, and r^12, r^8, r^4 for blocks. */
const FIRST = 1;
/** What a power of r takes in {@link LAYOUT}.factors: six doubles and five. */
export const FACTORS_BYTES = 8 * 11;

/** The lower and the upper two of four lanes: together what V8 makes one of. */
const HALVES = ["low", "high"];
const M = range(4).map((i) => `m${i}`);
/** The accumulator: each limb of four lanes in two vectors. */
const ACCUMULATOR = FLOATS.flatMap((i) =>
  HALVES.map((half, k) => ({ name: `${half}${i}`, offset: 32 * i + 16 * k }))
);

/**
 * Constants, in memory: V8 makes up 256-bit ones in seven instructions at each
 * use.
 */
const CONSTANTS = {
  /** 2^52: whole numbers below it are the lower bits of their sum with it. */
  whole: 2 ** 52,
  /** Added and taken off again, it rounds to multiples of 2^22. */
  round: 1.5 * 2 ** (52 + FLOAT_BITS),
  carry: 1 / 2 ** FLOAT_BITS,
  /** Over 2^130 = 5: 2^132 = 20. */
  carryOver: 20 / 2 ** FLOAT_BITS,
};
const NAMES = Object.keys(CONSTANTS) as (keyof typeof CONSTANTS)[];
const constant = (name: keyof typeof CONSTANTS): Code =>
  `(v128.load64_splat offset=${LAYOUT.constants + 8 * NAMES.indexOf(name)} ${
    i32(0)
  })`;

const bytes = new Uint8Array(
  Float64Array.from(NAMES, (name) => CONSTANTS[name]).buffer,
);
/** The constants' place in memory. */
export const constants = `(data ${i32(LAYOUT.constants)} "${
  Array.from(bytes, (byte) => `\\${byte.toString(16).padStart(2, "0")}`)
    .join("")
}")`;

const fadd = (a: Code, b: Code): Code => `(f64x2.add ${a} ${b})`;
const fsub = (a: Code, b: Code): Code => `(f64x2.sub ${a} ${b})`;
/** a · b + c; whether it is rounded between does not matter here. */
const fma = (a: Code, b: Code, c: Code): Code =>
  `(f64x2.relaxed_madd ${a} ${b} ${c})`;

/**
 * What to multiply with so that the i-th limb adds to the k-th of the product:
 * the power's, or, where it goes over 2^130 = 5, twenty times that (2^132 = 20).
 */
const factor = (power: number, i: number, k: number): Code =>
  `(v128.load64_splat offset=${
    LAYOUT.factors + FACTORS_BYTES * power + 8 * (i <= k ? k - i : 11 + k - i)
  } ${i32(0)})`;

/** Carries until each limb is of 22 bits and its sign. */
const CARRIES = [[0, 1], [3, 4], [1, 2], [4, 5], [2, 3], [5, 0], [3, 4], [
  0,
  1,
]] as const;

const carry = CARRIES.flatMap(([from, to]) => [
  ...HALVES.map((half) =>
    set(
      `c${half}`,
      fsub(fadd(get(half + from), constant("round")), constant("round")),
    )
  ),
  ...HALVES.map((half) =>
    set(half + from, fsub(get(half + from), get(`c${half}`)))
  ),
  ...HALVES.map((half) =>
    set(
      half + to,
      fma(
        get(`c${half}`),
        constant(to === 0 ? "carryOver" : "carry"),
        get(half + to),
      ),
    )
  ),
]);

/** The limbs of four blocks as integers, from their words in {@link M}. */
function limbsOfMessage(): Code[] {
  const mask = get("mask");
  const over = (low: string, right: number, high: string, left: number) =>
    vand(vor(vshr(get(low), right), vshl(get(high), left)), mask);
  return [
    vand(get("m0"), mask),
    over("m0", 22, "m1", 10),
    over("m1", 12, "m2", 20),
    vand(vshr(get("m2"), 2), mask),
    over("m2", 24, "m3", 8),
    vor(vshr(get("m3"), 14), get("top")),
  ];
}

/** A limb as doubles: in the lower bits of 2^52, which is taken off again. */
const message = (half: string, i: number): Code =>
  fsub(
    vor(`(i64x2.extend_${half}_i32x4_u ${get(`n${i}`)})`, constant("whole")),
    constant("whole"),
  );

const load = (offset: number): Code[] => [
  ...M.map((m, i) => set(m, vload(get("at"), offset + 16 * i))),
  transpose(M, M, SPARE),
  ...limbsOfMessage().map((limb, i) => set(`n${i}`, limb)),
];

/** The products of four blocks' limbs and a power, added to the sums so far. */
const multiply = (
  power: number,
  limb: (half: string, i: number) => Code,
): Code[] =>
  FLOATS.flatMap((i) => [
    ...HALVES.map((half) => set(`x${half}`, limb(half, i))),
    ...FLOATS.flatMap((k) =>
      HALVES.map((half) => {
        const [x, sum] = [get(`x${half}`), `s${half}${k}`];
        const by = factor(power, i, k);
        return set(
          sum,
          power === FIRST && i === 0
            ? `(f64x2.mul ${x} ${by})`
            : fma(x, by, get(sum)),
        );
      })
    ),
  ]);

/**
 * `lanes(at, length)`: of the lanes' polynomials, what {@link STEP} bytes at a
 * time add: the accumulator times r^16, and three blocks times r^12, r^8 and r^4,
 * and one as it is.
 */
export const lanes = `(func $lanes (param $at i32) (param $length i32)
  ${
  locals("v128", [
    ...ACCUMULATOR.map(({ name }) => name),
    ...ACCUMULATOR.map(({ name }) => `s${name}`),
    ...FLOATS.map((i) => `n${i}`),
    ...M,
    ...SPARE,
    ...HALVES.flatMap((half) => [`c${half}`, `x${half}`]),
    "mask",
    "top",
  ])
}
  ${set("mask", splat(2 ** FLOAT_BITS - 1))} ${set("top", splat(1 << 18))}
  (block $done (loop $more
    (br_if $done (i32.lt_s ${get("length")} ${i32(STEP)}))
    ${
  lines(
    range(SETS - 1).flatMap((k) => [
      ...load(64 * k),
      ...multiply(FIRST + k, message),
    ]),
    // last, since it has waited for the carries
    multiply(0, (half, i) => get(half + i)),
    load(64 * (SETS - 1)),
    FLOATS.flatMap((i) =>
      HALVES.map((half) =>
        set(half + i, fadd(get(`s${half}${i}`), message(half, i)))
      )
    ),
    carry,
  )
}
    ${set("at", `(i32.add ${get("at")} ${i32(STEP)})`)}
    ${set("length", `(i32.sub ${get("length")} ${i32(STEP)})`)}
    (br $more)))
  ;; of each pair the upper one first
  ${
  lines(
    ACCUMULATOR.toReversed().map(({ name, offset }) =>
      vstore(LAYOUT.lanes, offset, get(name))
    ),
  )
})`;

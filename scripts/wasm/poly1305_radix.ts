/**
 * From numbers in radix 2^26 to those of the lanes, in radix 2^22, and back.
 *
 * @module
 */

import { type Code, get, i32, i64, lines, locals, range, set } from "./code.ts";
import { LAYOUT } from "./layout.ts";
import { FACTORS_BYTES, FLOAT_BITS, FLOATS, SETS } from "./poly1305_lanes.ts";
import {
  H,
  limb,
  LIMB_BITS,
  LIMBS,
  MASK,
  multiply,
  POWER,
  R,
  R4,
  setLimb,
} from "./poly1305_number.ts";

const HALF = 2 ** (FLOAT_BITS - 1);
const FLOAT_MASK = 2 ** FLOAT_BITS - 1;
const n = (i: number): string => `n${i}`;
const add = (name: string, value: Code): Code =>
  set(name, `(i64.add ${get(name)} ${value})`);
const shl = (value: Code, bits: number): Code =>
  `(i64.shl ${value} ${i64(bits)})`;

/** Before the i-th limb of 22 bits is taken off, which limbs of 26 bits come. */
const ENTER = [[0, 1], [2], [3], [], [4], []];

/**
 * `factors(to)`: the power's limbs as doubles, from -2^21 to 2^21, and all but
 * the lowest times 2^132 = 20.
 */
export const factors = `(func $factors (param $to i32)
  (local $rest i64) (local $n i64)
  ${
  lines(FLOATS.map((i) =>
    lines(
      ENTER[i]!.map((k) =>
        add("rest", shl(limb(POWER, k), LIMB_BITS * k - FLOAT_BITS * i))
      ),
      set("n", get("rest")),
      // the last one is small enough as it is
      i === 5 ? [] : [
        add("rest", i64(HALF)),
        set(
          "n",
          `(i64.sub (i64.and ${get("rest")} ${i64(FLOAT_MASK)}) ${i64(HALF)})`,
        ),
        set("rest", `(i64.shr_u ${get("rest")} ${i64(FLOAT_BITS)})`),
      ],
      `(f64.store offset=${8 * i} ${get("to")}
        (f64.convert_i64_s ${get("n")}))`,
      i === 0 ? [] : `(f64.store offset=${8 * (5 + i)} ${get("to")}
        (f64.convert_i64_s (i64.mul ${get("n")} ${i64(20)})))`,
    )
  ))
})`;

/** `powers()`: r^4, and the factors for r^16, r^12, r^8 and r^4. */
export const powers = `(func $powers
  ${
  lines(
    multiply(R, R, R4),
    multiply(R4, R4, R4),
    LIMBS.map((i) => setLimb(POWER, i, limb(R4, i))),
    range(SETS).map((i) =>
      lines(
        i === 0 ? [] : multiply(POWER, R4, POWER),
        `(call $factors ${
          i32(LAYOUT.factors + FACTORS_BYTES * (SETS - 1 - i))
        })`,
      )
    ),
  )
})`;

/** The limbs of a lane's number become positive, and the highest of 21 bits. */
const normalize: Code = lines(
  // 2^130 = 5; one 2^130 stays, so that the number is not below 0
  set("c", `(i64.sub (i64.shr_s ${get(n(5))} ${i64(20)}) ${i64(1)})`),
  set(
    n(5),
    `(i64.or (i64.and ${get(n(5))} ${i64(2 ** 20 - 1)}) ${i64(2 ** 20)})`,
  ),
  add(n(0), `(i64.mul ${get("c")} ${i64(5)})`),
  FLOATS.slice(0, 5).flatMap((i) => [
    add(n(i + 1), `(i64.shr_s ${get(n(i))} ${i64(FLOAT_BITS)})`),
    set(n(i), `(i64.and ${get(n(i))} ${i64(FLOAT_MASK)})`),
  ]),
);

/** It is added to the accumulator. */
const addToAccumulator: Code = lines(
  set("c", get(n(0))),
  LIMBS.map((i) =>
    lines(
      add("c", shl(get(n(i + 1)), FLOAT_BITS * (i + 1) - LIMB_BITS * i)),
      setLimb(
        H,
        i,
        `(i64.add ${limb(H, i)} ${
          i === 4 ? get("c") : `(i64.and ${get("c")} ${i64(MASK)})`
        })`,
      ),
      set("c", `(i64.shr_u ${get("c")} ${i64(LIMB_BITS)})`),
    )
  ),
);

/**
 * `gather()`: the accumulator becomes the sum of the lanes, each times as many r
 * as it lacks: r^4, r^3, r^2 and r.
 */
export const gather = `(func $gather
  ${locals("i64", [...FLOATS.map(n), "c"])}
  ${
  lines(
    range(4).map((lane) =>
      lines(
        FLOATS.map((i) =>
          set(
            n(i),
            `(i64.trunc_sat_f64_s (f64.load ${
              i32(LAYOUT.lanes + 32 * i + 8 * lane)
            }))`,
          )
        ),
        normalize,
        addToAccumulator,
        multiply(H, R, H),
      )
    ),
  )
})`;

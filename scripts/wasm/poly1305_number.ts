/**
 * Numbers modulo 2^130 - 5 in radix 2^26, one at a time: five 64-bit limbs in
 * memory.
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
  sum,
} from "./code.ts";
import { LAYOUT } from "./layout.ts";

export const LIMBS = range(5);
export const LIMB_BITS = 26;
export const MASK = 2 ** LIMB_BITS - 1;

/** The numbers there are: the accumulator, r, r^4, and another power of it. */
export const H = 0;
export const R = 1;
export const R4 = 2;
export const POWER = 3;

/** Where a number is. */
export const at = (number: number): number => LAYOUT.limbs + 40 * number;
export const limb = (number: number, i: number): Code =>
  `(i64.load ${i32(at(number) + 8 * i)})`;
export const setLimb = (number: number, i: number, value: Code): Code =>
  `(i64.store ${i32(at(number) + 8 * i)} ${value})`;

/** One becomes the product of two. */
export const multiply = (a: number, b: number, to: number): Code =>
  `(call $product ${i32(at(a))} ${i32(at(b))} ${i32(at(to))})`;

/** Carries from limb to limb, so that each is below 2^26 or a little over. */
const CARRIES = [[0, 1], [3, 4], [1, 2], [4, 0], [2, 3], [0, 1], [
  3,
  4,
]] as const;

const d = (i: number): string => `d${i}`;

const carry = lines(CARRIES.map(([from, to]) => {
  const carried = get("c");
  return lines(
    set("c", `(i64.shr_u ${get(d(from))} ${i64(LIMB_BITS)})`),
    set(d(from), `(i64.and ${get(d(from))} ${i64(MASK)})`),
    set(
      d(to),
      `(i64.add ${get(d(to))} ${
        to === 0 ? `(i64.mul ${carried} ${i64(5)})` : carried
      })`,
    ),
  );
}));

/** `product(a, b, to)`: limbs at `to` = a · b mod 2^130 - 5, not quite reduced. */
export const product =
  `(func $product (param $a i32) (param $b i32) (param $to i32)
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
  ${carry}
  ${
    lines(
      LIMBS.map((i) => `(i64.store offset=${8 * i} ${get("to")} ${get(d(i))})`),
    )
  })`;

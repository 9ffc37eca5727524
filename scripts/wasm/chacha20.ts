/**
 * ChaCha20 (RFC 8439 §2.3, with the 64-bit nonce of the original), eight or
 * sixteen blocks at once: vector i has word i of four.
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
  sum,
  transpose,
  vadd,
  vload,
  vor,
  vshl,
  vshr,
  vstore,
  vxor,
} from "./code.ts";
import { LAYOUT } from "./layout.ts";

const WORDS = range(16);

/** Eight blocks; names of the locals begin with a pair's. */
interface Eight {
  pair: [string, string];
  /** How many blocks come before. */
  blocks: number;
  /** Where their key stream goes. */
  stream: number;
}
const FIRST: Eight = { pair: ["a", "b"], blocks: 0, stream: LAYOUT.stream };
const SECOND: Eight = {
  pair: ["c", "d"],
  blocks: 8,
  stream: LAYOUT.stream + 512,
};

/** RFC 8439 §2.1, on both vectors of each pair: its steps. */
function quarterRound(
  pair: string[],
  [a, b, c, d]: [number, number, number, number],
): Code[][] {
  const step = (x: number, y: number, z: number, n: number) => [
    ...pair.map((s) => set(s + x, vadd(get(s + x), get(s + y)))),
    ...pair.map((s) => set(s + z, vxor(get(s + z), get(s + x)))),
    ...pair.map((s) =>
      set(s + z, vor(vshl(get(s + z), n), vshr(get(s + z), 32 - n)))
    ),
  ];
  return [
    step(a, b, d, 16),
    step(c, d, b, 12),
    step(a, b, d, 8),
    step(c, d, b, 7),
  ];
}

/** Columns, or diagonals (RFC 8439 §2.3), two in turns. */
function quarters(pair: string[], shift: 0 | 1): Code[] {
  const quarter = (i: number) =>
    quarterRound(pair, [
      i,
      4 + (i + shift) % 4,
      8 + (i + 2 * shift) % 4,
      12 + (i + 3 * shift) % 4,
    ]);
  const inTurns = (i: number, j: number) => {
    const other = quarter(j);
    return quarter(i).flatMap((step, k) => [...step, ...other[k]!]);
  };
  return [...inTurns(0, 1), ...inTurns(2, 3)];
}

export const COUNTER = 32 * 12;
export const NONCE = 32 * 15;

/** Where 16 bytes of key stream are: the i-th of 32. */
export const streamAt = (i: number): number =>
  32 * (4 * (i % 4) + (i >> 2) % 4) + 16 * (i >> 4);

/** The word of these blocks at first: of the counter, which differs, and others. */
function stateWord({ blocks }: Eight, i: number, half: number): Code {
  const word = vload(LAYOUT.state, 32 * i + 16 * half);
  return i === 12 && blocks > 0 ? vadd(word, splat(blocks)) : word;
}

/**
 * A function of this name: 512 bytes of key stream for each eight blocks, where
 * 16 bytes each of blocks i and 4 + i are neighbours; `state` goes on to the next
 * blocks. A round waits for its own results: with sixteen blocks the processor
 * does the others meanwhile.
 */
function keyStream(name: string, eights: Eight[]): Code {
  const forEach = (code: (eight: Eight, side: string, half: number) => Code) =>
    eights.flatMap((eight) => eight.pair.map((s, k) => code(eight, s, k)));
  return `(func $${name}
  ${
    locals(
      "v128",
      eights.flatMap(({ pair }) =>
        pair.flatMap((s) => [
          ...WORDS.map((i) => `${s}${i}`),
          ...SPARE.map((t) => s + t),
        ])
      ),
    )
  } (local $anext v128) (local $bnext v128) (local $round i32)
  ${
    lines(WORDS.flatMap((i) =>
      forEach((eight, s, k) => set(`${s}${i}`, stateWord(eight, i, k)))
    ))
  }
  ${set("round", i32(10))}
  (loop $again
    ${
    lines(([0, 1] as const).flatMap((shift) =>
      eights.flatMap(({ pair }) =>
        quarters(pair, shift)
      )
    ))
  }
    (br_if $again (local.tee $round (i32.sub ${get("round")} ${i32(1)}))))
  ${
    lines(WORDS.flatMap((i) =>
      forEach((eight, s, k) =>
        set(`${s}${i}`, vadd(get(`${s}${i}`), stateWord(eight, i, k)))
      )
    ))
  }
  ${
    lines(forEach((_, s) =>
      lines([0, 4, 8, 12].map((row) => {
        const four = range(4).map((i) => `${s}${row + i}`);
        return transpose(four, four, SPARE.map((t) => s + t));
      }))
    ))
  }
  ${
    lines(["a", "b"].map((s, k) =>
      set(
        `${s}next`,
        vadd(
          vload(LAYOUT.state, COUNTER + 16 * k),
          splat(8 * eights.length),
        ),
      )
    ))
  }
  ;; nothing but stores from here on, of each pair the upper one first
  ${
    lines(WORDS.flatMap((i) =>
      eights.flatMap(({ pair, stream }) =>
        [1, 0].map((k) =>
          vstore(stream, 32 * i + 16 * k, get(`${pair[k]}${i}`))
        )
      )
    ))
  }
  ${
    lines(
      [1, 0].map((k) =>
        vstore(LAYOUT.state, COUNTER + 16 * k, get(`${"ab"[k]}next`))
      ),
    )
  })`;
}

/** `NAME(at)`: 512 bytes with these blocks. */
const xorEight = (name: string, { stream }: Eight): Code =>
  `(func $${name} (param $at i32)
  ${
    lines(
      range(32).map((i) =>
        vstore(
          get("at"),
          16 * i,
          vxor(vload(get("at"), 16 * i), vload(stream, streamAt(i))),
        )
      ),
    )
  })`;

/**
 * `xor(at, length, i)`: exactly so many bytes, but not more than there are, with
 * what `eight` has computed, from its i-th 16 bytes on.
 */
const xor = `(func $xor (param $at i32) (param $length i32) (param $i i32)
  (local $from i32)
  (block $done (loop $more
    (br_if $done (i32.or (i32.eq ${get("i")} ${i32(32)}) (i32.le_s ${
  get("length")
} ${i32(0)})))
    ;; streamAt(i)
    ${
  set(
    "from",
    sum([
      `(i32.shl (i32.and ${get("i")} ${i32(3)}) ${i32(7)})`,
      `(i32.shl (i32.and ${get("i")} ${i32(12)}) ${i32(3)})`,
      `(i32.and ${get("i")} ${i32(16)})`,
    ], "i32.add"),
  )
}
    (if (i32.lt_u ${get("length")} ${i32(16)}) (then
      (loop $bytes
        (i32.store8 ${get("at")} (i32.xor
          (i32.load8_u ${get("at")})
          (i32.load8_u offset=${LAYOUT.stream} ${get("from")})))
        ${set("at", `(i32.add ${get("at")} ${i32(1)})`)}
        ${set("from", `(i32.add ${get("from")} ${i32(1)})`)}
        (br_if $bytes (local.tee $length (i32.sub ${get("length")} ${i32(1)}))))
      (return)))
    ${
  vstore(
    get("at"),
    0,
    vxor(vload(get("at"), 0), vload(get("from"), LAYOUT.stream)),
  )
}
    ${set("at", `(i32.add ${get("at")} ${i32(16)})`)}
    ${set("i", `(i32.add ${get("i")} ${i32(1)})`)}
    ${set("length", `(i32.sub ${get("length")} ${i32(16)})`)}
    (br $more))))`;

/** The functions: `eight`, `sixteen`, and what uses their key stream. */
export const chacha20: Code[] = [
  keyStream("eight", [FIRST]),
  keyStream("sixteen", [FIRST, SECOND]),
  xorEight("xorFirst", FIRST),
  xorEight("xorSecond", SECOND),
  xor,
];

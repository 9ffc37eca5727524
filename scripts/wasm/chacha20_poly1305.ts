/**
 * ChaCha20 (RFC 8439 §2.3, with the 64-bit nonce of the original) and Poly1305
 * (§2.5) in WebAssembly with 128-bit vectors, as text.
 *
 * ChaCha20 computes eight or sixteen blocks at once: vector i has word i of four.
 * Poly1305 runs in radix 2^26 (limbs of a 130-bit number) with four blocks at
 * once, each lane a polynomial in r^4. No branch and no address depends on a
 * secret.
 *
 * V8's `--experimental-wasm-revectorize` makes 256-bit vectors of pairs of
 * 128-bit ones where the processor has them. It begins at stores to neighbouring
 * addresses and goes up from there to what they come from, as long as both sides
 * do the same and nothing lies between that could fail, such as an access to an
 * address that is not constant. What takes the time is written so that it can:
 * `--trace-wasm-revectorize` tells.
 *
 * Memory, in bytes; the program's own data lies from {@link LAYOUT}.data on:
 *
 * @module
 */

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
  /** Five 64-bit limbs each: the accumulator, and r to its fourth power. */
  limbs: 1632,
  /** Five pairs of vectors: the accumulator of four lanes. */
  lanes: 1856,
  /** r^4 in every lane: five limbs, then five times the upper four. */
  r4: 2016,
  /** r^4, r^3, r^2, r^1: the same. */
  powers: 2160,
  /** 16 bytes: the last block padded, then the tag. */
  last: 2304,
  tag: 2320,
  data: 2560,
} as const;

type Code = string;

const get = (name: string): Code => `(local.get $${name})`;
const set = (name: string, value: Code): Code =>
  `(local.set $${name} ${value})`;
const i32 = (n: number): Code => `(i32.const ${n})`;
const i64 = (n: number): Code => `(i64.const ${n})`;
const lines = (...code: (Code | Code[])[]): Code => code.flat().join("\n");
const range = (n: number): number[] => [...Array(n).keys()];
const sum = (terms: Code[], add: string): Code =>
  terms.reduce((a, b) => `(${add} ${a} ${b})`);

const vector = (...lanes: number[]): Code =>
  `(v128.const i32x4 ${lanes.join(" ")})`;
const splat = (n: number): Code => vector(n, n, n, n);
/**
 * Where a vector is; a constant goes into the instruction as a whole, by which V8
 * tells neighbours.
 */
const place = (at: Code | number, offset: number): Code =>
  typeof at === "number"
    ? `offset=${at + offset} align=1 ${i32(0)}`
    : `offset=${offset} align=1 ${at}`;
const vload = (at: Code | number, offset: number): Code =>
  `(v128.load ${place(at, offset)})`;
const vstore = (at: Code | number, offset: number, value: Code): Code =>
  `(v128.store ${place(at, offset)} ${value})`;
const vadd = (a: Code, b: Code): Code => `(i32x4.add ${a} ${b})`;
const vxor = (a: Code, b: Code): Code => `(v128.xor ${a} ${b})`;
const vor = (a: Code, b: Code): Code => `(v128.or ${a} ${b})`;
const vand = (a: Code, b: Code): Code => `(v128.and ${a} ${b})`;
const vshl = (a: Code, n: number): Code => `(i32x4.shl ${a} ${i32(n)})`;
const vshr = (a: Code, n: number): Code => `(i32x4.shr_u ${a} ${i32(n)})`;
/** Picks 32-bit lanes: 0 to 3 are those of `a`, 4 to 7 those of `b`. */
const pick = (a: Code, b: Code, ...from: number[]): Code =>
  `(i8x16.shuffle ${
    from.flatMap((lane) => range(4).map((k) => 4 * lane + k)).join(" ")
  } ${a} ${b})`;

/** Four vectors as a matrix: rows become columns. */
function transpose(from: string[], to: string[], spare: string[]): Code {
  const [a, b, c, d] = from.map(get) as [Code, Code, Code, Code];
  const [p, q, r, s] = spare.map(get) as [Code, Code, Code, Code];
  return lines(
    set(spare[0]!, pick(a, b, 0, 4, 1, 5)),
    set(spare[1]!, pick(c, d, 0, 4, 1, 5)),
    set(spare[2]!, pick(a, b, 2, 6, 3, 7)),
    set(spare[3]!, pick(c, d, 2, 6, 3, 7)),
    set(to[0]!, pick(p, q, 0, 1, 4, 5)),
    set(to[1]!, pick(p, q, 2, 3, 6, 7)),
    set(to[2]!, pick(r, s, 0, 1, 4, 5)),
    set(to[3]!, pick(r, s, 2, 3, 6, 7)),
  );
}

const locals = (type: string, names: string[]): Code =>
  names.map((name) => `(local $${name} ${type})`).join(" ");

// ChaCha20 ------------------------------------------------------------------

const WORDS = range(16);
const SPARE = range(4).map((i) => `t${i}`);

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

const COUNTER = 32 * 12;
const NONCE = 32 * 15;

/** Where 16 bytes of key stream are: the i-th of 32. */
const streamAt = (i: number): number =>
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

// Poly1305 ------------------------------------------------------------------

const LIMBS = range(5);
const MASK = 0x3ffffff;
const limb = (set: number, i: number): Code =>
  `(i64.load ${i32(LAYOUT.limbs + 40 * set + 8 * i)})`;
const setLimb = (set: number, i: number, value: Code): Code =>
  `(i64.store ${i32(LAYOUT.limbs + 40 * set + 8 * i)} ${value})`;
/** Limbs: set 0 is the accumulator, sets 1 to 4 are powers of r. */
const H = 0;

/** Carries from limb to limb, so that each is below 2^26 or a little over. */
const CARRIES = [[0, 1], [3, 4], [1, 2], [4, 0], [2, 3], [0, 1], [
  3,
  4,
]] as const;

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

/**
 * `lanes(r, at, length)`: 64 bytes at a time: adds a block to each lane, then
 * multiplies by the lanes at `r`.
 */
function lanesFunction(): Code {
  const halves = ["low", "high"];
  const wide = (i: number, half: string) => `${half}${i}`;
  const multiply = halves.flatMap((half) =>
    LIMBS.map((k) =>
      set(
        wide(k, half),
        sum(
          LIMBS.map((i) =>
            `(i64x2.extmul_${half}_i32x4_u ${get(`h${i}`)} ${
              get(i <= k ? `r${k - i}` : `f${5 + k - i}`)
            })`
          ),
          "i64x2.add",
        ),
      )
    )
  );
  const carry = CARRIES.flatMap(([from, to]) =>
    halves.flatMap((half) => {
      const [a, b] = [wide(from, half), wide(to, half)];
      const c = to === 0
        ? `(i64x2.add ${get("c")} (i64x2.shl ${get("c")} ${i32(2)}))`
        : get("c");
      return [
        set("c", `(i64x2.shr_u ${get(a)} ${i32(26)})`),
        set(a, vand(get(a), get("mask64"))),
        set(b, `(i64x2.add ${get(b)} ${c})`),
      ];
    })
  );
  const M = range(4).map((i) => `m${i}`);
  const limbOf = (low: string, right: number, high: string, left: number) =>
    vand(vor(vshr(get(low), right), vshl(get(high), left)), get("mask"));
  const message = [
    vand(get("m0"), get("mask")),
    limbOf("m0", 26, "m1", 6),
    limbOf("m1", 20, "m2", 12),
    limbOf("m2", 14, "m3", 18),
    vor(vshr(get("m3"), 8), splat(1 << 24)),
  ];
  const accumulators = LIMBS.flatMap((i) =>
    halves.map((half, k) => ({
      name: wide(i, half),
      offset: 32 * i + 16 * k,
    }))
  );
  return `(func $lanes (param $r i32) (param $at i32) (param $length i32)
  ${
    locals("v128", [
      ...LIMBS.flatMap((i) => [`h${i}`, `r${i}`, `f${i}`]),
      ...accumulators.map(({ name }) => name),
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
      accumulators.map(({ name, offset }) =>
        set(name, vload(LAYOUT.lanes, offset))
      ),
    )
  }
  ${lines(LIMBS.map((i) => set(`r${i}`, vload(get("r"), 16 * i))))}
  ${
    lines(LIMBS.slice(1).map((i) => set(`f${i}`, vload(get("r"), 64 + 16 * i))))
  }
  (block $done (loop $more
    (br_if $done (i32.eqz ${get("length")}))
    ${lines(M.map((m, i) => set(m, vload(get("at"), 16 * i))))}
    ${transpose(M, M, SPARE)}
    ${
    lines(LIMBS.map((i) =>
      set(
        `h${i}`,
        vadd(
          pick(get(wide(i, "low")), get(wide(i, "high")), 0, 2, 4, 6),
          message[i]!,
        ),
      )
    ))
  }
    ${lines(multiply, carry)}
    ${set("at", `(i32.add ${get("at")} ${i32(64)})`)}
    ${set("length", `(i32.sub ${get("length")} ${i32(64)})`)}
    (br $more)))
  ;; of each pair the upper one first
  ${
    lines(
      accumulators.toReversed().map(({ name, offset }) =>
        vstore(LAYOUT.lanes, offset, get(name))
      ),
    )
  })`;
}

/** `powers()`: r^2, r^3 and r^4, and their vectors. */
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
    [2, 3, 4].map((n) => `(call $product ${at(n - 1)} ${at(1)} ${at(n)})`).join(
      "\n",
    )
  }
  ${
    lines(
      vectors(LAYOUT.r4, [4, 4, 4, 4]),
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
    ${set("bulk", `(i32.and ${get("length")} ${i32(-64)})`)}
    (call $lanes ${i32(LAYOUT.r4)} ${get("at")} (i32.sub ${get("bulk")} ${
    i32(64)
  }))
    (call $lanes ${i32(LAYOUT.powers)} (i32.add ${get("at")} (i32.sub ${
    get("bulk")
  } ${i32(64)})) ${i32(64)})
    (call $gather)
    ${set("at", `(i32.add ${get("at")} ${get("bulk")})`)}
    ${set("length", `(i32.sub ${get("length")} ${get("bulk")})`)}))
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

// The packets of chacha20-poly1305@openssh.com --------------------------------

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

const skip = (bytes: number): Code =>
  lines(
    set("at", `(i32.add ${get("at")} ${i32(bytes)})`),
    set("length", `(i32.sub ${get("length")} ${i32(bytes)})`),
  );

/**
 * `cipher(at, length)`: en- or decrypts, from a packet's first block on, and
 * leaves what follows as it is.
 */
const cipher =
  `(func $cipher (export "cipher") (param $at i32) (param $length i32)
  (call $xor ${get("at")} ${get("length")} ${i32(BEFORE_DATA)})
  ${skip(16 * (32 - BEFORE_DATA))}
  (block $done (loop $more
    (br_if $done (i32.lt_s ${get("length")} ${i32(1024)}))
    (call $sixteen)
    (call $xorFirst ${get("at")})
    (call $xorSecond (i32.add ${get("at")} ${i32(512)}))
    ${skip(1024)}
    (br $more)))
  (block $done (loop $more
    (br_if $done (i32.le_s ${get("length")} ${i32(0)}))
    (call $eight)
    (call $xor ${get("at")} ${get("length")} ${i32(0)})
    ${skip(512)}
    (br $more))))`;

/** @returns the module as WebAssembly text, its memory `pages` of 64 KiB */
export function chacha20Poly1305Wat(pages: number): string {
  return `(module (memory (export "memory") ${pages} ${pages})
${
    [
      keyStream("eight", [FIRST]),
      keyStream("sixteen", [FIRST, SECOND]),
      xorEight("xorFirst", FIRST),
      xorEight("xorSecond", SECOND),
      xor,
      product,
      block,
      lanesFunction(),
      powersFunction(),
      gather,
      finishFunction(),
      mac,
      use,
      start,
      cipher,
    ].join("\n")
  })`;
}

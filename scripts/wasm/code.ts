/**
 * WebAssembly as text, put together from pieces.
 *
 * @module
 */

export type Code = string;

export const get = (name: string): Code => `(local.get $${name})`;
export const set = (name: string, value: Code): Code =>
  `(local.set $${name} ${value})`;
export const i32 = (n: number): Code => `(i32.const ${n})`;
export const i64 = (n: number): Code => `(i64.const ${n})`;
export const lines = (...code: (Code | Code[])[]): Code =>
  code.flat().join("\n");
export const range = (n: number): number[] => [...Array(n).keys()];
export const sum = (terms: Code[], add: string): Code =>
  terms.reduce((a, b) => `(${add} ${a} ${b})`);

export const vector = (...lanes: number[]): Code =>
  `(v128.const i32x4 ${lanes.join(" ")})`;
export const splat = (n: number): Code => vector(n, n, n, n);
/**
 * Where a vector is; a constant goes into the instruction as a whole, by which V8
 * tells neighbours.
 */
const place = (at: Code | number, offset: number): Code =>
  typeof at === "number"
    ? `offset=${at + offset} align=1 ${i32(0)}`
    : `offset=${offset} align=1 ${at}`;
export const vload = (at: Code | number, offset: number): Code =>
  `(v128.load ${place(at, offset)})`;
export const vstore = (at: Code | number, offset: number, value: Code): Code =>
  `(v128.store ${place(at, offset)} ${value})`;
export const vadd = (a: Code, b: Code): Code => `(i32x4.add ${a} ${b})`;
export const vxor = (a: Code, b: Code): Code => `(v128.xor ${a} ${b})`;
export const vor = (a: Code, b: Code): Code => `(v128.or ${a} ${b})`;
export const vand = (a: Code, b: Code): Code => `(v128.and ${a} ${b})`;
export const vshl = (a: Code, n: number): Code => `(i32x4.shl ${a} ${i32(n)})`;
export const vshr = (a: Code, n: number): Code =>
  `(i32x4.shr_u ${a} ${i32(n)})`;
/** Picks 32-bit lanes: 0 to 3 are those of `a`, 4 to 7 those of `b`. */
export const pick = (a: Code, b: Code, ...from: number[]): Code =>
  `(i8x16.shuffle ${
    from.flatMap((lane) => range(4).map((k) => 4 * lane + k)).join(" ")
  } ${a} ${b})`;

/** Four vectors as a matrix: rows become columns. */
export function transpose(from: string[], to: string[], spare: string[]): Code {
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

/** Of `length` bytes at `at`. */
export const skip = (bytes: Code): Code =>
  lines(
    set("at", `(i32.add ${get("at")} ${bytes})`),
    set("length", `(i32.sub ${get("length")} ${bytes})`),
  );

export const locals = (type: string, names: string[]): Code =>
  names.map((name) => `(local $${name} ${type})`).join(" ");

/** Locals for {@link transpose}. */
export const SPARE = range(4).map((i) => `t${i}`);

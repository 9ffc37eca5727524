/**
 * The host keys that PuTTY trusts, as it caches them: `TYPE@PORT:HOST` and the
 * key's numbers in hexadecimal (`cache_str` in crypto/rsa.c and crypto/ecc-ssh.c
 * of its source).
 *
 * @module
 */

import { isKeyOfType } from "./fingerprint.ts";
import { encodeWire } from "./key_wire.ts";

/** A key that PuTTY trusts. */
export interface PuttyHostKey {
  host: string;
  port: number;
  /** As it travels (RFC 4253 §6.6). */
  key: Uint8Array;
}

/** Bytes of a coordinate on each of the curves of RFC 5656 §10.1. */
const CURVES: Record<string, number> = {
  "ecdsa-sha2-nistp256": 32,
  "ecdsa-sha2-nistp384": 48,
  "ecdsa-sha2-nistp521": 66,
};

/** Digits of the largest number in a key: 16384 bits, as in OpenSSH. */
const LONGEST = 4096;

/**
 * Reads an entry of PuTTY's cache.
 *
 * @param name `TYPE@PORT:HOST`, the host without escapes
 * @returns undefined if it is damaged, or of a type that is not used any more
 *
 * @example
 * ```ts
 * readPuttyHostKey("ssh-ed25519@22:example.org", "0x3b…,0x5f…");
 * ```
 */
export function readPuttyHostKey(
  name: string,
  value: string,
): PuttyHostKey | undefined {
  const [, type, port, host] = /^([^@\s]+)@(\d{1,5}):(\S+)$/.exec(name) ?? [];
  if (type === undefined || port === undefined || host === undefined) {
    return undefined;
  }
  const fields = value.trim().split(",");
  const numbers = fields.filter((field) => field.startsWith("0x")).map(number);
  const [a, b, ...more] = numbers;
  if (a === undefined || b === undefined || more.length > 0) return undefined;
  const key = encode(type, a, b);
  const wireType = type === "rsa2" ? "ssh-rsa" : type;
  if (key === undefined || !isKeyOfType(key, wireType)) return undefined;
  return { host, port: Number(port), key };
}

function encode(
  type: string,
  a: bigint,
  b: bigint,
): Uint8Array | undefined {
  // RFC 4253 §6.6: the exponent, then the modulus
  if (type === "rsa2") return encodeWire("ssh-rsa", a, b);
  if (type === "ssh-ed25519") {
    // RFC 8032 §5.1.2: y from its lowest byte on, and the parity of x on top
    const point = bytes(b, 32)?.reverse();
    if (!point || point[31]! > 0x7f) return undefined;
    if (a % 2n === 1n) point[31]! |= 0x80;
    return encodeWire("ssh-ed25519", point);
  }
  const length = CURVES[type];
  if (length === undefined) return undefined;
  const [x, y] = [bytes(a, length), bytes(b, length)];
  if (!x || !y) return undefined;
  // SEC 1 §2.3.3: an uncompressed point begins with 4
  const point = new Uint8Array([4, ...x, ...y]);
  return encodeWire(type, type.replace("ecdsa-sha2-", ""), point);
}

function number(text: string): bigint | undefined {
  return /^0x[0-9a-f]+$/i.test(text) && text.length <= LONGEST + 2
    ? BigInt(text)
    : undefined;
}

/** A number from its highest byte on; undefined if it is longer. */
function bytes(value: bigint, length: number): Uint8Array | undefined {
  const hex = value.toString(16).padStart(length * 2, "0");
  return hex.length > length * 2 ? undefined : Uint8Array.fromHex(hex);
}

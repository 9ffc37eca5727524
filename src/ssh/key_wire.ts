/**
 * The data types of the SSH protocol, RFC 4251 §5, as key files use them.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { damaged } from "./key_failure.ts";

/** Bytes of the largest number in a key: 16384 bits, as in OpenSSH. */
const MAX_NUMBER_BYTES = 2048;

/** An unsigned number from its big-endian bytes. @throws {KeyFailure} */
export function toBigInt(bytes: Uint8Array): bigint {
  if (bytes.length > MAX_NUMBER_BYTES + 1) {
    throw damaged("a number in it is too large");
  }
  if (bytes.length > 0 && bytes[0]! >= 0x80) {
    throw damaged("a number in it is negative");
  }
  return bytes.length === 0 ? 0n : BigInt(`0x${bytes.toHex()}`);
}

/** Reads RFC 4251 values one after the other. Every method throws `KeyFailure`. */
export class WireReader {
  #bytes: Uint8Array;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The next `length` bytes as they are. */
  raw(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#position) {
      throw damaged("it ends too early");
    }
    return this.#bytes.subarray(this.#position, this.#position += length);
  }

  uint32(): number {
    const [a, b, c, d] = this.raw(4);
    return ((a! << 24) | (b! << 16) | (c! << 8) | d!) >>> 0;
  }

  string(): Uint8Array {
    return this.raw(this.uint32());
  }

  text(): string {
    return new TextDecoder().decode(this.string());
  }

  mpint(): bigint {
    return toBigInt(this.string());
  }

  /** What is left. */
  rest(): Uint8Array {
    return this.#bytes.subarray(this.#position);
  }
}

function uint32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** `value` as an mpint's content: big-endian, no needless leading zero. */
function mpintContent(value: bigint): Uint8Array {
  if (value === 0n) return new Uint8Array();
  const hex = value.toString(16);
  const even = hex.length % 2 === 0 ? hex : `0${hex}`;
  return Buffer.from(even[0]! >= "8" ? `00${even}` : even, "hex");
}

/**
 * Joins values: a string or bytes as RFC 4251 `string`, a bigint as `mpint`, a
 * number as `uint32`.
 */
export function encodeWire(
  ...values: (string | Uint8Array | bigint | number)[]
): Uint8Array {
  return Buffer.concat(values.flatMap((value) => {
    if (typeof value === "number") return [uint32(value)];
    const content = typeof value === "bigint"
      ? mpintContent(value)
      : typeof value === "string"
      ? Buffer.from(value)
      : value;
    return [uint32(content.length), content];
  }));
}

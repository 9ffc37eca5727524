/**
 * As much of DER (ITU-T X.690) as key files need.
 *
 * @module
 */

import { damaged } from "./key_failure.ts";
import { toBigInt } from "./key_wire.ts";

/** Identifier octets of the types that appear in key files. */
export const DER = {
  INTEGER: 0x02,
  BIT_STRING: 0x03,
  OCTET_STRING: 0x04,
  NULL: 0x05,
  OBJECT_IDENTIFIER: 0x06,
  SEQUENCE: 0x30,
  /** `[0]`, constructed; `[1]` is one more. */
  CONTEXT_0: 0xa0,
  CONTEXT_1: 0xa1,
} as const;

/** Reads the values of a sequence in order. Every method throws `KeyFailure`. */
export class DerReader {
  #bytes: Uint8Array;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The identifier of the next value, undefined at the end. */
  peek(): number | undefined {
    return this.#bytes[this.#position];
  }

  /** The content of the next value, which must have this identifier. */
  value(identifier: number): Uint8Array {
    if (this.#byte() !== identifier) throw damaged("its structure is wrong");
    let length = this.#byte();
    if (length >= 0x80) {
      // Three bytes of length are more than any file that is read has.
      let count = length - 0x80;
      if (count === 0 || count > 3) throw damaged("its structure is wrong");
      for (length = 0; count > 0; count--) length = length * 256 + this.#byte();
    }
    if (length > this.#bytes.length - this.#position) {
      throw damaged("it ends too early");
    }
    return this.#bytes.subarray(this.#position, this.#position += length);
  }

  /** The content of the next value if it has this identifier. */
  optional(identifier: number): Uint8Array | undefined {
    return this.peek() === identifier ? this.value(identifier) : undefined;
  }

  sequence(): DerReader {
    return new DerReader(this.value(DER.SEQUENCE));
  }

  integer(): bigint {
    return toBigInt(this.value(DER.INTEGER));
  }

  octets(): Uint8Array {
    return this.value(DER.OCTET_STRING);
  }

  /** An object identifier in dotted form. */
  oid(): string {
    return formatOid(this.value(DER.OBJECT_IDENTIFIER));
  }

  #byte(): number {
    const byte = this.#bytes[this.#position++];
    if (byte === undefined) throw damaged("it ends too early");
    return byte;
  }
}

function formatOid(content: Uint8Array): string {
  const arcs: number[] = [];
  let arc = 0;
  for (const byte of content) {
    arc = arc * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    // The first two arcs share one number, X.690 §8.19.4.
    if (arcs.length === 0) {
      const first = Math.min(2, Math.floor(arc / 40));
      arcs.push(first, arc - first * 40);
    } else arcs.push(arc);
    arc = 0;
  }
  return arcs.join(".");
}

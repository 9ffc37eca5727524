/**
 * A private key in memory, whatever file it came from, and its way into ssh2.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createPrivateKey, createPublicKey } from "node:crypto";
import { damaged, KeyFailure, unsupportedType } from "./key_failure.ts";
import { encodeWire, WireReader } from "./key_wire.ts";
import { type ParsedKey, parseKey } from "./ssh2.ts";

export interface RsaKey {
  type: "ssh-rsa";
  n: bigint;
  e: bigint;
  d: bigint;
  p: bigint;
  q: bigint;
  /** The inverse of q modulo p. */
  iqmp: bigint;
}

export type CurveName = "nistp256" | "nistp384" | "nistp521";

export interface EcdsaKey {
  type: `ecdsa-sha2-${CurveName}`;
  curve: CurveName;
  /** The uncompressed point: 0x04, x, y. */
  point: Uint8Array;
  /** Exactly as long as the curve's order: 32, 48 or 66 bytes. */
  scalar: Uint8Array;
}

export interface Ed25519Key {
  type: "ssh-ed25519";
  /** 32 bytes each, RFC 8032 §5.1.5. */
  seed: Uint8Array;
  point: Uint8Array;
}

export type KeyMaterial = RsaKey | EcdsaKey | Ed25519Key;

/** The public half as it travels: RFC 4253 §6.6, RFC 5656 §3.1, RFC 8709 §4. */
export function publicBlob(key: KeyMaterial): Uint8Array {
  switch (key.type) {
    case "ssh-rsa":
      return encodeWire(key.type, key.e, key.n);
    case "ssh-ed25519":
      return encodeWire(key.type, key.point);
    default:
      return encodeWire(key.type, key.curve, key.point);
  }
}

/** Checks that `blob` is the public half of `key`. @throws {KeyFailure} */
export function requirePublic(key: KeyMaterial, blob: Uint8Array): void {
  if (Buffer.compare(publicBlob(key), blob) !== 0) {
    throw damaged("its public and private halves do not belong together");
  }
}

/** The type that a public key names itself. @throws {KeyFailure} */
export function blobType(blob: Uint8Array): string {
  const type = new WireReader(blob).text();
  if (type !== "ssh-rsa" && type !== "ssh-ed25519" && !isEcdsaType(type)) {
    throw unsupportedType(type);
  }
  return type;
}

/** Whether `type` is that of an ECDSA key on one of the three curves. */
export function isEcdsaType(type: string): type is EcdsaKey["type"] {
  return type.startsWith("ecdsa-sha2-") &&
    Object.hasOwn(CURVES, type.slice("ecdsa-sha2-".length));
}

const CURVES: Record<CurveName, { length: number; oid: string }> = {
  nistp256: { length: 32, oid: "06082a8648ce3d030107" },
  nistp384: { length: 48, oid: "06052b81040022" },
  nistp521: { length: 66, oid: "06052b81040023" },
};

/**
 * An ECDSA key from its scalar, which may be shorter or longer (by zeros) than
 * the curve's order, as the encodings of numbers are.
 *
 * @throws {KeyFailure} if there is no such key on the curve
 */
export function ecdsaKey(type: EcdsaKey["type"], scalar: Uint8Array): EcdsaKey {
  const curve = type.slice("ecdsa-sha2-".length) as CurveName;
  const { length } = CURVES[curve];
  const start = scalar.findIndex((byte) => byte !== 0);
  if (start < 0 || scalar.length - start > length) {
    throw damaged(`its number does not fit the curve ${curve}`);
  }
  const padded = new Uint8Array(length);
  padded.set(scalar.subarray(start), length - (scalar.length - start));
  return { type, curve, scalar: padded, point: pointOf(curve, padded) };
}

/** `scalar` times the curve's generator. */
function pointOf(curve: CurveName, scalar: Uint8Array): Uint8Array {
  const { length, oid } = CURVES[curve];
  // RFC 5915 without the public key, which node:crypto then works out; its
  // createECDH has no nistp521 on Deno.
  const content = `02010104${hex(length)}${scalar.toHex()}` +
    `a0${hex(oid.length / 2)}${oid}`;
  const key = createPrivateKey({
    key: Buffer.from(`30${hex(content.length / 2)}${content}`, "hex"),
    format: "der",
    type: "sec1",
  });
  // The point is the end of a SubjectPublicKeyInfo, RFC 5480 §2.
  return createPublicKey(key).export({ format: "der", type: "spki" })
    .subarray(-(1 + 2 * length));
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}

/** An Ed25519 key from its 32 bytes of seed. @throws {KeyFailure} */
export function ed25519Key(seed: Uint8Array): Ed25519Key {
  if (seed.length !== 32) throw damaged("its Ed25519 key has a wrong length");
  const key = createPrivateKey({
    // RFC 8410 §7
    key: Buffer.from(`302e020100300506032b657004220420${seed.toHex()}`, "hex"),
    format: "der",
    type: "pkcs8",
  });
  const point = createPublicKey(key).export({ format: "der", type: "spki" })
    .subarray(-32);
  return { type: "ssh-ed25519", seed, point };
}

/** An RSA key whose numbers belong together. @throws {KeyFailure} if not */
export function rsaKey(numbers: Omit<RsaKey, "type">): RsaKey {
  const { n, e, d, p, q, iqmp } = numbers;
  const consistent = p > 1n && q > 1n && p * q === n &&
    (e * d) % (p - 1n) === 1n && (e * d) % (q - 1n) === 1n &&
    (iqmp * q) % p === 1n;
  if (!consistent) throw damaged("its RSA numbers do not belong together");
  return { type: "ssh-rsa", ...numbers };
}

/**
 * The key as ssh2 uses it, after a signature to see that it works. It goes
 * there in OpenSSH's format, the one ssh2 reads best; the scalar of an ECDSA
 * key is in its full length and not an mpint, since Deno takes no other.
 *
 * @throws {KeyFailure} if it cannot sign
 */
export function toParsedKey(key: KeyMaterial, comment: string): ParsedKey {
  const parsed = parseKey(encodeOpenSsh(key, comment));
  if (parsed instanceof Error) throw unusable(parsed);
  const probe = Buffer.from("probe");
  // ssh2 returns its errors, whatever its types say.
  const signature: Buffer | Error = parsed.sign(
    probe,
    key.type === "ssh-rsa" ? "sha512" : undefined,
  );
  if (signature instanceof Error) throw unusable(signature);
  return parsed;
}

function unusable(cause: Error): KeyFailure {
  return new KeyFailure(
    "unsupported",
    `it cannot sign (${cause.message})`,
    "make an Ed25519 key: i2ptun key create",
  );
}

/** OpenSSH's PROTOCOL.key, unencrypted. */
function encodeOpenSsh(key: KeyMaterial, comment: string): string {
  const secret = Buffer.concat([
    encodeWire(0, 0), // check numbers, equal
    encodeSecret(key),
    encodeWire(comment),
  ]);
  const padding = Uint8Array.from(
    { length: (8 - secret.length % 8) % 8 },
    (_, index) => index + 1,
  );
  const file = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    encodeWire("none", "none", "", 1, publicBlob(key)),
    encodeWire(Buffer.concat([secret, padding])),
  ]);
  return "-----BEGIN OPENSSH PRIVATE KEY-----\n" +
    `${file.toString("base64")}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

/** The private half as it stands in OpenSSH's format (PROTOCOL.key). */
export function encodeSecret(key: KeyMaterial): Uint8Array {
  switch (key.type) {
    case "ssh-rsa": {
      const { n, e, d, iqmp, p, q } = key;
      return encodeWire(key.type, n, e, d, iqmp, p, q);
    }
    case "ssh-ed25519":
      return encodeWire(
        key.type,
        key.point,
        Buffer.concat([key.seed, key.point]),
      );
    default:
      return encodeWire(key.type, key.curve, key.point, key.scalar);
  }
}

/**
 * User certificates (OpenSSH's PROTOCOL.certkeys): a key that an authority has
 * signed, so that servers need not know the key itself.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { readFile } from "node:fs/promises";
import { DerReader } from "./key_der.ts";
import { encodeWire, WireReader } from "./key_wire.ts";
import { type ParsedKey, parseKey } from "./ssh2.ts";

const SUFFIX = "-cert-v01@openssh.com";

/** How many values a key's public half has after its type. */
const KEY_FIELDS: Readonly<Record<string, number>> = {
  "ssh-ed25519": 1,
  "ssh-rsa": 2,
  "ecdsa-sha2-nistp256": 2,
  "ecdsa-sha2-nistp384": 2,
  "ecdsa-sha2-nistp521": 2,
};

const USER_CERTIFICATE = 1;

export interface Certificate {
  /** What is offered to a server in place of the key. */
  key: ParsedKey;
  /** The public half that it certifies, as it travels. */
  plain: Uint8Array;
  /** Why a server will not take it; undefined: nothing is known against it. */
  doubt: string | undefined;
}

/**
 * Takes a certificate apart.
 *
 * @param blob as it travels
 * @param now in milliseconds
 * @returns undefined if it is none, or none of a key that can be used here
 * @throws {Error} if it is damaged
 */
export function parseCertificate(
  blob: Uint8Array,
  now = Date.now(),
): Certificate | undefined {
  const reader = new WireReader(blob);
  const named = reader.text();
  const type = named.slice(0, -SUFFIX.length);
  const count = KEY_FIELDS[type];
  if (!named.endsWith(SUFFIX) || count === undefined) return undefined;
  reader.string(); // nonce
  const fields = Array.from({ length: count }, () => reader.string());
  const plain = encodeWire(type, ...fields);
  reader.raw(8); // serial number
  const kind = reader.uint32();
  reader.string(); // key id
  reader.string(); // principals
  const [after, before] = [time(reader), time(reader)];
  const key = parseKey(Buffer.from(plain));
  if (key instanceof Error) throw key;
  // SHA-1, which `ssh-rsa-cert-v01@openssh.com` would sign with, is too weak
  const algorithm = (type === "ssh-rsa" ? "rsa-sha2-512" : type) + SUFFIX;
  return {
    key: Object.create(key, {
      type: { value: algorithm },
      getPublicSSH: { value: () => Buffer.from(blob) },
    }),
    plain,
    doubt: kind !== USER_CERTIFICATE
      ? "is for a host, not for a user"
      : now < after
      ? `is not valid before ${new Date(after).toISOString()}`
      : now >= before
      ? `has expired on ${new Date(before).toISOString()}`
      : undefined,
  };
}

/** The last moment that a date can have, in milliseconds (ECMA-262 §21.4.1.1). */
const END_OF_TIME = 8.64e15;

/** In milliseconds. */
function time(reader: WireReader): number {
  const seconds = Buffer.from(reader.raw(8)).readBigUInt64BE();
  return Math.min(Number(seconds) * 1000, END_OF_TIME);
}

/**
 * Reads a file that `ssh-keygen -s` has written.
 *
 * @returns undefined if there is none
 * @throws {Error} if it is not a certificate of a key that can be used here
 */
async function readCertificate(
  path: string,
): Promise<Certificate | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return undefined;
    throw error;
  }
  const [, base64 = ""] = text.trim().split(/\s+/);
  const certificate = parseCertificate(Buffer.from(base64, "base64"));
  if (!certificate) throw new Error("it is not a certificate");
  return certificate;
}

/** Certificate files, each read once and its faults told once. */
export class CertificateFiles {
  readonly #read = new Map<string, Promise<Certificate | undefined>>();

  constructor(readonly note: (message: string) => void) {}

  /** The certificate; undefined if there is none or, with a note, none that can be used. */
  read(path: string): Promise<Certificate | undefined> {
    const read = this.#read.get(path) ?? this.#load(path);
    this.#read.set(path, read);
    return read;
  }

  async #load(path: string): Promise<Certificate | undefined> {
    try {
      const certificate = await readCertificate(path);
      // the server's clock decides, not ours
      const doubt = certificate?.doubt;
      if (doubt) this.note(`the certificate ${path} ${doubt}`);
      return certificate;
    } catch (error) {
      const { message } = error as Error;
      this.note(`the certificate ${path} cannot be used: ${message}`);
      return undefined;
    }
  }
}

/** The name of the signature that goes with a certificate's algorithm. */
export function signatureAlgorithm(algorithm: string): string | undefined {
  return algorithm.endsWith(SUFFIX)
    ? algorithm.slice(0, -SUFFIX.length)
    : undefined;
}

/** A signature as it travels: RFC 5656 §3.1.2 has two numbers for ECDSA. */
export function signatureBlob(
  algorithm: string,
  signature: Uint8Array,
): Uint8Array {
  const isDer = algorithm.startsWith("ecdsa-") && signature[0] !== 0;
  if (!isDer) return encodeWire(algorithm, signature);
  const numbers = new DerReader(signature).sequence();
  return encodeWire(
    algorithm,
    encodeWire(numbers.integer(), numbers.integer()),
  );
}

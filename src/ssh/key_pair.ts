/**
 * New key pairs, as ssh-keygen(1) writes them.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createCipheriv, generateKeyPairSync, randomBytes } from "node:crypto";
import { dirname } from "node:path";
import { I2ptunError } from "../errors.ts";
import { bcryptPbkdf } from "./key_cipher.ts";
import { encodeSecret, type KeyMaterial, publicBlob } from "./key_material.ts";
import { readPemKey } from "./key_pem.ts";
import { encodeWire } from "./key_wire.ts";

/** The types that can be made, and how strong: as ssh-keygen(1) by default. */
const GENERATE = {
  ed25519: () => generateKeyPairSync("ed25519"),
  rsa: () => generateKeyPairSync("rsa", { modulusLength: 3072 }),
  ecdsa: () => generateKeyPairSync("ec", { namedCurve: "P-256" }),
};

export type KeyPairType = keyof typeof GENERATE;

export const KEY_PAIR_TYPES = Object.keys(GENERATE) as KeyPairType[];

export interface KeyPair {
  /** The content of the private key's file, in OpenSSH's format. */
  privateText: string;
  /** The content of the `.pub` file: one line. */
  publicText: string;
  /** The public half as it travels (RFC 4253 §6.6). */
  publicKey: Uint8Array;
}

/** As ssh-keygen(1) -a by default: about half a second. */
const BCRYPT_ROUNDS = 24;

/**
 * Makes a key pair.
 *
 * @param comment usually `user@host`; in the clear in the `.pub` file
 * @param passphrase empty: the private key is not encrypted
 */
export async function generateKeyPair(
  type: KeyPairType,
  comment: string,
  passphrase: string,
): Promise<KeyPair> {
  const { privateKey } = GENERATE[type]();
  const { material } = await readPemKey({
    label: "PRIVATE KEY",
    headers: new Map(),
    bytes: privateKey.export({ format: "der", type: "pkcs8" }) as Uint8Array,
  }).open(new Uint8Array());
  const publicKey = publicBlob(material);
  const base64 = Buffer.from(publicKey).toString("base64");
  return {
    privateText: await encodePrivate(material, comment, passphrase),
    publicText: `${material.type} ${base64} ${comment}\n`,
    publicKey,
  };
}

/** OpenSSH's PROTOCOL.key. */
async function encodePrivate(
  material: KeyMaterial,
  comment: string,
  passphrase: string,
): Promise<string> {
  const check = randomBytes(4).readUInt32BE();
  const secret = Buffer.concat([
    encodeWire(check, check),
    encodeForOpenSsh(material),
    encodeWire(comment),
  ]);
  const { header, encrypt, blockLength } = passphrase === ""
    ? unencrypted
    : await encryption(passphrase);
  const padding = Uint8Array.from(
    { length: (blockLength - secret.length % blockLength) % blockLength },
    (_, index) => index + 1,
  );
  const bytes = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    header,
    encodeWire(1, publicBlob(material)),
    encodeWire(encrypt(Buffer.concat([secret, padding]))),
  ]);
  const lines = bytes.toString("base64").match(/.{1,70}/g)!;
  return [
    "-----BEGIN OPENSSH PRIVATE KEY-----",
    ...lines,
    "-----END OPENSSH PRIVATE KEY-----",
    "",
  ].join("\n");
}

/** With an ECDSA scalar as a number, the only way that OpenSSH takes it. */
function encodeForOpenSsh(key: KeyMaterial): Uint8Array {
  if (!("scalar" in key)) return encodeSecret(key);
  const scalar = BigInt(`0x${key.scalar.toHex()}`);
  return encodeWire(key.type, key.curve, key.point, scalar);
}

const unencrypted = {
  header: encodeWire("none", "none", ""),
  blockLength: 8,
  encrypt: (bytes: Uint8Array) => bytes,
};

async function encryption(passphrase: string) {
  const salt = randomBytes(16);
  const secret = await bcryptPbkdf(
    Buffer.from(passphrase),
    salt,
    BCRYPT_ROUNDS,
    32 + 16,
  );
  const options = encodeWire(salt, BCRYPT_ROUNDS);
  return {
    header: encodeWire("aes256-ctr", "bcrypt", options),
    blockLength: 16,
    encrypt: (bytes: Uint8Array) => {
      const cipher = createCipheriv(
        "aes-256-ctr",
        secret.slice(0, 32),
        secret.slice(32),
      );
      return Buffer.concat([cipher.update(bytes), cipher.final()]);
    },
  };
}

/**
 * Writes a key pair to `path` (0600) and `path`.pub (0644).
 *
 * @throws {I2ptunError} `usage` if there is one of them already: nothing is
 *   ever overwritten; `unforeseen` if they cannot be written.
 */
export async function writeKeyPair(path: string, pair: KeyPair): Promise<void> {
  await checkFree(path);
  try {
    await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeNew(path, pair.privateText, 0o600);
    try {
      await writeNew(`${path}.pub`, pair.publicText, 0o644);
    } catch (error) {
      await Deno.remove(path);
      throw error;
    }
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) throw taken(path);
    throw new I2ptunError(
      "unforeseen",
      `cannot write ${path}: ${(error as Error).message}`,
      { remedy: "choose another file: --file", cause: error },
    );
  }
}

/** @throws {I2ptunError} `usage` if a key pair at `path` would overwrite one */
export async function checkFree(path: string): Promise<void> {
  for (const each of [path, `${path}.pub`]) {
    const there = await Deno.lstat(each).then(() => true, () => false);
    if (there) throw taken(each);
  }
}

function taken(path: string): I2ptunError {
  return new I2ptunError(
    "usage",
    `${path} exists already, and is not overwritten`,
    { remedy: "use that key, or choose another file: --file" },
  );
}

async function writeNew(path: string, text: string, mode: number) {
  await Deno.writeTextFile(path, text, { createNew: true, mode });
  // whatever the umask
  if (Deno.build.os !== "windows") await Deno.chmod(path, mode);
}

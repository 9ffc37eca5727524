/**
 * The ciphers and key derivations that protect private key files.
 *
 * The ciphers come from `@noble/ciphers`, since `node:crypto` has neither
 * AES-192 in CBC mode on Deno nor ChaCha20 on every version of it. They are
 * loaded when a file is decrypted: most logins need none.
 *
 * @module
 */

import bcrypt from "bcrypt-pbkdf";
import { createDecipheriv, createHash, timingSafeEqual } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { damaged, KeyFailure } from "./key_failure.ts";

/** A cipher of a key file. Lengths in bytes. */
export interface KeyCipher {
  keyLength: number;
  ivLength: number;
  blockLength: number;
  /** Length of the authentication tag that follows the data; 0 without one. */
  tagLength: number;
  /**
   * Decrypts whole blocks; padding stays. `data` ends with the tag.
   * @throws anything, if the tag is wrong.
   */
  decrypt(
    key: Uint8Array,
    iv: Uint8Array,
    data: Uint8Array,
  ): Promise<Uint8Array>;
}

const aes = () => import("@noble/ciphers/aes.js");

const aesCbc = (keyLength: number): KeyCipher => ({
  keyLength,
  ivLength: 16,
  blockLength: 16,
  tagLength: 0,
  decrypt: async (key, iv, data) =>
    (await aes()).cbc(key, iv, { disablePadding: true }).decrypt(data),
});

const aesCtr = (keyLength: number): KeyCipher => ({
  keyLength,
  ivLength: 16,
  blockLength: 16,
  tagLength: 0,
  decrypt: async (key, iv, data) => (await aes()).ctr(key, iv).decrypt(data),
});

const aesGcm = (keyLength: number): KeyCipher => ({
  keyLength,
  ivLength: 12,
  blockLength: 16,
  tagLength: 16,
  decrypt: async (key, iv, data) => (await aes()).gcm(key, iv).decrypt(data),
});

/**
 * OpenSSH's PROTOCOL.chacha20poly1305 with packet number 0 and no length field:
 * of the 64 bytes of key, the second half would encrypt the length.
 */
const chachaPoly: KeyCipher = {
  keyLength: 64,
  ivLength: 0,
  blockLength: 8,
  tagLength: 16,
  async decrypt(key, _iv, data) {
    const { chacha20 } = await import("@noble/ciphers/chacha.js");
    const { poly1305 } = await import("@noble/ciphers/_poly1305.js");
    const nonce = new Uint8Array(12);
    const cipherKey = key.subarray(0, 32);
    const authKey = chacha20(cipherKey, nonce, new Uint8Array(32));
    const body = data.subarray(0, -16);
    if (!timingSafeEqual(poly1305(body, authKey), data.subarray(-16))) {
      throw new Error("wrong tag");
    }
    return chacha20(cipherKey, nonce, body, undefined, 1);
  },
};

const tripleDesCbc: KeyCipher = {
  keyLength: 24,
  ivLength: 8,
  blockLength: 8,
  tagLength: 0,
  decrypt(key, iv, data) {
    const decipher = createDecipheriv("des-ede3-cbc", key, iv);
    decipher.setAutoPadding(false);
    const body = decipher.update(data);
    return Promise.resolve(new Uint8Array([...body, ...decipher.final()]));
  },
};

/** By the name that SSH has for them (RFC 4253 §6.3, OpenSSH's PROTOCOL). */
const CIPHERS = new Map<string, KeyCipher>([
  ["3des-cbc", tripleDesCbc],
  ["aes128-cbc", aesCbc(16)],
  ["aes192-cbc", aesCbc(24)],
  ["aes256-cbc", aesCbc(32)],
  ["aes128-ctr", aesCtr(16)],
  ["aes192-ctr", aesCtr(24)],
  ["aes256-ctr", aesCtr(32)],
  ["aes128-gcm@openssh.com", aesGcm(16)],
  ["aes256-gcm@openssh.com", aesGcm(32)],
  ["chacha20-poly1305@openssh.com", chachaPoly],
]);

/** The cipher of this SSH name. @throws {KeyFailure} if there is none. */
export function cipherNamed(name: string): KeyCipher {
  const cipher = CIPHERS.get(name);
  if (cipher === undefined) throw unsupportedEncryption(name);
  return cipher;
}

/** The {@link KeyFailure} for a cipher or key derivation that is not known. */
export function unsupportedEncryption(name: string): KeyFailure {
  return new KeyFailure(
    "unsupported",
    `its encryption ${JSON.stringify(name.slice(0, 60))} is not supported`,
    "rewrite it with a new passphrase: ssh-keygen -p -f FILE",
  );
}

/**
 * Decrypts in CBC mode and takes off the padding, RFC 8018 §6.1.1.
 *
 * @throws {KeyFailure} "wrong-passphrase" if there is no such padding
 */
export async function decryptPadded(
  cipher: KeyCipher,
  key: Uint8Array,
  iv: Uint8Array,
  data: Uint8Array,
): Promise<Uint8Array> {
  if (data.length === 0 || data.length % cipher.blockLength !== 0) {
    throw damaged("its length is wrong");
  }
  const clear = await cipher.decrypt(key, iv, data);
  const count = clear.at(-1)!;
  const padding = clear.subarray(-count);
  if (
    count < 1 || count > cipher.blockLength ||
    padding.some((byte) => byte !== count)
  ) {
    throw new KeyFailure("wrong-passphrase", "its padding is wrong");
  }
  return clear.subarray(0, -count);
}

/** Refuses a cost that would take minutes, which no tool writes. */
export function limitCost(name: string, cost: number, limit: number): void {
  if (cost > limit) throw damaged(`its ${name} is absurd`);
}

/** About 50 seconds; ssh-keygen writes 16 to 24 unless `-a` says otherwise. */
const MAX_BCRYPT_ROUNDS = 4096;

/**
 * OpenBSD's bcrypt_pbkdf(3), which lets other tasks run between its rounds.
 *
 * @param length bytes to derive
 * @throws {KeyFailure} if the parameters make no sense
 */
export async function bcryptPbkdf(
  passphrase: Uint8Array,
  salt: Uint8Array,
  rounds: number,
  length: number,
): Promise<Uint8Array> {
  limitCost("number of bcrypt rounds", rounds, MAX_BCRYPT_ROUNDS);
  if (rounds < 1 || salt.length === 0) {
    throw damaged("its bcrypt parameters are wrong");
  }
  const key = new Uint8Array(length);
  const blocks = Math.ceil(length / bcrypt.HASHSIZE);
  const secret = sha512(passphrase);
  const hash = new Uint8Array(bcrypt.HASHSIZE);
  for (let block = 0; block < blocks; block++) {
    bcrypt.hash(secret, sha512(salt, Uint8Array.of(0, 0, 0, block + 1)), hash);
    const sum = hash.slice();
    for (let round = 1; round < rounds; round++) {
      bcrypt.hash(secret, sha512(hash), hash);
      for (let i = 0; i < sum.length; i++) sum[i]! ^= hash[i]!;
      await setImmediate();
    }
    // The blocks' bytes are interleaved, unlike in PBKDF2.
    for (let i = 0; i * blocks + block < length; i++) {
      key[i * blocks + block] = sum[i]!;
    }
  }
  return key;
}

function sha512(...parts: Uint8Array[]): Uint8Array {
  const hash = createHash("sha512");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

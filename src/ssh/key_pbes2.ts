/**
 * Encrypted PKCS#8 keys: RFC 5958 §3 with PBES2, RFC 8018 §6.2.
 *
 * @module
 */

import { pbkdf2, scrypt } from "node:crypto";
import { promisify } from "node:util";
import {
  cipherNamed,
  decryptPadded,
  limitCost,
  unsupportedEncryption,
} from "./key_cipher.ts";
import { DER, DerReader } from "./key_der.ts";
import { damaged } from "./key_failure.ts";

const PBES2 = "1.2.840.113549.1.5.13";
const PBKDF2 = "1.2.840.113549.1.5.12";
/** RFC 7914 §7 */
const SCRYPT = "1.3.6.1.4.1.11591.4.11";

/** RFC 8018 §B.1 */
const HMAC_HASHES = new Map([
  ["1.2.840.113549.2.7", "sha1"],
  ["1.2.840.113549.2.8", "sha224"],
  ["1.2.840.113549.2.9", "sha256"],
  ["1.2.840.113549.2.10", "sha384"],
  ["1.2.840.113549.2.11", "sha512"],
]);

/** RFC 3565 §4.1, RFC 8018 §B.2.2 */
const CIPHER_NAMES = new Map([
  ["2.16.840.1.101.3.4.1.2", "aes128-cbc"],
  ["2.16.840.1.101.3.4.1.22", "aes192-cbc"],
  ["2.16.840.1.101.3.4.1.42", "aes256-cbc"],
  ["1.2.840.113549.3.7", "3des-cbc"],
]);

const MAX_PBKDF2_ITERATIONS = 20_000_000;
/** Bytes. */
const MAX_SCRYPT_MEMORY = 1 << 30;
/** Bytes times parallelism. */
const MAX_SCRYPT_WORK = 4 * MAX_SCRYPT_MEMORY;

type Derive = (passphrase: Uint8Array, length: number) => Promise<Uint8Array>;

/**
 * @param bytes an EncryptedPrivateKeyInfo
 * @returns decrypts to the PrivateKeyInfo
 * @throws {KeyFailure}, and so does the returned function
 */
export function pkcs8Decryption(
  bytes: Uint8Array,
): (passphrase: Uint8Array) => Promise<Uint8Array> {
  const info = new DerReader(bytes).sequence();
  const scheme = info.sequence();
  const data = info.octets();
  const schemeOid = scheme.oid();
  if (schemeOid !== PBES2) throw unsupportedEncryption(schemeOid);
  const parameters = scheme.sequence();
  const derive = keyDerivation(parameters.sequence());
  const encryption = parameters.sequence();

  const cipherOid = encryption.oid();
  const cipherName = CIPHER_NAMES.get(cipherOid);
  if (cipherName === undefined) throw unsupportedEncryption(cipherOid);
  const cipher = cipherNamed(cipherName);
  const iv = encryption.octets();
  if (iv.length !== cipher.ivLength) throw damaged("its IV has a wrong length");
  return async (passphrase) => {
    const key = await derive(passphrase, cipher.keyLength);
    return decryptPadded(cipher, key, iv, data);
  };
}

function keyDerivation(derivation: DerReader): Derive {
  const oid = derivation.oid();
  const parameters = derivation.sequence();
  const salt = parameters.octets();
  if (oid === PBKDF2) {
    const iterations = Number(parameters.integer());
    limitCost("number of iterations", iterations, MAX_PBKDF2_ITERATIONS);
    parameters.optional(DER.INTEGER); // the key's length, which we know
    const hash = parameters.peek() === DER.SEQUENCE
      ? parameters.sequence().oid()
      : "1.2.840.113549.2.7";
    const name = HMAC_HASHES.get(hash);
    if (name === undefined) throw unsupportedEncryption(hash);
    return (passphrase, length) =>
      promisify(pbkdf2)(passphrase, salt, iterations, length, name);
  }
  if (oid === SCRYPT) {
    const N = Number(parameters.integer());
    const r = Number(parameters.integer());
    const p = Number(parameters.integer());
    limitCost("scrypt memory", 128 * N * r, MAX_SCRYPT_MEMORY);
    limitCost("scrypt parallelism", 128 * N * r * p, MAX_SCRYPT_WORK);
    const options = { N, r, p, maxmem: 2 * MAX_SCRYPT_MEMORY };
    return (passphrase, length) =>
      new Promise((resolve, reject) =>
        scrypt(
          passphrase,
          salt,
          length,
          options,
          (error, key) => error ? reject(error) : resolve(key),
        )
      );
  }
  throw unsupportedEncryption(oid);
}

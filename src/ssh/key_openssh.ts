/**
 * OpenSSH's own private key format, as its PROTOCOL.key describes it.
 *
 * @module
 */

import {
  bcryptPbkdf,
  cipherNamed,
  unsupportedEncryption,
} from "./key_cipher.ts";
import {
  type KeyContainer,
  openContainer,
  type OpenedKey,
} from "./key_container.ts";
import { damaged, KeyFailure, unsupportedType } from "./key_failure.ts";
import {
  blobType,
  ecdsaKey,
  ed25519Key,
  isEcdsaType,
  type KeyMaterial,
  requirePublic,
  rsaKey,
} from "./key_material.ts";
import { WireReader } from "./key_wire.ts";

const MAGIC = "openssh-key-v1\0";

/**
 * @param bytes what is between the BEGIN and END lines, decoded
 * @throws {KeyFailure}
 */
export function readOpenSshKey(bytes: Uint8Array): KeyContainer {
  const reader = new WireReader(bytes);
  if (new TextDecoder().decode(reader.raw(MAGIC.length)) !== MAGIC) {
    throw damaged("it does not begin as an OpenSSH key does");
  }
  const cipherName = reader.text();
  const kdfName = reader.text();
  const kdfOptions = new WireReader(reader.string());
  if (reader.uint32() !== 1) throw damaged("it should hold one key");
  const publicKey = reader.string();
  const type = blobType(publicKey);
  const secret = reader.string();

  if (cipherName === "none") {
    if (reader.rest().length > 0) throw damaged("something follows the key");
    return openContainer(readSecret(secret, publicKey), publicKey);
  }

  const cipher = cipherNamed(cipherName);
  if (kdfName !== "bcrypt") throw unsupportedEncryption(kdfName);
  const salt = kdfOptions.string();
  const rounds = kdfOptions.uint32();
  if (reader.rest().length !== cipher.tagLength) {
    throw damaged("its length is wrong");
  }
  if (secret.length === 0 || secret.length % cipher.blockLength !== 0) {
    throw damaged("its length is wrong");
  }
  // The tag is right behind the data.
  const data = bytes.subarray(-(secret.length + cipher.tagLength));
  return {
    type,
    publicKey,
    comment: "",
    encrypted: true,
    async open(passphrase) {
      const { keyLength, ivLength } = cipher;
      const secrets = await bcryptPbkdf(
        passphrase,
        salt,
        rounds,
        keyLength + ivLength,
      );
      const cipherKey = secrets.subarray(0, keyLength);
      const iv = secrets.subarray(keyLength);
      let clear;
      try {
        clear = await cipher.decrypt(cipherKey, iv, data);
      } catch {
        throw new KeyFailure("wrong-passphrase", "its tag does not match");
      }
      const check = new WireReader(clear);
      if (check.uint32() !== check.uint32()) {
        throw new KeyFailure("wrong-passphrase", "its check does not match");
      }
      return readSecret(clear, publicKey);
    },
  };
}

function readSecret(bytes: Uint8Array, publicKey: Uint8Array): OpenedKey {
  const reader = new WireReader(bytes);
  if (reader.uint32() !== reader.uint32()) {
    throw damaged("its check numbers differ");
  }
  const material = readMaterial(reader);
  const comment = reader.text();
  if (reader.rest().some((byte, index) => byte !== ((index + 1) & 0xff))) {
    throw damaged("its padding is wrong");
  }
  requirePublic(material, publicKey);
  return { material, comment };
}

function readMaterial(reader: WireReader): KeyMaterial {
  const type = reader.text();
  if (type === "ssh-rsa") {
    const n = reader.mpint();
    const e = reader.mpint();
    const d = reader.mpint();
    const iqmp = reader.mpint();
    const p = reader.mpint();
    const q = reader.mpint();
    return rsaKey({ n, e, d, p, q, iqmp });
  }
  if (type === "ssh-ed25519") {
    reader.string(); // the public half, again at the end of the next string
    return ed25519Key(reader.string().subarray(0, 32));
  }
  if (isEcdsaType(type)) {
    reader.text(); // the curve, which the type names too
    reader.string(); // the point
    return ecdsaKey(type, reader.string());
  }
  throw unsupportedType(type);
}

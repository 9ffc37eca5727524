/**
 * The PEM key files of OpenSSL, which older ssh-keygen and cloud providers
 * write too: PKCS#1 (RFC 8017 §A.1.2), SEC1 (RFC 5915) and PKCS#8 (RFC 5958),
 * each as it is or encrypted.
 *
 * @module
 */

import { createHash } from "node:crypto";
import {
  cipherNamed,
  decryptPadded,
  unsupportedEncryption,
} from "./key_cipher.ts";
import { type KeyContainer, openContainer } from "./key_container.ts";
import { DER, DerReader } from "./key_der.ts";
import { damaged, KeyFailure, unsupportedType } from "./key_failure.ts";
import {
  type EcdsaKey,
  ecdsaKey,
  ed25519Key,
  type KeyMaterial,
  publicBlob,
  rsaKey,
} from "./key_material.ts";
import { pkcs8Decryption } from "./key_pbes2.ts";

/** A block of a PEM file (RFC 7468, and RFC 1421 §4.6 for the headers). */
export interface PemBlock {
  /** Such as `RSA PRIVATE KEY`. */
  label: string;
  /** In lower case. */
  headers: Map<string, string>;
  bytes: Uint8Array;
}

type Decode = (bytes: Uint8Array) => KeyMaterial;

/** The types of key that the label says before anything is decrypted. */
const KINDS = new Map<string, { type?: string; decode: Decode }>([
  ["RSA PRIVATE KEY", { type: "ssh-rsa", decode: decodePkcs1 }],
  ["EC PRIVATE KEY", { decode: (bytes) => decodeSec1(bytes) }],
  ["PRIVATE KEY", { decode: decodePkcs8 }],
]);

/** @throws {KeyFailure} */
export function readPemKey(block: PemBlock): KeyContainer {
  if (block.label === "ENCRYPTED PRIVATE KEY") {
    return locked(
      undefined,
      decodePkcs8,
      pkcs8Decryption(block.bytes),
    );
  }
  if (block.label === "DSA PRIVATE KEY") throw unsupportedType("ssh-dss");
  const kind = KINDS.get(block.label);
  if (kind === undefined) {
    throw unsupportedType(block.label.replace(/ PRIVATE KEY$/, ""));
  }
  if (block.headers.get("proc-type") === "4,ENCRYPTED") {
    return locked(kind.type, kind.decode, legacyDecryption(block));
  }
  const material = kind.decode(block.bytes);
  return openContainer({ material, comment: "" }, publicBlob(material));
}

function locked(
  type: string | undefined,
  decode: Decode,
  decrypt: (passphrase: Uint8Array) => Promise<Uint8Array>,
): KeyContainer {
  return {
    type,
    publicKey: undefined,
    comment: "",
    encrypted: true,
    async open(passphrase) {
      const clear = await decrypt(passphrase);
      // Nothing but the structure tells a wrong passphrase whose padding looks
      // right by chance, one in 256.
      if (!isSequence(clear)) {
        throw new KeyFailure("wrong-passphrase", "there is no key in it");
      }
      return { material: decode(clear), comment: "" };
    },
  };
}

/** Whether this is one SEQUENCE that begins with a version number. */
function isSequence(bytes: Uint8Array): boolean {
  try {
    new DerReader(bytes).sequence().integer();
    return true;
  } catch {
    return false;
  }
}

/** OpenSSL's PEM_read_bio(3), "PEM encryption format". */
function legacyDecryption(
  block: PemBlock,
): (passphrase: Uint8Array) => Promise<Uint8Array> {
  const [name = "", hex = ""] = (block.headers.get("dek-info") ?? "").split(
    ",",
  );
  const aes = /^AES-(128|192|256)-CBC$/.exec(name);
  if (!aes && name !== "DES-EDE3-CBC") throw unsupportedEncryption(name);
  const cipher = cipherNamed(aes ? `aes${aes[1]}-cbc` : "3des-cbc");
  if (!/^[0-9A-Fa-f]*$/.test(hex) || hex.length !== 2 * cipher.ivLength) {
    throw damaged("its DEK-Info line is wrong");
  }
  const iv = Uint8Array.fromHex(hex);
  return (passphrase) => {
    const key = new Uint8Array(cipher.keyLength);
    let digest = new Uint8Array();
    for (let filled = 0; filled < key.length; filled += digest.length) {
      digest = new Uint8Array(
        createHash("md5").update(digest).update(passphrase)
          .update(iv.subarray(0, 8)).digest(),
      );
      key.set(digest.subarray(0, key.length - filled), filled);
    }
    return decryptPadded(cipher, key, iv, block.bytes);
  };
}

function decodePkcs1(bytes: Uint8Array): KeyMaterial {
  const reader = new DerReader(bytes).sequence();
  if (reader.integer() !== 0n) throw unsupportedType("multi-prime RSA");
  const n = reader.integer();
  const e = reader.integer();
  const d = reader.integer();
  const p = reader.integer();
  const q = reader.integer();
  reader.integer(); // d mod p-1
  reader.integer(); // d mod q-1
  return rsaKey({ n, e, d, p, q, iqmp: reader.integer() });
}

/** RFC 5480 §2.1.1.1 */
const CURVE_TYPES = new Map<string, EcdsaKey["type"]>([
  ["1.2.840.10045.3.1.7", "ecdsa-sha2-nistp256"],
  ["1.3.132.0.34", "ecdsa-sha2-nistp384"],
  ["1.3.132.0.35", "ecdsa-sha2-nistp521"],
]);

/** @param curve what the PKCS#8 around it says */
function decodeSec1(bytes: Uint8Array, curve?: DerReader): KeyMaterial {
  const reader = new DerReader(bytes).sequence();
  if (reader.integer() !== 1n) throw damaged("its version is wrong");
  const scalar = reader.octets();
  const parameters = reader.optional(DER.CONTEXT_0);
  const named = parameters ? new DerReader(parameters) : curve;
  if (named === undefined) throw damaged("it does not name its curve");
  if (named.peek() === DER.SEQUENCE) {
    throw unsupportedType("ECDSA with explicit curve parameters");
  }
  const oid = named.oid();
  const type = CURVE_TYPES.get(oid);
  if (type === undefined) throw unsupportedType(`ECDSA on the curve ${oid}`);
  return ecdsaKey(type, scalar);
}

function decodePkcs8(bytes: Uint8Array): KeyMaterial {
  const reader = new DerReader(bytes).sequence();
  reader.integer(); // version
  const algorithm = reader.sequence();
  const oid = algorithm.oid();
  const key = reader.octets();
  switch (oid) {
    case "1.2.840.113549.1.1.1": // RFC 8017 §A.1
      return decodePkcs1(key);
    case "1.2.840.10045.2.1": // RFC 5480 §2.1.1
      return decodeSec1(key, algorithm);
    case "1.3.101.112": // RFC 8410 §3
      return ed25519Key(new DerReader(key).octets());
    case "1.2.840.10040.4.1": // RFC 3279 §2.3.2
      throw unsupportedType("ssh-dss");
    default:
      throw unsupportedType(oid);
  }
}

/**
 * PuTTY's private key files, versions 2 and 3: PuTTY manual, appendix C.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { cipherNamed, limitCost, unsupportedEncryption } from "./key_cipher.ts";
import {
  type KeyContainer,
  openContainer,
  type OpenedKey,
} from "./key_container.ts";
import { damaged, decodeBase64, KeyFailure } from "./key_failure.ts";
import {
  blobType,
  ecdsaKey,
  ed25519Key,
  isEcdsaType,
  type KeyMaterial,
  requirePublic,
  rsaKey,
} from "./key_material.ts";
import { encodeWire, WireReader } from "./key_wire.ts";

/**
 * @param text the file, a character for each byte (Latin-1), since its
 * checksum is over the comment's bytes
 * @throws {KeyFailure}
 */
export function readPpk(text: string): KeyContainer {
  const lines = new PpkLines(text);
  const [version, type] = lines.first();
  const encryption = lines.header("Encryption");
  const comment = Buffer.from(lines.header("Comment"), "latin1");
  const publicKey = lines.block("Public-Lines");
  if (blobType(publicKey) !== type) {
    throw damaged("it names two different key types");
  }
  const encrypted = encryption !== "none";
  if (encrypted && encryption !== "aes256-cbc") {
    throw unsupportedEncryption(encryption);
  }
  const derive = version === 2
    ? deriveVersion2
    : encrypted
    ? argon2Parameters(lines)
    : undefined;
  const stored = lines.block("Private-Lines");
  const mac = Buffer.from(lines.header("Private-MAC"), "hex");

  /** Checks the MAC over everything, then reads the private half. */
  const open = (clear: Uint8Array, macKey: Uint8Array): OpenedKey => {
    const expected = createHmac(version === 2 ? "sha1" : "sha256", macKey)
      .update(encodeWire(type, encryption, comment, publicKey, clear))
      .digest();
    if (mac.length !== expected.length || !timingSafeEqual(mac, expected)) {
      throw encrypted
        ? new KeyFailure("wrong-passphrase", "its checksum does not match")
        : damaged("its checksum does not match");
    }
    const material = readMaterial(type, publicKey, new WireReader(clear));
    requirePublic(material, publicKey);
    return { material, comment: decodeComment(comment) };
  };

  if (!encrypted) {
    const macKey = version === 2
      ? deriveVersion2(new Uint8Array()).macKey
      : new Uint8Array();
    return openContainer(open(stored, macKey), publicKey);
  }
  const cipher = cipherNamed(encryption);
  if (stored.length === 0 || stored.length % cipher.blockLength !== 0) {
    throw damaged("its length is wrong");
  }
  return {
    type,
    publicKey,
    comment: decodeComment(comment),
    encrypted,
    async open(passphrase) {
      const { key, iv, macKey } = await derive!(passphrase);
      return open(await cipher.decrypt(key, iv, stored), macKey);
    },
  };
}

interface DerivedKeys {
  key: Uint8Array;
  iv: Uint8Array;
  macKey: Uint8Array;
}

function deriveVersion2(passphrase: Uint8Array): DerivedKeys {
  const sha1 = (prefix: string) =>
    createHash("sha1").update(prefix, "latin1").update(passphrase).digest();
  return {
    key: Buffer.concat([sha1("\0\0\0\0"), sha1("\0\0\0\x01")]).subarray(0, 32),
    iv: new Uint8Array(16),
    macKey: sha1("putty-private-key-file-mac-key"),
  };
}

/** By PuTTY's names, those of the package, which is loaded when it is needed. */
const ARGON2 = {
  Argon2id: "argon2idAsync",
  Argon2i: "argon2iAsync",
  Argon2d: "argon2dAsync",
} as const;

/** In KiB: 1 GiB. PuTTYgen takes 8 MiB unless told otherwise. */
const MAX_ARGON2_MEMORY = 1 << 20;
/** In KiB times passes: about a minute. */
const MAX_ARGON2_WORK = 16 << 20;

function argon2Parameters(
  lines: PpkLines,
): (passphrase: Uint8Array) => Promise<DerivedKeys> {
  const flavour = lines.header("Key-Derivation");
  const m = lines.number("Argon2-Memory");
  const t = lines.number("Argon2-Passes");
  const p = lines.number("Argon2-Parallelism");
  const salt = Buffer.from(lines.header("Argon2-Salt"), "hex");
  if (!Object.hasOwn(ARGON2, flavour)) throw unsupportedEncryption(flavour);
  limitCost("Argon2 memory", m, MAX_ARGON2_MEMORY);
  limitCost("number of Argon2 passes", m * t, MAX_ARGON2_WORK);
  return async (passphrase) => {
    const package_ = await import("@noble/hashes/argon2.js");
    const argon2 = package_[ARGON2[flavour as keyof typeof ARGON2]];
    const bytes = await argon2(passphrase, salt, { m, t, p, dkLen: 80 });
    return {
      key: bytes.subarray(0, 32),
      iv: bytes.subarray(32, 48),
      macKey: bytes.subarray(48),
    };
  };
}

function readMaterial(
  type: string,
  publicKey: Uint8Array,
  secret: WireReader,
): KeyMaterial {
  if (type === "ssh-rsa") {
    const open = new WireReader(publicKey);
    open.text();
    const e = open.mpint();
    const n = open.mpint();
    const d = secret.mpint();
    const p = secret.mpint();
    const q = secret.mpint();
    return rsaKey({ n, e, d, p, q, iqmp: secret.mpint() });
  }
  if (isEcdsaType(type)) return ecdsaKey(type, secret.string());
  // PuTTY keeps the seed as a little-endian number, without zeros at its end.
  const seed = new Uint8Array(32);
  const number = secret.string();
  if (number.length > 32) throw damaged("its Ed25519 key has a wrong length");
  seed.set(number);
  return ed25519Key(seed);
}

/** PuTTY writes UTF-8 since 0.79, before that whatever the system used. */
function decodeComment(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return Buffer.from(bytes).toString("latin1");
  }
}

/** The lines of a file, whose headers come in a fixed order. */
class PpkLines {
  #lines: string[];
  #next = 0;

  constructor(text: string) {
    this.#lines = text.split(/\r\n|\r|\n/);
  }

  /** The version and the key's type. */
  first(): [version: 2 | 3, type: string] {
    const match = /^PuTTY-User-Key-File-(\d+): (\S+)$/.exec(this.#line());
    if (!match) throw damaged("its first line is wrong");
    const [, version, type] = match;
    if (version !== "2" && version !== "3") {
      throw new KeyFailure(
        "unsupported",
        `it is a PuTTY key file of version ${version}`,
        "open it in a current PuTTYgen and save it again",
      );
    }
    return [version === "2" ? 2 : 3, type!];
  }

  header(name: string): string {
    const line = this.#line();
    if (!line.startsWith(`${name}: `)) {
      throw damaged(`the line ${name} is missing`);
    }
    return line.slice(name.length + 2);
  }

  number(name: string): number {
    const value = this.header(name);
    if (!/^\d{1,10}$/.test(value)) throw damaged(`the line ${name} is wrong`);
    return Number(value);
  }

  block(name: string): Uint8Array {
    const count = this.number(name);
    const lines = this.#lines.slice(this.#next, this.#next += count);
    if (lines.length < count) throw damaged("it ends too early");
    return decodeBase64(lines.join(""));
  }

  #line(): string {
    const line = this.#lines[this.#next++];
    if (line === undefined) throw damaged("it ends too early");
    return line;
  }
}

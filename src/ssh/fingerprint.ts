/**
 * Public keys as they travel (RFC 4253 §6.6) and how people compare them.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { I2ptunError } from "../errors.ts";

/**
 * How many strings and integers follow the type in a key's encoding: RFC 4253
 * §6.6, RFC 5656 §3.1, RFC 8709 §4, OpenSSH's PROTOCOL.u2f.
 */
const FIELDS: ReadonlyMap<string, number> = new Map([
  ["ssh-ed25519", 1],
  ["ssh-rsa", 2],
  ["ssh-dss", 4],
  ["ecdsa-sha2-nistp256", 2],
  ["ecdsa-sha2-nistp384", 2],
  ["ecdsa-sha2-nistp521", 2],
  ["sk-ssh-ed25519@openssh.com", 2],
  ["sk-ecdsa-sha2-nistp256@openssh.com", 3],
]);

/** Whether `type` names a kind of key (not a certificate) that is known here. */
export function isKeyType(type: string): boolean {
  return FIELDS.has(type);
}

/** Whether `key` is the complete encoding of a key of `type`, and no more. */
export function isKeyOfType(key: Uint8Array, type: string): boolean {
  const count = FIELDS.get(type);
  const fields = splitStrings(key);
  return fields !== undefined && fields.length - 1 === count &&
    decodeAscii(fields[0]) === type &&
    fields.slice(1).every((field) => field.length > 0);
}

/**
 * The type that a key names itself, such as `ssh-ed25519`.
 *
 * @throws {I2ptunError} "host-key" if that is no key.
 */
export function keyType(key: Uint8Array): string {
  const type = decodeAscii(splitStrings(key)?.[0]);
  if (type === undefined) {
    throw new I2ptunError("host-key", "that is not a public key");
  }
  return type;
}

/**
 * A key's fingerprint as `ssh-keygen -l` shows it.
 *
 * @param key the key as it travels, that is the decoded base64 of a .pub file
 * @returns `SHA256:` and 43 characters
 */
export function fingerprint(key: Uint8Array): string {
  const digest = createHash("sha256").update(key).digest("base64");
  return `SHA256:${digest.replace(/=+$/, "")}`;
}

/** The SSH strings (RFC 4251 §5) that `bytes` consists of, if it does. */
function splitStrings(bytes: Uint8Array): Uint8Array[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const strings: Uint8Array[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (at + 4 > bytes.length) return undefined;
    const end = at + 4 + view.getUint32(at);
    if (end > bytes.length) return undefined;
    strings.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return strings;
}

function decodeAscii(bytes: Uint8Array | undefined): string | undefined {
  if (!bytes?.length || bytes.some((b) => b < 0x21 || b > 0x7e)) {
    return undefined;
  }
  return String.fromCharCode(...bytes);
}

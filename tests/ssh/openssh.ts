/**
 * OpenSSH's programs, to compare with, and what its files hold.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { keyType } from "../../src/ssh/fingerprint.ts";

/** Whether ssh, ssh-keygen and sshd are installed. */
export const HAVE_OPENSSH = await Deno.stat("/usr/sbin/sshd").then(
  () => true,
  () => false,
);

/** Runs `body` with a new folder, which is removed then. */
export async function withFolder(body: (folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir({ prefix: "i2ptun" });
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs a program to its end. */
export async function run(command: string, ...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(command, {
    args,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

/** A public key as it travels. */
export function encode(type: string, ...fields: Uint8Array[]): Uint8Array {
  const strings = [new TextEncoder().encode(type), ...fields];
  return Buffer.concat(strings.flatMap((field) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(field.length);
    return [length, field];
  }));
}

/** A key that is different for each number. */
export const ed25519 = (n: number) =>
  encode("ssh-ed25519", Buffer.alloc(32, n));
/** A key that is different for each odd number. */
export const rsa = (n: number) =>
  encode("ssh-rsa", Buffer.from([1, 0, 1]), Buffer.alloc(256, n | 1));

/** A line of known_hosts. */
export function entry(names: string, key: Uint8Array, marker = ""): string {
  const base64 = Buffer.from(key).toString("base64");
  return `${marker && `${marker} `}${names} ${keyType(key)} ${base64}`;
}

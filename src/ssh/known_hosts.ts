/**
 * Which host keys are trusted: known_hosts files as sshd(8) "SSH_KNOWN_HOSTS
 * FILE FORMAT" describes them, with ssh(1)'s answers.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createHmac, randomBytes } from "node:crypto";
import { dirname } from "node:path";
import { I2ptunError } from "../errors.ts";
import { fingerprint, isKeyOfType, isKeyType, keyType } from "./fingerprint.ts";
import { matchHostList } from "./host_pattern.ts";

/** A key on file, as one shows it to a person. */
export interface KnownKey {
  type: string;
  /** `SHA256:…` */
  fingerprint: string;
  file: string;
  /** Counted from 1. */
  line: number;
}

/** What the files say about a key that a host presented. */
export type HostKeyCheck =
  | { status: "known" }
  /**
   * No key is on file for the host. `certAuthority`: but a `@cert-authority`
   * line is, so that its keys are meant to be certificates.
   */
  | { status: "unknown"; certAuthority: boolean }
  /**
   * Keys are on file for the host, and this is none of them. As in ssh, that
   * they are all of other types makes no difference: whoever impersonates a
   * host chooses the type. Those of the same type come first.
   */
  | { status: "changed"; expected: KnownKey[]; certAuthority: boolean }
  /** The key is marked `@revoked`. */
  | { status: "revoked"; file: string; line: number };

interface Entry {
  marker: "" | "@revoked" | "@cert-authority";
  /** The first field as it is: a list of patterns, or a hashed name. */
  names: string;
  key: Uint8Array;
  type: string;
  file: string;
  line: number;
}

/**
 * The entries of one or more known_hosts files.
 *
 * Hosts are given by name or address, IPv6 without brackets. To look up a
 * HostKeyAlias, give it as the host, and 22 as the port: the port plays no part
 * then.
 *
 * @example
 * ```ts
 * const hosts = await KnownHosts.read([`${home}/.ssh/known_hosts`]);
 * hosts.check("example.org", 22, key).status === "known";
 * ```
 */
export class KnownHosts {
  private constructor(
    private readonly entries: readonly Entry[],
    /** What was skipped and why, each `FILE:LINE: reason`. */
    readonly warnings: readonly string[],
  ) {}

  /**
   * Reads the files in order. One that does not exist is an empty one; one that
   * cannot be read and lines that cannot be understood are skipped, with a
   * warning.
   */
  static async read(files: readonly string[]): Promise<KnownHosts> {
    const entries: Entry[] = [];
    const warnings: string[] = [];
    // all at once: a start waits for them
    const texts = await Promise.allSettled(files.map(readText));
    for (const [i, file] of files.entries()) {
      const read = texts[i]!;
      if (read.status === "rejected") {
        warnings.push(`${file}: cannot be read: ${reason(read.reason)}`);
        continue;
      }
      const text = read.value;
      for (const [index, line] of text.split("\n").entries()) {
        const parsed = parseLine(line, file, index + 1);
        if (typeof parsed === "string") {
          warnings.push(`${file}:${index + 1}: skipped: ${parsed}`);
        } else if (parsed) entries.push(parsed);
      }
    }
    return new KnownHosts(entries, warnings);
  }

  /**
   * The types of the keys on file for a host, in order and without those of
   * revoked keys. Ask the server for these first, as ssh does: then it shows a
   * key that can be compared.
   */
  keyTypes(host: string, port: number): string[] {
    const entries = this.lookup(hostName(host, port));
    const revoked = entries.filter((entry) => entry.marker === "@revoked");
    const usable = entries.filter((entry) =>
      entry.marker === "" && !revoked.some((r) => sameKey(r.key, entry.key))
    );
    return [...new Set(usable.map((entry) => entry.type))];
  }

  /**
   * What the files say about a key that a host presented.
   *
   * @param key the key as it travels (RFC 4253 §6.6)
   */
  check(host: string, port: number, key: Uint8Array): HostKeyCheck {
    const result = this.checkName(hostName(host, port), key);
    if (result.status !== "unknown" || port === 22) return result;
    // ssh goes by what is on file without a port then, unless it differs.
    const bare = this.checkName(hostName(host, 22), key);
    return bare.status === "known" || bare.status === "revoked" ? bare : result;
  }

  private checkName(name: string, key: Uint8Array): HostKeyCheck {
    const entries = this.lookup(name);
    const same = entries.filter((entry) => sameKey(entry.key, key));
    const revoked = same.find((entry) => entry.marker === "@revoked");
    if (revoked) {
      return { status: "revoked", file: revoked.file, line: revoked.line };
    }
    if (same.some((entry) => entry.marker === "")) return { status: "known" };
    const certAuthority = entries.some((entry) =>
      entry.marker === "@cert-authority"
    );
    const expected = entries.filter((entry) => entry.marker === "").map(
      ({ type, key, file, line }) => ({
        type,
        fingerprint: fingerprint(key),
        file,
        line,
      }),
    );
    const ofOtherType = ({ type }: KnownKey) => Number(!isKeyOfType(key, type));
    expected.sort((a, b) => ofOtherType(a) - ofOtherType(b));
    return expected.length === 0
      ? { status: "unknown", certAuthority }
      : { status: "changed", expected, certAuthority };
  }

  private lookup(name: string): Entry[] {
    return this.entries.filter(({ names }) =>
      isHashed(names)
        ? hashName(name, saltOf(names)) === names
        : matchHostList(name, names)
    );
  }
}

export interface AddKnownHostOptions {
  /**
   * Whether to hide the host's name, as HashKnownHosts does. Undefined: if the
   * file has hashed names already.
   */
  hash?: boolean | undefined;
}

/**
 * Appends a host's key to a file, which is made if need be (0600, its folder
 * 0700). Safe while others append.
 *
 * @param key the key as it travels (RFC 4253 §6.6)
 * @returns the line as written, without its end
 * @throws {I2ptunError} "usage" if no file could hold that host's name,
 * "host-key" if that is no key, "unforeseen" if the file cannot be written.
 */
export async function addKnownHost(
  file: string,
  host: string,
  port: number,
  key: Uint8Array,
  options: AddKnownHostOptions = {},
): Promise<{ line: string }> {
  const type = keyType(key);
  if (!isKeyOfType(key, type)) {
    throw new I2ptunError("host-key", `that is not a key of type ${type}`);
  }
  // Any of these would make it another entry, or entries for other hosts.
  if (!/^[^\s,*?!|@#\p{Cc}]+$/u.test(host)) {
    throw new I2ptunError("usage", `no host can have the name "${host}"`, {
      remedy: "correct the server's name",
    });
  }
  try {
    const text = await readText(file);
    const hash = options.hash ?? /^\s*\|/m.test(text);
    const name = hostName(host, port);
    const line = `${hash ? hashName(name, randomBytes(20)) : name} ${type} ${
      Buffer.from(key).toString("base64")
    }`;
    await append(file, `${/[^\n]$/.test(text) ? "\n" : ""}${line}\n`);
    return { line };
  } catch (cause) {
    throw new I2ptunError(
      "unforeseen",
      `cannot add ${host}'s key to ${file}: ${reason(cause)}`,
      { remedy: `make ${file} writable for you`, cause },
    );
  }
}

/** In a single write, so that lines of several processes do not mix. */
async function append(file: string, text: string): Promise<void> {
  await Deno.mkdir(dirname(file), { recursive: true, mode: 0o700 });
  using handle = await Deno.open(file, {
    append: true,
    create: true,
    mode: 0o600,
  });
  const bytes = new TextEncoder().encode(text);
  if (await handle.write(bytes) !== bytes.length) {
    throw new Error("only a part could be written");
  }
}

async function readText(file: string): Promise<string> {
  try {
    return await Deno.readTextFile(file);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return "";
    throw cause;
  }
}

function reason(cause: unknown): string {
  if (cause instanceof Deno.errors.PermissionDenied) return "permission denied";
  return cause instanceof Error ? cause.message : String(cause);
}

/** An entry, what is wrong with the line, or undefined if it has none. */
function parseLine(
  text: string,
  file: string,
  line: number,
): Entry | string | undefined {
  const trimmed = text.replace(/^[ \t]+|[ \t\r]+$/g, "");
  if (trimmed === "" || trimmed.startsWith("#")) return undefined;
  const fields = trimmed.split(/[ \t]+/);
  const marker = trimmed.startsWith("@") ? fields.shift()! : "";
  if (marker !== "" && marker !== "@revoked" && marker !== "@cert-authority") {
    return `unknown marker ${marker}`;
  }
  const [names, type, base64] = fields;
  if (names === undefined || names.startsWith("@")) return "no host name";
  if (isHashed(names) && saltOf(names).length !== 20) {
    return "broken hashed host name";
  }
  if (type === undefined || base64 === undefined) return "no key";
  if (!isKeyType(type)) return `unknown key type ${type}`;
  const key = decodeBase64(base64);
  if (!key || !isKeyOfType(key, type)) return `broken ${type} key`;
  return { marker, names, key, type, file, line };
}

/** The name under which a host is on file: the port only if it is not 22. */
function hostName(host: string, port: number): string {
  const name = host.toLowerCase();
  return port === 22 ? name : `[${name}]:${port}`;
}

function isHashed(names: string): boolean {
  return names.startsWith("|");
}

/** The salt of a hashed name, 20 bytes; empty if it is broken. */
function saltOf(names: string): Uint8Array {
  const [, magic, salt, hash, ...rest] = names.split("|");
  const whole = magic === "1" && hash !== undefined && rest.length === 0;
  return (whole && decodeBase64(salt!)) || new Uint8Array();
}

function hashName(name: string, salt: Uint8Array): string {
  const hash = createHmac("sha1", salt).update(name).digest("base64");
  return `|1|${Buffer.from(salt).toString("base64")}|${hash}`;
}

function decodeBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : undefined;
}

function sameKey(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

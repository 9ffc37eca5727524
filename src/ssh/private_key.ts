/**
 * Private key files: everything that OpenSSH, PuTTY and OpenSSL write for RSA,
 * ECDSA and Ed25519 keys.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { I2ptunError } from "../errors.ts";
import type { KeyContainer } from "./key_container.ts";
import {
  damaged,
  decodeBase64,
  KeyFailure,
  type KeyFailureKind,
} from "./key_failure.ts";
import { notAKey } from "./key_lookalike.ts";
import { toParsedKey } from "./key_material.ts";
import { readOpenSshKey } from "./key_openssh.ts";
import { type PemBlock, readPemKey } from "./key_pem.ts";
import { readPpk } from "./key_ppk.ts";
import type { ParsedKey } from "./ssh2.ts";

/** What can be known of a key file without its passphrase. */
export interface PrivateKeyFile {
  path: string;
  /** Such as `ssh-ed25519`; undefined if only the passphrase reveals it. */
  type: string | undefined;
  /**
   * The public half as it travels (RFC 4253 §6.6); undefined if only the
   * passphrase reveals it, as in encrypted PEM files.
   */
  publicKey: Uint8Array | undefined;
  /** Empty if there is none or only the passphrase reveals it. */
  comment: string;
  encrypted: boolean;
  /**
   * The key as ssh2 takes it, able to sign. Takes up to a second with usual
   * files, a minute with files made to be slow.
   *
   * @param passphrase not looked at unless the file is encrypted
   * @throws {WrongPassphraseError} if it is missing or wrong
   * @throws {I2ptunError} "login-refused" if the file is damaged
   */
  decrypt(passphrase?: string): Promise<ParsedKey>;
}

/** The passphrase is missing or wrong; another one may be right. */
export class WrongPassphraseError extends I2ptunError {
  constructor(path: string, given: boolean) {
    super(
      "login-refused",
      given ? `wrong passphrase for ${path}` : `${path} needs its passphrase`,
    );
  }
}

export interface ReadPrivateKeyOptions {
  /** Refuse a file that others can read, as ssh does; false on Windows. */
  checkPermissions: boolean;
  /** Whose files are checked; this process's user unless given. */
  uid?: number;
}

/** As OpenSSH's MAX_KEY_FILE_SIZE. */
const MAX_FILE_SIZE = 1024 * 1024;

/**
 * Reads a private key file.
 *
 * @throws {Deno.errors.NotFound} if there is none at `path`
 * @throws {I2ptunError} "login-refused" if it cannot be read or used
 */
export async function readPrivateKey(
  path: string,
  options: ReadPrivateKeyOptions,
): Promise<PrivateKeyFile> {
  try {
    using file = await Deno.open(path);
    const info = await file.stat();
    if (info.isDirectory) {
      throw new I2ptunError("login-refused", `${path} is a folder, not a key`);
    }
    if (options.checkPermissions) {
      requirePrivate(path, info, options.uid ?? Deno.uid());
    }
    return parsePrivateKey(await readAtMost(file, MAX_FILE_SIZE + 1), path);
  } catch (error) {
    if (
      error instanceof I2ptunError || error instanceof Deno.errors.NotFound
    ) throw error;
    const cause = error instanceof Error ? error.message : String(error);
    throw new I2ptunError(
      "login-refused",
      `the private key ${path} cannot be read: ${cause}`,
      { cause: error },
    );
  }
}

/** OpenSSH's sshkey_perm_ok: a file of another user's is that user's affair. */
function requirePrivate(
  path: string,
  { mode, uid }: Deno.FileInfo,
  user: number | null,
): void {
  if (mode === null || uid !== user || (mode & 0o077) === 0) return;
  const octal = (mode & 0o777).toString(8).padStart(4, "0");
  throw new I2ptunError(
    "login-refused",
    `the private key ${path} is open to other users (permissions ${octal})`,
    { remedy: `chmod 600 ${quoteForShell(path)}` },
  );
}

function quoteForShell(word: string): string {
  return /^[\w./~@%+=:,-]+$/.test(word)
    ? word
    : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Not by the file's size, which a device or pipe does not have. */
async function readAtMost(
  file: Deno.FsFile,
  limit: number,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for (let length = 0; length < limit;) {
    const chunk = new Uint8Array(64 * 1024);
    const count = await file.read(chunk);
    if (count === null) break;
    chunks.push(chunk.subarray(0, count));
    length += count;
  }
  return Buffer.concat(chunks);
}

/**
 * Takes a private key file's content apart.
 *
 * @param path for messages
 * @throws {I2ptunError} "login-refused" if it is no key, damaged, or of a kind
 * that cannot be used
 */
export function parsePrivateKey(
  content: string | Uint8Array,
  path: string,
): PrivateKeyFile {
  const failed = (thrown: unknown) => explain(thrown, path);
  let container: KeyContainer;
  try {
    container = readContainer(
      typeof content === "string" ? Buffer.from(content) : content,
    );
  } catch (thrown) {
    throw failed(thrown);
  }
  const { type, publicKey, comment, encrypted, open } = container;
  return {
    path,
    type,
    publicKey,
    comment,
    encrypted,
    async decrypt(passphrase = "") {
      // No tool encrypts with an empty passphrase.
      if (encrypted && passphrase === "") {
        throw new WrongPassphraseError(path, false);
      }
      try {
        const key = await open(Buffer.from(passphrase));
        return toParsedKey(key.material, key.comment);
      } catch (thrown) {
        throw failed(thrown);
      }
    },
  };
}

function readContainer(content: Uint8Array): KeyContainer {
  if (content.length > MAX_FILE_SIZE) {
    throw new KeyFailure("not-a-key", "it is too large for one");
  }
  const text = decodeText(content);
  if (text.startsWith("PuTTY-User-Key-File-")) return readPpk(text);
  const block = findPrivateBlock(text);
  if (block === undefined) throw notAKey(text);
  return block.label === "OPENSSH PRIVATE KEY"
    ? readOpenSshKey(block.bytes)
    : readPemKey(block);
}

/** One character for each byte: only comments are ever more than ASCII. */
function decodeText(content: Uint8Array): string {
  // What PowerShell's `>` makes of a key.
  const isUtf16 = content[0] === 0xff && content[1] === 0xfe;
  const bytes = isUtf16
    ? new TextEncoder().encode(new TextDecoder("utf-16le").decode(content))
    : content;
  return Buffer.from(bytes).toString("latin1")
    .replace(/^\xef\xbb\xbf/, "").trimStart();
}

const END_OF_LABEL = "PRIVATE KEY-----";

/** The first private key among the blocks of a PEM file. */
function findPrivateBlock(text: string): PemBlock | undefined {
  const labelEnd = text.indexOf(END_OF_LABEL);
  if (labelEnd < 0) return undefined;
  const begin = text.lastIndexOf("-----BEGIN ", labelEnd);
  if (begin < 0) return undefined;
  const label = text.slice(begin + 11, labelEnd + 11);
  if (!/^[A-Z0-9 ]+$/.test(label)) return undefined;
  const start = labelEnd + END_OF_LABEL.length;
  const end = text.indexOf(`-----END ${label}-----`, start);
  if (end < 0) throw damaged("its last line is missing");

  const lines = text.slice(start, end).trim().split(/\r\n|\r|\n/);
  const headers = new Map<string, string>();
  const isHeader = (line: string | undefined) => line?.includes(":");
  while (isHeader(lines[0])) {
    const line = lines.shift()!;
    const colon = line.indexOf(":");
    headers.set(
      line.slice(0, colon).trim().toLowerCase(),
      line.slice(colon + 1).trim(),
    );
  }
  return { label, headers, bytes: decodeBase64(lines.join("\n")) };
}

/** The beginning of the message, before what exactly is wrong. */
const SENTENCES: Record<KeyFailureKind, (path: string) => string> = {
  damaged: (path) => `the private key ${path} is damaged`,
  unsupported: (path) => `the private key ${path} cannot be used`,
  "not-a-key": (path) => `${path} is not a private key`,
  "wrong-passphrase": (path) => `wrong passphrase for ${path}`,
};

function explain(thrown: unknown, path: string): I2ptunError {
  // The primitives below throw what they like at altered bytes.
  const failure = thrown instanceof KeyFailure
    ? thrown
    : damaged(thrown instanceof Error ? thrown.message : String(thrown));
  if (failure.kind === "wrong-passphrase") {
    return new WrongPassphraseError(path, true);
  }
  return new I2ptunError(
    "login-refused",
    `${SENTENCES[failure.kind](path)}: ${failure.message}`,
    {
      remedy: failure.remedy?.replaceAll("FILE", quoteForShell(path)) ??
        (failure.kind === "damaged"
          ? "restore it from a backup, or make a new key: i2ptun key create"
          : undefined),
      cause: thrown,
    },
  );
}

/**
 * What `deno compile` has put into an executable.
 *
 * Format: the section "d3n0l4nd" that Deno's standalone/binary.rs writes: that
 * word, the length of a JSON text as 64 bits, the text, the modules and files,
 * and the word again. Byte order is little-endian.
 *
 * @module
 */

import { Buffer } from "node:buffer";

const MAGIC = "d3n0l4nd";
const BEGIN = `{"argv":`;

/** What Deno runs with; a list that is empty allows everything. */
export type Permissions = Record<string, string[] | boolean | null>;

export interface Embedded {
  permissions: Permissions;
  /** The paths in it of the files that are run, `/` between their parts. */
  files: string[];
  /** The module that is run first, one of `files`. */
  main: string;
  /** All but `permissions`, which is the same for every system. */
  program: Uint8Array;
}

/** A folder of Deno's virtual file system, as its JSON has it. */
type Entry =
  | { Dir: { n: string; e: Entry[] } }
  | { File: { n: string } }
  | { Symlink: { n: string } };

/**
 * Reads what an executable embeds.
 *
 * @throws {Error} if `deno compile` has not made it, or otherwise than 2.7 does
 */
export function embedded(executable: Uint8Array): Embedded {
  const bytes = Buffer.from(executable.buffer, executable.byteOffset)
    .subarray(0, executable.byteLength);
  const begin = findBegin(bytes);
  const text = begin + MAGIC.length + 8;
  const end = text + Number(bytes.readBigUInt64LE(begin + MAGIC.length));
  const { permissions, entrypoint_key, ...others } = JSON.parse(
    bytes.toString("utf8", text, end),
  );
  const last = bytes.lastIndexOf(MAGIC);
  if (last < end) throw new Error("the embedded program is cut off");
  const rest = bytes.subarray(end, last);
  return {
    permissions,
    files: filesOf(rest),
    main: entrypoint_key,
    program: Buffer.concat([
      Buffer.from(JSON.stringify({ entrypoint_key, ...others })),
      rest,
    ]),
  };
}

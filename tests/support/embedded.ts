/**
 * What `deno compile` has put into an executable.
 *
 * Format, of Deno 2.7 and 2.9 (cli/standalone/binary.rs): "d3n0l4nd", the length
 * of a JSON text as 64 bits, the text, modules and files, and the word again.
 * Before the files stand their names, likewise JSON with its length before it.
 * Numbers are little-endian.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";

const MAGIC = "d3n0l4nd";
const HEADER = MAGIC.length + 8;

export interface Embedded {
  /** As `deno compile` calls them; an empty list allows everything. */
  permissions: Record<string, string[] | boolean | null>;
  /** Paths, with `/`. */
  files: string[];
  /** The one that is run. */
  main: string;
  /** All files and how they are run, the permissions left out. */
  program: Buffer;
}

/** An entry of Deno's virtual file system: its kind, and what it is. */
type Entry = Record<"Dir" | "File", { n: string; e?: Entry[] }>;

/** Reads an executable. @throws {assert.AssertionError} if it has no program */
export async function readEmbedded(path: string): Promise<Embedded> {
  const bytes = Buffer.from((await Deno.readFile(path)).buffer);
  const start = bytes.indexOf('{"argv":[') - HEADER;
  const isThere = start > 0 &&
    bytes.toString("latin1", start, start + MAGIC.length) === MAGIC;
  assert(isThere, `${path} has no embedded program`);
  const { text, end } = textAt(bytes, start + HEADER);
  const { permissions, entrypoint_key: main, ...how } = JSON.parse(text);
  const rest = bytes.subarray(end, bytes.lastIndexOf(MAGIC));
  const names = textAt(rest, rest.indexOf('[{"'));
  return {
    permissions,
    main,
    files: JSON.parse(names.text).flatMap((entry: Entry) => pathsOf(entry)),
    program: Buffer.concat([Buffer.from(JSON.stringify(how)), rest]),
  };
}

/** The text at a place, whose length stands before it. */
function textAt(bytes: Buffer, at: number): { text: string; end: number } {
  const end = at + Number(bytes.readBigUInt64LE(at - 8));
  return { text: bytes.toString("utf8", at, end), end };
}

function pathsOf(entry: Entry): string[] {
  return Object.values(entry).flatMap(({ n, e }) =>
    e ? e.flatMap(pathsOf).map((path) => `${n}/${path}`) : [n]
  );
}

/**
 * The files of ssh_config(5): which there are, and what is in them.
 *
 * @module
 */

import { dirname, isAbsolute } from "node:path";
import { I2ptunError } from "../errors.ts";
import { type Directive, parseSshConfig } from "./ssh_config_parse.ts";

/** Where the files are and who reads them. */
export interface SshConfigContext {
  /** The user's file, then the system's. One that does not exist is empty. */
  files: readonly string[];
  /** Lines that count before those of any file, as with `ssh -o`. */
  options?: readonly string[];
  /** The user's home folder, for `~`, `%d` and what `Include` is relative to. */
  home: string;
  localUser: string;
  /** By default this machine's. */
  localHostname?: string;
  /** By default this process's. */
  uid?: number;
  env: (name: string) => string | undefined;
}

/** What an `Include` in the context's file at `index` is relative to. */
export function includeFolder(context: SshConfigContext, index: number) {
  return index === 0 ? `${context.home}/.ssh` : dirname(context.files[index]!);
}

/**
 * The directives of a file, none if there is no such file.
 *
 * @throws {I2ptunError} "usage" if it cannot be read.
 */
export async function readDirectives(file: string): Promise<Directive[]> {
  try {
    return parseSshConfig(await Deno.readTextFile(file), file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw new I2ptunError("usage", `cannot read ${file}`, {
      remedy: `make ${file} a file that you may read, or leave it out`,
      cause: error,
    });
  }
}

/**
 * The files that an `Include` names with a pattern as glob(7) has it, in order
 * of their names.
 *
 * @param folder where a relative pattern begins
 */
export async function findFiles(
  pattern: string,
  folder: string,
): Promise<string[]> {
  const absolute = isAbsolute(pattern) ? pattern : `${folder}/${pattern}`;
  const [root = "", ...parts] = absolute.split(
    Deno.build.os === "windows" ? /[/\\]/ : "/",
  );
  let paths = [root];
  for (const part of parts) {
    const found = await Promise.all(paths.map((path) => enter(path, part)));
    paths = found.flat();
  }
  // What has no wildcards was not looked at so far.
  const there = await Promise.all(paths.map(isThere));
  return paths.filter((_, index) => there[index]);
}

async function enter(path: string, part: string): Promise<string[]> {
  if (!/[*?[]/.test(part)) return [`${path}/${part}`];
  const matches = globPart(part);
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(`${path}/`)) {
      if (matches.test(name)) names.push(name);
    }
  } catch {
    return []; // no folder, or none that may be read: ssh finds nothing either
  }
  return names.sort().map((name) => `${path}/${name}`);
}

/** One part of a path; a leading dot is matched by a dot only. */
function globPart(part: string): RegExp {
  const source = part.replace(
    /\[([!^]?)(\]?[^\]]*)\]|[\s\S]/g,
    (char, not, set: string | undefined) => {
      if (set) {
        return `[${not ? "^" : ""}${set.replace(/[\\\]^[]/g, "\\$&")}]`;
      }
      if (char === "*") return "[^]*";
      if (char === "?") return "[^]";
      return char.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
    },
  );
  return new RegExp(`^${/^[.]/.test(part) ? "" : "(?![.])"}${source}$`);
}

async function isThere(path: string): Promise<boolean> {
  try {
    return !(await Deno.stat(path)).isDirectory;
  } catch {
    return false;
  }
}

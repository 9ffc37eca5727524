/**
 * A line as it stands in a guide, in words.
 *
 * @module
 */

import { I2ptunError } from "../errors.ts";

/**
 * Splits a command line into words as a POSIX shell does: white space, quotes
 * and backslashes, nothing else. A `$` prompt and a leading `ssh`, or
 * `i2ptun ssh`, are left out.
 *
 * @throws {I2ptunError} `usage` if a quote is not closed
 */
export function splitCommandLine(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  const pattern =
    /\\\r?\n|\\(.)|'([^']*)'|"((?:\\.|[^"\\])*)"|(['"\\])|(\s+)|([^\s'"\\]+)/gs;
  for (const match of line.trim().matchAll(pattern)) {
    const [, escaped, single, double, open, space, plain] = match;
    if (open !== undefined) {
      throw new I2ptunError("usage", `a ${open} is not closed`, {
        remedy: "copy the whole line",
      });
    }
    if (space !== undefined) {
      if (word !== undefined) words.push(word);
      word = undefined;
      continue;
    }
    const text = escaped ?? single ??
      double?.replace(/\\(["\\$`])/g, "$1") ?? plain;
    if (text !== undefined) word = (word ?? "") + text;
  }
  if (word !== undefined) words.push(word);
  if (words[0] === "$") words.shift();
  const isCalled = (name: string, at: number) =>
    new RegExp(`^(?:.*/)?${name}(?:\\.exe)?$`).test(words[at] ?? "");
  if (isCalled("i2ptun", 0) && isCalled("ssh", 1)) words.shift();
  if (isCalled("ssh", 0)) words.shift();
  return words;
}

import { Buffer } from "node:buffer";
import { complete } from "../completion.ts";
import { COMPLETION_SCRIPTS } from "../completion_scripts.ts";
import { userValues } from "../completion_values.ts";
import { print, printRaw } from "../output.ts";
import type { SHELLS } from "../shells.ts";

type Program = Parameters<typeof complete>[0];

/** `completions`: the script for a shell. */
export function completions(shell: typeof SHELLS[number]): void {
  printRaw(COMPLETION_SCRIPTS[shell]);
}

/**
 * A command line that a shell could not pass on unharmed as arguments.
 *
 * @param encoded Base64 of UTF-8, a word a line; the last is what is before the
 * cursor of the word it is in, or empty
 */
export function decodeWords(
  encoded: string,
): { words: string[]; current: string } {
  const words = Buffer.from(encoded, "base64").toString().split("\n");
  const current = words.pop() ?? "";
  return { words, current };
}

/** `complete`, which those scripts ask; it never complains. */
export async function answerShell(
  program: Program,
  words: string[],
  current: string,
): Promise<void> {
  const found = await complete(program, words, current, userValues)
    .catch(() => []);
  if (found === "files") return print(":files");
  for (const { value, about } of found) print(`${value}\t${about}`);
}

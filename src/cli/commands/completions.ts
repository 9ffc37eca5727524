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

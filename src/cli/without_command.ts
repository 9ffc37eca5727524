/**
 * `i2ptun` without a command, as after a double-click.
 *
 * @module
 */

import type { Command } from "@commander-js/extra-typings";
import { I2ptunError } from "../errors.ts";
import { canDraw, sayError } from "./output.ts";
import type { GlobalFlags } from "./surroundings.ts";

/** The global flags, if there is nothing else. */
export function flagsAlone(
  args: string[],
  program: Command,
): GlobalFlags | undefined {
  const isFlag = (word: string, i: number) =>
    ["--debug", "--no-color", "--json", "--config"].includes(word) ||
    word.startsWith("--config=") || args[i - 1] === "--config";
  if (!args.every(isFlag)) return undefined;
  const { operands, unknown } = program.parseOptions(args);
  return operands.length + unknown.length > 0 ? undefined : program.opts();
}

/** Whether a person is at all three ends, and a menu can be drawn there. */
export function hasTerminal(): boolean {
  return [Deno.stdin, Deno.stdout, Deno.stderr].every(canDraw);
}

/**
 * Shows the menu. A window that was opened by a double-click must not
 * close before an error in it was read.
 *
 * @returns the exit code
 */
export async function runMenu(flags: GlobalFlags): Promise<number> {
  try {
    const { windowTitle } = await import("./window_title.ts");
    using _title = windowTitle("i2ptun");
    const { menu } = await import("./menu.ts");
    const { openContext } = await import("./context.ts");
    await menu(openContext(flags));
    return 0;
  } catch (thrown) {
    const error = I2ptunError.from(thrown);
    if (error.kind !== "interrupted") {
      sayError(error, flags.debug ?? false);
      const { anyKey } = await import("./live_menu.ts");
      await anyKey("Press any key to close").catch(() => {});
    }
    return error.exitCode;
  }
}

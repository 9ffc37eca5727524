/**
 * What each command of the tree is told besides its own words.
 *
 * @module
 */

import type { Context } from "../context.ts";
import type { GlobalFlags } from "../surroundings.ts";

type Leaf = { optsWithGlobals(): unknown };

/** The flags of a command and of the whole program. */
export function flagsOf(command: Leaf): GlobalFlags {
  return command.optsWithGlobals() as GlobalFlags;
}

/** What most commands work with, loaded when one runs. */
export async function contextOf(command: Leaf): Promise<Context> {
  const { openContext } = await import("../context.ts");
  return openContext(flagsOf(command));
}

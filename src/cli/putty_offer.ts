/**
 * Offering to take over what somebody has set up in PuTTY.
 *
 * @module
 */

import { hasForwards } from "../profile/import_putty.ts";
import { readPuttyStore } from "../profile/putty_store.ts";
import type { Context } from "./context.ts";
import { Back } from "./interruption.ts";
import { askYesNo } from "./prompts.ts";
import { spinner } from "./spinner.ts";

/** Whether PuTTY has saved sessions with forwards. */
export async function hasPuttyTunnels(
  { environment }: Context,
): Promise<boolean> {
  using _busy = spinner("looking");
  try {
    return (await readPuttyStore({}, environment)).sessions.some(hasForwards);
  } catch {
    return false;
  }
}

/**
 * Asks whoever has no profile yet, and need then not type what PuTTY knows.
 *
 * @throws {I2ptunError} `interrupted` after Ctrl-C
 */
export async function wantsPuttyTunnels(): Promise<boolean> {
  const question = "PuTTY has saved sessions with tunnels. Import them?";
  try {
    return await askYesNo(question, true);
  } catch (error) {
    if (error instanceof Back) return false;
    throw error;
  }
}

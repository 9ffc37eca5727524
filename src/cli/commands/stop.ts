import { stopRunning } from "../../background/running.ts";
import { I2ptunError } from "../../errors.ts";
import { checkName } from "../../profile/profile.ts";
import type { Context } from "../context.ts";
import { unlessInterrupted } from "../interruption.ts";
import { print, printJson } from "../output.ts";
import { spinner } from "../spinner.ts";

/**
 * `profile stop`. A profile that was taken out of the file while it ran can be
 * stopped like any other.
 */
export async function stop(
  names: string[],
  all: boolean,
  context: Context,
): Promise<void> {
  if (!all && names.length === 0) {
    throw new I2ptunError("usage", "which profile?", {
      remedy: "i2ptun profile stop NAME, or --all",
    });
  }
  const wanted = all ? await context.folder.names() : names;
  const results: { name: string; stopped: boolean }[] = [];
  for (const name of wanted) {
    checkName(name);
    const stopped = await stopOne(name, context);
    if (!stopped && !all) await context.store.get(name);
    results.push({ name, stopped });
    if (!context.json) {
      print(stopped ? `stopped ${name}` : `${name} was not running`);
    }
  }
  if (context.json) printJson({ profiles: results });
}

/**
 * Stops a profile.
 *
 * @returns whether it ran
 * @throws {I2ptunError} `interrupted` after Ctrl-C
 */
export async function stopOne(
  name: string,
  context: Context,
): Promise<boolean> {
  using _busy = spinner(`stopping ${name}`);
  return await unlessInterrupted(stopRunning(context.folder, name));
}

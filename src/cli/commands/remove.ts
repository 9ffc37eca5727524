import { isRunning, stopRunning } from "../../background/running.ts";
import { I2ptunError } from "../../errors.ts";
import type { Context } from "../context.ts";
import { print, printJson } from "../output.ts";
import { askYesNo, isInteractive } from "../prompts.ts";

/** `profile remove` */
export async function remove(
  name: string,
  yes: boolean,
  context: Context,
): Promise<void> {
  await context.store.get(name);
  if (await isRunning(context.folder, name)) {
    throw new I2ptunError("usage", `${name} is running`, {
      remedy: `i2ptun profile stop ${name}`,
    });
  }
  if (!yes) {
    if (!isInteractive()) {
      throw new I2ptunError("usage", `removing ${name} needs a confirmation`, {
        remedy: `i2ptun profile remove ${name} --yes`,
      });
    }
    if (!await askYesNo(`Remove ${name}?`, false)) {
      return print(`${name} is kept`);
    }
  }
  await context.store.remove(name);
  // what a failed run left to be seen in status
  await stopRunning(context.folder, name);
  if (context.json) return printJson({ removed: name });
  print(`removed ${name}`);
}

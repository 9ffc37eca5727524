import type { Context } from "../context.ts";
import { start, type StartOptions } from "./start.ts";
import { stopOne } from "./stop.ts";

/** `profile restart` */
export async function restart(
  names: string[],
  options: StartOptions,
  context: Context,
): Promise<void> {
  // a mistake in the file must not take down what runs
  for (const name of names) await context.store.get(name);
  for (const name of names) await stopOne(name, context);
  await start(names, { ...options, again: true }, context);
}

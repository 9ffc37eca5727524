import { runInBackground } from "../../background/launch.ts";
import type { Context } from "../context.ts";

/** The process that `profile start` starts; not for people. */
export async function background(context: Context): Promise<void> {
  await runInBackground(context.environment);
}

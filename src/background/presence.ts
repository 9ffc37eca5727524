/**
 * Notices that a profile was taken out of its file while its tunnel runs.
 *
 * @module
 */

import { I2ptunError } from "../errors.ts";
import type { Profile } from "../profile/profile.ts";

/** @throws {I2ptunError} `not-found` when the profile's file no longer has it */
export async function checkPresence({ name, file }: Profile): Promise<void> {
  if (file === undefined) return;
  // one that is away, or being written, says nothing
  const text = await Deno.readTextFile(file).catch(() => "");
  if (!hasKey(text, "profiles") || hasKey(text, name)) return;
  throw new I2ptunError("not-found", `${name} is no longer in ${file}`, {
    remedy: "put it back there, or see: i2ptun profile list",
  });
}

/**
 * Whether a mapping of the YAML has the key, be it any. Reading YAML itself
 * takes environment variables, which a running tunnel has given up, and memory.
 */
function hasKey(text: string, key: string): boolean {
  const lines = text.split("\n").filter((line) => !/^\s*#/.test(line));
  const pattern = RegExp(`(?<![\\w.-])${RegExp.escape(key)}["']?\\s*:`);
  return lines.some((line) => pattern.test(line));
}

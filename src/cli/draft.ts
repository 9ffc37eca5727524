/**
 * What was typed for a profile that is not saved yet, kept in a file so that
 * whoever leaves half-way, or whose window closes, can go on another time.
 * Nothing secret is in it.
 *
 * @module
 */

import { dirname, join } from "node:path";
import * as v from "valibot";
import { SERVICE_NAMES } from "../i2p/services.ts";
import type { Paths } from "../platform/paths.ts";

const draftSchema = v.object({
  /** `[user@]host[:port]` */
  server: v.string(),
  /** Empty if it stands in `server` or in ssh_config. */
  user: v.string(),
  /** Key files, apart from those in their usual places. */
  identity: v.array(v.string()),
  /** Undefined until they were chosen. */
  services: v.optional(v.array(v.picklist(SERVICE_NAMES))),
  name: v.string(),
  /** What stood at questions that were left before Enter. */
  halfTyped: v.optional(
    v.object({
      server: v.optional(v.string()),
      user: v.optional(v.string()),
      keyFile: v.optional(v.string()),
      name: v.optional(v.string()),
    }),
    {},
  ),
});

/** The answers so far; empty texts are not given yet. */
export type Draft = v.InferOutput<typeof draftSchema>;

const EMPTY: Draft = {
  server: "",
  user: "",
  identity: [],
  name: "",
  halfTyped: {},
};

/** Whether there is anything to go on with. */
export function isBegun({ server, halfTyped }: Draft): boolean {
  return server !== "" || halfTyped.server !== undefined;
}

const fileOf = ({ state }: Paths) => join(state, "draft.json");

/** The draft that was left, else an empty one. */
export async function loadDraft(paths: Paths): Promise<Draft> {
  try {
    return v.parse(
      draftSchema,
      JSON.parse(await Deno.readTextFile(fileOf(paths))),
    );
  } catch {
    return structuredClone(EMPTY);
  }
}

/** Keeps a draft, as far as this machine lets it: it is not worth an error. */
export async function keepDraft(draft: Draft, paths: Paths): Promise<void> {
  const file = fileOf(paths);
  try {
    await Deno.mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await Deno.writeTextFile(file, JSON.stringify(draft), { mode: 0o600 });
  } catch {
    // a disk that is full or cannot be written
  }
}

/** Once the profile is saved. */
export async function forgetDraft(paths: Paths): Promise<void> {
  await Deno.remove(fileOf(paths)).catch(() => {});
}

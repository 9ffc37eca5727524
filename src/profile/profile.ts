/**
 * What a tunnel should be, checked and with every default filled in.
 *
 * @module
 */

import { I2ptunError } from "../errors.ts";
import type { Forward } from "../forward/address.ts";
import type { ServerAddress } from "./server_address.ts";

/** A profile of profiles.yaml. Paths are as written: `~/` is not yet expanded. */
export interface Profile {
  name: string;
  server: ServerAddress;
  /** From this machine to the server, the nearest first. */
  jump: ServerAddress[];
  identity: string[];
  agent: boolean;
  knownHosts: string | undefined;
  /** The only host key to accept: `SHA256:` and 43 characters. */
  hostKey: string | undefined;
  /** The server is lost after `intervalMs` × `count` without an answer. */
  keepalive: { intervalMs: number; count: number };
  reconnect: { maxDelayMs: number } | false;
  connectTimeoutMs: number;
  /** False: read none; undefined: the usual one. */
  sshConfig: string | false | undefined;
  /** Open a session, as `ssh` does without `-N`. */
  session: boolean;
  forwards: Forward[];
  /** Lines of ssh_config(5) that count before any file, as with `ssh -o`. */
  sshOptions?: readonly string[];
  /**
   * The keys that stand in the file, as they are called there, those of inner
   * mappings with a dot (`keepalive`, `keepalive.interval`). All else in the
   * profile is a default, which ~/.ssh/config may replace.
   */
  written: ReadonlySet<string>;
  /** The file it is from, if it is from one; absolute. */
  file?: string | undefined;
}

/** What holds where a profile says nothing. */
export const DEFAULTS = {
  agent: true,
  keepalive: { intervalMs: 15_000, count: 3 },
  reconnect: { maxDelayMs: 30_000 },
  connectTimeoutMs: 15_000,
  session: false,
} as const;

/** What the name of a profile or of a forward may be. */
export const NAME_PATTERN = /^(?!-|\.{1,2}$|__proto__$)[A-Za-z0-9._-]{1,64}$/;

/**
 * Checks the name of a profile or of a forward.
 *
 * @returns the name
 * @throws I2ptunError "usage" saying what a name may be
 */
export function checkName(name: string): string {
  if (NAME_PATTERN.test(name)) return name;
  throw new I2ptunError(
    "usage",
    `"${name}" is not a name: letters, digits, ".", "_" and "-", not "-" first, at most 64`,
    { remedy: "choose another name, such as home" },
  );
}

/** The name among `others` that is `name` but for the case of its letters. */
export function sameButForCase(
  name: string,
  others: readonly string[],
): string | undefined {
  const lower = name.toLowerCase();
  return others.find((each) => each !== name && each.toLowerCase() === lower);
}

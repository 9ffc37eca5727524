/**
 * The questions whose answers make a profile, each with what was typed before
 * to be changed.
 *
 * @module
 */

import { resolve } from "node:path";
import { I2ptunError } from "../errors.ts";
import { type Environment, expandHome } from "../platform/paths.ts";
import { NAME_PATTERN } from "../profile/profile.ts";
import { parseServerAddress } from "../profile/server_address.ts";
import { askText, type AskTextOptions } from "./prompts.ts";

/** Where a question goes on from, and what becomes of what is left there. */
export type Typed = Required<Pick<AskTextOptions, "typed" | "onLeft">>;

/** @returns as {@link parseServerAddress} takes it */
export async function askServer(typed: Typed): Promise<string> {
  const text = await askText("Server (such as me@203.0.113.7):", {
    ...typed,
    check: (text) => complaint(() => parseServerAddress(text.trim())),
  });
  return text.trim();
}

/** As useradd(8) takes it; Windows' users are often called by their full names. */
const UNIX_NAME = /^[a-z_][\w.-]*$/i;

/** The user to log in as; by default the one of this machine, as for ssh(1). */
export async function askUser(
  typed: Typed,
  { userName }: Environment,
): Promise<string> {
  const text = await askText("User name on the server:", {
    ...typed,
    default: UNIX_NAME.test(userName) ? userName : undefined,
    check: (text) =>
      complaint(() => parseServerAddress(`${text.trim()}@server`)),
  });
  return text.trim();
}

/** The absolute path of a file that exists. */
export async function askKeyFile(
  typed: Typed,
  environment: Environment,
): Promise<string> {
  // a file that is dropped on a terminal comes in quotes
  const pathOf = (text: string) =>
    resolve(
      expandHome(text.trim().replace(/^(["'])(.*)\1$/, "$2"), environment),
    );
  const text = await askText(
    "Private key file (OpenSSH, PEM or PuTTY's .ppk):",
    {
      ...typed,
      check: async (text) => {
        const path = pathOf(text);
        const { isFile } = await Deno.stat(path).catch(() => ({
          isFile: false,
        }));
        return isFile || `there is no file ${path}`;
      },
    },
  );
  return pathOf(text);
}

/** A name for the profile of a host that none in `taken` has. */
export async function askName(
  typed: Typed,
  host: string,
  taken: string[],
): Promise<string> {
  return await askText("Name for this connection:", {
    ...typed,
    default: freeName(host, taken),
    check: (text) =>
      !NAME_PATTERN.test(text)
        ? "letters, digits, '.', '_' and '-' only, and no '-' first"
        : !taken.includes(text) || `there is a profile ${text} already`,
  });
}

/** The host's own name, `home` for an address, and a number if it is taken. */
function freeName(host: string, taken: string[]): string {
  const [label = ""] = host.split(".");
  const base = NAME_PATTERN.test(label) && /[A-Za-z]/.test(label)
    ? label
    : "home";
  for (let i = 1;; i++) {
    const name = i === 1 ? base : `${base}-${i}`;
    if (!taken.includes(name)) return name;
  }
}

/** What is wrong according to something that throws, or true. */
function complaint(check: () => unknown): true | string {
  try {
    check();
    return true;
  } catch (error) {
    return I2ptunError.from(error).message;
  }
}

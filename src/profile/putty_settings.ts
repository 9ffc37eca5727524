/**
 * How PuTTY writes down names and lists (windows/utils/registry.c and
 * settings.c of its source), and the settings of one session.
 *
 * @module
 */

import { decodeBytes } from "./reg_file.ts";
import type { ServerAddress } from "./server_address.ts";

/** A saved session. */
export interface PuttySession {
  name: string;
  settings: PuttySettings;
}

/** The settings of a session by PuTTY's names, such as `HostName`. */
export class PuttySettings {
  readonly #values = new Map<string, string>();

  constructor(values: Iterable<readonly [string, string]>) {
    for (const [name, value] of values) {
      // the registry does not tell large from small letters; in a file the
      // first line counts
      const key = name.toLowerCase();
      if (!this.#values.has(key)) this.#values.set(key, printable(value));
    }
  }

  /** A text without the white space around it; empty if it is not set. */
  text(name: string): string {
    return this.#values.get(name.toLowerCase())?.trim() ?? "";
  }

  /** A whole number; `byDefault` if it is not set or none. */
  number(name: string, byDefault = 0): number {
    const text = this.text(name);
    return /^-?\d+$/.test(text) ? Number(text) : byDefault;
  }

  /** A switch. */
  flag(name: string, byDefault = false): boolean {
    return this.number(name, Number(byDefault)) !== 0;
  }

  /** A list of `NAME=VALUE,NAME=VALUE`. */
  list(name: string): [name: string, value: string][] {
    return splitList(this.#values.get(name.toLowerCase()) ?? "");
  }
}

/** Without what could do something to the terminal it is shown on. */
export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, "\ufffd");
}

/**
 * Undoes PuTTY's percent-escapes, which stand for bytes: UTF-8, or else of
 * Windows' code page.
 *
 * @example
 * ```ts
 * unescapePercent("My%20Router"); // "My Router"
 * ```
 */
export function unescapePercent(text: string): string {
  return text.replace(
    /(?:%[0-9A-Fa-f]{2})+/g,
    (run) => decodeBytes(Uint8Array.fromHex(run.replaceAll("%", ""))),
  );
}

/**
 * The entries of a list as PuTTY writes it: a backslash keeps the next
 * character, a name without "=" has an empty value.
 */
export function splitList(text: string): [name: string, value: string][] {
  const entries: [string, string][] = [];
  let parts = [""];
  const end = () => {
    const [name = "", ...values] = parts;
    if (name !== "") entries.push([name, values.at(-1) ?? ""]);
    parts = [""];
  };
  for (const [whole, escaped] of text.matchAll(/\\([^])|[^]/gu)) {
    if (whole === ",") end();
    else if (whole === "=") parts.push("");
    else parts[parts.length - 1] += escaped ?? whole;
  }
  end();
  return entries;
}

/** Why no SSH connection can come of it. */
export function whyUnfit(settings: PuttySettings): string | undefined {
  const protocol = settings.text("Protocol") || "ssh";
  if (protocol !== "ssh") {
    return `its connection type is ${protocol}, not SSH`;
  }
  if (settings.text("HostName") === "") return "it has no host name";
  // 0: "1 only", of earlier times
  if (settings.number("SshProt", 3) === 0) return "it insists on SSH-1";
}

/**
 * Where a session leads, as `prepare_session` of PuTTY's source has it: a user
 * before the host wins over the one that is set, a port after it plays no part.
 */
export function serverOf(settings: PuttySettings): ServerAddress {
  const written = settings.text("HostName");
  const at = written.lastIndexOf("@");
  const host = written.slice(at + 1).replace(/\s+/g, "");
  const user = at >= 0 ? written.slice(0, at) : settings.text("UserName");
  const port = settings.number("PortNumber", 22);
  return {
    user: user === "" ? undefined : user,
    host: /^\[(.*)\]/.exec(host)?.[1] ?? host.replace(/^([^:]*):[^:]*$/, "$1"),
    port: port === 22 ? undefined : port,
  };
}

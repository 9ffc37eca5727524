/**
 * Whether, and which, program listens on a port of this machine.
 *
 * @module
 */

import { currentSystem, type System } from "./paths.ts";
import { output } from "./run.ts";

/** Longer than a program on this machine takes to be connected to, by far. */
const ANSWER_MS = 100;

/**
 * Whether a program can be reached at an address that this system would all the
 * same let another one listen at. Windows and macOS give out 127.0.0.1:PORT
 * beside somebody's 0.0.0.0:PORT, and its connections from here with it
 * ("Using SO_REUSEADDR and SO_EXCLUSIVEADDRUSE" in Microsoft's documentation).
 */
export async function isHidden(
  hostname: string,
  port: number,
  system: System = currentSystem(),
): Promise<boolean> {
  if (system === "linux" || port === 0) return false;
  try {
    // Windows takes two seconds to tell that nobody is there
    const signal = AbortSignal.timeout(ANSWER_MS);
    (await Deno.connect({ hostname, port, signal })).close();
    return true;
  } catch {
    return false;
  }
}

/**
 * The program and its process id, such as `i2pd (pid 4242)`; for another user's,
 * which the system keeps to itself, that user; undefined if it says nothing.
 */
export async function portOwner(
  port: number,
  system: System,
): Promise<string | undefined> {
  switch (system) {
    case "linux": {
      const said = await output("ss", "-Hltnpe", `sport = :${port}`);
      return parseSs(said) ?? parseLsof(await lsof(port)) ??
        await userOf(said);
    }
    case "darwin":
      return parseLsof(await lsof(port));
    case "windows": {
      const pid = parseNetstat(
        await output("netstat", "-ano", "-p", "TCP"),
        port,
      );
      if (pid === undefined) return undefined;
      const list = await output(
        "tasklist",
        "/FI",
        `PID eq ${pid}`,
        "/FO",
        "CSV",
        "/NH",
      );
      const name = /^"([^"]+)"/m.exec(list ?? "")?.[1];
      return name ? `${name} (pid ${pid})` : `pid ${pid}`;
    }
  }
}

function lsof(port: number): Promise<string | undefined> {
  return output("lsof", "-nP", `-iTCP:${port}`, "-sTCP:LISTEN", "-Fpc");
}

/** `users:(("i2pd",pid=4242,fd=7))` in the output of ss(8). */
export function parseSs(text: string | undefined): string | undefined {
  const found = /users:\(\("([^"]+)",pid=(\d+)/.exec(text ?? "");
  return found ? `${found[1]} (pid ${found[2]})` : undefined;
}

/** The user in the output of `ss -e`, as passwd(5) names it. */
async function userOf(said: string | undefined): Promise<string | undefined> {
  const id = parseSsUser(said);
  if (id === undefined) return undefined;
  const users = await Deno.readTextFile("/etc/passwd").catch(() => "");
  const entry = users.split("\n").find((line) => line.split(":")[2] === id);
  return `a program of the user ${entry?.split(":")[0] ?? id}`;
}

/** `uid:112` in the output of `ss -e`; it leaves out root's. */
export function parseSsUser(text: string | undefined): string | undefined {
  if (!text?.startsWith("LISTEN")) return undefined;
  return /\suid:(\d+)\s/.exec(text)?.[1] ?? "0";
}

/** The field output of lsof(8): a line `p4242`, then `ci2pd`. */
export function parseLsof(text: string | undefined): string | undefined {
  const pid = /^p(\d+)$/m.exec(text ?? "")?.[1];
  const name = /^c(.+)$/m.exec(text ?? "")?.[1];
  return pid && `${name ?? "a program"} (pid ${pid})`;
}

/** The process id in a line of `netstat -ano` that listens on `port`. */
export function parseNetstat(
  text: string | undefined,
  port: number,
): string | undefined {
  for (const line of text?.split(/\r?\n/) ?? []) {
    const [protocol, local, foreign, ...rest] = line.trim().split(/\s+/);
    // the state is translated, but only listeners have no foreign port
    if (
      protocol === "TCP" && local?.endsWith(`:${port}`) &&
      foreign?.endsWith(":0")
    ) return rest.at(-1);
  }
  return undefined;
}

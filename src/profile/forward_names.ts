/**
 * Names for the forwards of a profile, and which of them stand in each
 * other's way.
 *
 * @module
 */

import type { Forward, ListenAddress } from "../forward/address.ts";
import { formatListen, type UnnamedForward } from "./forward_spec.ts";

/** A forward with the name the user gave it, if any. */
export interface ForwardEntry {
  forward: UnnamedForward;
  name?: string | undefined;
}

/** Why the entry at `index` cannot stand beside one before it. */
export interface ForwardClash {
  index: number;
  over: "name" | "listen";
  message: string;
}

/**
 * Gives every forward a name: its own, its service's, or one such as
 * `local-8080`; a default name that is taken gets `-2`, `-3`.
 *
 * @example
 * ```ts
 * nameForwards([{ forward: parseForward("dynamic", "1080") }]); // "dynamic-1080"
 * ```
 */
export function nameForwards(entries: readonly ForwardEntry[]): Forward[] {
  const taken = new Set(entries.map((entry) => entry.name));
  return entries.map(({ forward, name }) => {
    const given = name ?? untaken(defaultName(forward), taken);
    taken.add(given);
    return { ...forward, name: given };
  });
}

/**
 * Finds forwards of one profile with the same name, or that listen at the
 * same place. Undefined entries only keep the count.
 */
export function findClashes(
  entries: readonly (ForwardEntry | undefined)[],
): ForwardClash[] {
  const clashes: ForwardClash[] = [];
  entries.forEach((entry, index) => {
    const earlier = entries.slice(0, index).filter((other) => !!other);
    if (entry === undefined) return;
    const { name, forward } = entry;
    if (name !== undefined && earlier.some((other) => other.name === name)) {
      const message = `two forwards have the name "${name}"`;
      clashes.push({ index, over: "name", message });
    }
    if (earlier.some((other) => sameListener(other.forward, forward))) {
      const place = `${formatListen(forward.listen)}${
        forward.kind === "remote" ? " of the server" : ""
      }`;
      const message = `another forward already listens on ${place}`;
      clashes.push({ index, over: "listen", message });
    }
  });
  return clashes;
}

function defaultName(forward: UnnamedForward): string {
  if (forward.kind === "local" && forward.service) return forward.service;
  const { listen } = forward;
  if (listen.kind === "tcp") return `${forward.kind}-${listen.port}`;
  const base = listen.path.split("/").findLast((part) => part !== "") ?? "";
  const cleaned = base.replaceAll(/[^A-Za-z0-9._-]+/g, "-").slice(0, 48);
  return `${forward.kind}-${cleaned || "socket"}`;
}

function untaken(name: string, taken: ReadonlySet<string | undefined>): string {
  let candidate = name;
  for (let n = 2; taken.has(candidate); n++) candidate = `${name}-${n}`;
  return candidate;
}

function sameListener(a: UnnamedForward, b: UnnamedForward): boolean {
  if ((a.kind === "remote") !== (b.kind === "remote")) return false;
  return sameAddress(a.listen, b.listen);
}

function sameAddress(a: ListenAddress, b: ListenAddress): boolean {
  if (a.kind === "unix" || b.kind === "unix") {
    return a.kind === "unix" && b.kind === "unix" && a.path === b.path;
  }
  if (a.port !== b.port || a.port === 0) return false;
  const others = addresses(b.bind);
  return addresses(a.bind).some((one) =>
    others.some((other) => covers(one, other) || covers(other, one))
  );
}

/** The addresses that a bind address stands for. */
function addresses(bind: string | undefined): string[] {
  if (bind === undefined || bind === "localhost") return ["127.0.0.1", "::1"];
  return bind === "" || bind === "*" ? ["0.0.0.0", "::"] : [bind];
}

function covers(one: string, other: string): boolean {
  return one === other ||
    one === "0.0.0.0" && /^[\d.]+$/.test(other) ||
    one === "::" && other.includes(":");
}

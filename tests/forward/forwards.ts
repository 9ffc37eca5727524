/**
 * A forward of each kind, to programs of this machine.
 *
 * @module
 */

import type { Forward } from "../../src/forward/address.ts";
type Kind<K extends Forward["kind"]> = Extract<Forward, { kind: K }>;

/** From any port of 127.0.0.1 to this one. */
export function localTo(port: number): Kind<"local"> {
  return {
    kind: "local",
    name: "page",
    listen: { kind: "tcp", bind: "127.0.0.1", port: 0 },
    target: { kind: "tcp", host: "127.0.0.1", port },
  };
}

/**
 * From a port of the server, 0 for any, to a port or socket of this machine.
 *
 * @param target undefined: the server's side is a SOCKS proxy
 */
export function remoteTo(
  target: number | string | undefined,
  port = 0,
  bind?: string,
): Kind<"remote"> {
  return {
    kind: "remote",
    name: "back",
    listen: { kind: "tcp", bind, port },
    target: target === undefined
      ? undefined
      : typeof target === "string"
      ? { kind: "unix", path: target }
      : { kind: "tcp", host: "localhost", port: target },
  };
}

/** A proxy at any port of 127.0.0.1. */
export const DYNAMIC: Kind<"dynamic"> = {
  kind: "dynamic",
  name: "proxy",
  listen: { kind: "tcp", bind: "127.0.0.1", port: 0 },
};

/** What a SOCKS 5 client says to get to a port of 127.0.0.1 (RFC 1928). */
export function socks5Connect(port: number): number[] {
  return [5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1, port >> 8, port & 255];
}

/** How long the answers to {@link socks5Connect} are together, in bytes. */
export const SOCKS5_ANSWERS = 2 + 10;

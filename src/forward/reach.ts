import { networkInterfaces } from "node:os";
import type { ListenAddress } from "./address.ts";

/**
 * Who can reach a bind address besides this machine, in words; undefined if
 * nobody can.
 */
export function reachableBy(listen: ListenAddress): string | undefined {
  if (listen.kind === "unix") return undefined;
  const { bind } = listen;
  if (isLoopback(bind)) return undefined;
  if (isEveryAddress(bind)) {
    return "everyone who can reach this machine on any of its networks";
  }
  const device = Object.entries(networkInterfaces()).find(([, addresses]) =>
    addresses?.some((each) => each.address === bind)
  )?.[0];
  return `everyone who can reach ${bind}${
    device === undefined ? "" : ` (${device})`
  }`;
}

/** As {@link reachableBy}, for where a remote forward listens on the server. */
export function reachableThere(listen: ListenAddress): string | undefined {
  if (listen.kind === "unix" || isLoopback(listen.bind)) return undefined;
  const where = isEveryAddress(listen.bind)
    ? "the server on any of its networks"
    : `${listen.bind} of the server`;
  return `everyone who can reach ${where}, if its GatewayPorts allows that`;
}

function isLoopback(bind: string | undefined): boolean {
  return bind === undefined || bind === "localhost" || bind === "::1" ||
    /^127\./.test(bind);
}

function isEveryAddress(bind: string | undefined): boolean {
  return bind === "*" || bind === "" || bind === "0.0.0.0" || bind === "::";
}

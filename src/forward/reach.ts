import { networkInterfaces } from "node:os";
import type { ListenAddress } from "./address.ts";

/**
 * Who can reach a bind address besides this machine, in words; undefined if
 * nobody can.
 */
export function reachableBy(listen: ListenAddress): string | undefined {
  if (listen.kind === "unix") return undefined;
  const { bind } = listen;
  if (bind === undefined || bind === "localhost") return undefined;
  if (bind === "::1" || /^127\./.test(bind)) return undefined;
  if (bind === "*" || bind === "" || bind === "0.0.0.0" || bind === "::") {
    return "everyone who can reach this machine on any of its networks";
  }
  const device = Object.entries(networkInterfaces()).find(([, addresses]) =>
    addresses?.some((each) => each.address === bind)
  )?.[0];
  return `everyone who can reach ${bind}${
    device === undefined ? "" : ` (${device})`
  }`;
}

/**
 * How a browser gets into I2P by a running tunnel: which of its forwards leads
 * to the router's proxy, and which to its console.
 *
 * @module
 */

import { isServiceName, type ServiceName, SERVICES } from "./services.ts";

/** A forward that runs, as far as a browser is concerned. */
export interface RunningForward {
  name: string;
  kind: "local" | "remote" | "dynamic";
  service?: string;
  /** `host:port` or a socket path, each. */
  listen: string[];
  target: string | null;
}

/** Where a browser connects to. */
export interface Address {
  /** Without brackets. */
  host: string;
  port: number;
}

/** The ways from this machine to the router. */
export interface Entrance {
  proxy: Address & { kind: "http" | "socks" };
  /** `http://127.0.0.1:7657/` and the like. */
  consoles: string[];
}

const CONSOLES: readonly ServiceName[] = [
  "console",
  "console-ssl",
  "i2pd-console",
];

/**
 * Finds them. An HTTP proxy goes before a SOCKS proxy. A dynamic forward is none
 * of them: it leads from the server to the open internet.
 *
 * @returns undefined if no forward leads to an I2P proxy
 */
export function findEntrance(
  forwards: readonly RunningForward[],
): Entrance | undefined {
  const at = (service: ServiceName): Address[] =>
    forwards.filter((each) => serviceOf(each) === service)
      .flatMap(({ listen }) => listen.flatMap(parseAddress).slice(0, 1));
  const [http] = at("http-proxy");
  const [socks] = at("socks-proxy");
  const proxy = http
    ? { ...http, kind: "http" as const }
    : socks && { ...socks, kind: "socks" as const };
  if (proxy === undefined) return undefined;
  const consoles = CONSOLES.flatMap((service) =>
    at(service).map((address) =>
      `${SERVICES[service as "console"].scheme}://${formatAddress(address)}/`
    )
  );
  return { proxy, consoles };
}

/** `127.0.0.1:4444`, `[::1]:4444` */
export function formatAddress({ host, port }: Address): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** By name, else by the port it leads to, as with `-L 4444:127.0.0.1:4444`. */
function serviceOf(forward: RunningForward): ServiceName | undefined {
  if (forward.kind !== "local") return undefined;
  if (forward.service !== undefined && isServiceName(forward.service)) {
    return forward.service;
  }
  const port = Number(/:(\d+)$/.exec(forward.target ?? "")?.[1]);
  return (Object.keys(SERVICES) as ServiceName[])
    .find((name) => SERVICES[name].port === port);
}

/** None for a socket's path. Who listens everywhere is reached on loopback. */
function parseAddress(listen: string): Address[] {
  const [, bracketed, plain, port] =
    /^(?:\[([^\]]+)\]|([^:/\\]+)):(\d+)$/.exec(listen) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined) return [];
  const loopback = { "0.0.0.0": "127.0.0.1", "::": "::1" }[host];
  return [{ host: loopback ?? host, port: Number(port) }];
}

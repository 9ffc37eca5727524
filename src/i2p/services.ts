/**
 * The services of an I2P router and the ports they have unless changed.
 * Source: the I2P project's list of ports (https://i2p.net/en/docs/overview/ports/).
 *
 * @module
 */

export interface I2pService {
  port: number;
  /** What it is, for menus and help. */
  title: string;
  /** Set when a browser can show it. */
  scheme?: "http" | "https";
}

/** By the name that a profile uses. */
export const SERVICES = {
  "console": { port: 7657, title: "router console", scheme: "http" },
  "console-ssl": {
    port: 7667,
    title: "router console over TLS",
    scheme: "https",
  },
  "i2pd-console": { port: 7070, title: "i2pd web console", scheme: "http" },
  "http-proxy": { port: 4444, title: "HTTP proxy" },
  "https-proxy": { port: 4445, title: "HTTPS proxy" },
  "socks-proxy": { port: 4447, title: "SOCKS proxy (i2pd)" },
  "irc": { port: 6668, title: "IRC" },
  "smtp": { port: 7659, title: "outgoing mail (SMTP)" },
  "pop3": { port: 7660, title: "incoming mail (POP3)" },
  "sam": { port: 7656, title: "SAM bridge" },
  "i2cp": { port: 7654, title: "I2CP" },
  "i2pcontrol": { port: 7650, title: "I2PControl" },
  "site": { port: 7658, title: "own I2P site", scheme: "http" },
  "bob": { port: 2827, title: "BOB bridge" },
} as const satisfies Record<string, I2pService>;

export type ServiceName = keyof typeof SERVICES;

export const SERVICE_NAMES = Object.keys(SERVICES) as ServiceName[];

export function isServiceName(name: string): name is ServiceName {
  return Object.hasOwn(SERVICES, name);
}

/** Where a browser finds a service that listens at `address`, if it is a page. */
export function serviceUrl(
  name: ServiceName,
  address: string,
): string | undefined {
  const service: I2pService = SERVICES[name];
  return service.scheme && `${service.scheme}://${address}/`;
}

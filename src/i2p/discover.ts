/**
 * Which services of an I2P router a server has.
 *
 * @module
 */

import { I2ptunError } from "../errors.ts";
import { isForbidden } from "../ssh/channel.ts";
import { identifyAll, type OpenStream } from "./identify.ts";
import type { Identity, Kind } from "./recognise.ts";
import { SERVICE_NAMES, type ServiceName, SERVICES } from "./services.ts";

/** What there is at a service's port on the server's own 127.0.0.1. */
export interface Found {
  service: ServiceName;
  port: number;
  /**
   * `found`: it answers as that service does. `unclear`: something accepts
   * connections but says nothing by which to know it, as the tunnels for IRC
   * and mail do until their far side answers. `other`: it is something else.
   * `forbidden`: the SSH server does not let us look.
   */
  state: "found" | "unclear" | "other" | "closed" | "forbidden";
  /** For people, such as `i2pd webconsole 2.45.1`. */
  what: string;
  version?: string;
}

/** By which answers a service is known. */
const ANSWERS: Record<ServiceName, { kinds: Kind[]; tls?: boolean }> = {
  "console": { kinds: ["java-console", "i2pd-console"], tls: false },
  "console-ssl": { kinds: ["java-console", "i2pd-console"], tls: true },
  "i2pd-console": { kinds: ["i2pd-console", "java-console"], tls: false },
  "http-proxy": { kinds: ["http-proxy"], tls: false },
  // an HTTP proxy takes CONNECT as well
  "https-proxy": { kinds: ["connect-proxy", "http-proxy"], tls: false },
  "socks-proxy": { kinds: ["socks-proxy"] },
  "irc": { kinds: ["irc"] },
  "smtp": { kinds: ["smtp"] },
  "pop3": { kinds: ["pop3"] },
  "sam": { kinds: ["sam"] },
  "i2cp": { kinds: ["i2cp"] },
  "i2pcontrol": { kinds: ["i2pcontrol"] },
  // a site of one's own may look like anything
  "site": { kinds: ["web-server"], tls: false },
  "bob": { kinds: ["bob"] },
};

/** Whether something is what a profile means by a service. */
export function isService(
  service: ServiceName,
  { kind, tls }: Identity,
): "found" | "unclear" | "other" {
  if (kind === "silent" || kind === "closes") return "unclear";
  const answers = ANSWERS[service];
  const fits = answers.kinds.includes(kind) &&
    (answers.tls === undefined || answers.tls === tls);
  return fits ? "found" : "other";
}

/**
 * Looks at the ports of all services at once.
 *
 * @param open opens a stream from the server
 * @throws {I2ptunError} if the connection is lost; the reason of `signal`
 */
export async function discoverServices(
  open: OpenStream,
  signal: AbortSignal,
): Promise<Found[]> {
  const identities = identifyAll(
    SERVICE_NAMES.map((service) => ({
      service,
      place: { host: "127.0.0.1", port: SERVICES[service].port },
    })),
    { open, signal },
  );
  return await Promise.all(
    SERVICE_NAMES.map((service, i) =>
      findingOf(service, identities[i]!, signal)
    ),
  );
}

async function findingOf(
  service: ServiceName,
  identified: Promise<Identity>,
  signal: AbortSignal,
): Promise<Found> {
  const { port } = SERVICES[service];
  try {
    const identity = await identified;
    return {
      service,
      port,
      state: isService(service, identity),
      what: describe(identity, service),
      ...(identity.version === undefined ? {} : { version: identity.version }),
    };
  } catch (error) {
    signal.throwIfAborted();
    const known = I2ptunError.from(error);
    if (known.kind !== "forward") throw known;
    return isForbidden(known)
      ? { service, port, state: "forbidden", what: "the SSH server forbids it" }
      : { service, port, state: "closed", what: "nothing answers" };
  }
}

/** What something is, and how it differs from what it should be. */
export function describe(identity: Identity, service: ServiceName): string {
  const expected = ANSWERS[service];
  if (expected.tls === undefined || !expected.kinds.includes(identity.kind)) {
    return identity.what;
  }
  if (expected.tls === identity.tls) return identity.what;
  return `${identity.what}, but ${identity.tls ? "over" : "without"} TLS`;
}

/**
 * Which services of a router a person can choose, and where they appear here.
 *
 * @module
 */

import { SERVICE_NAMES, type ServiceName, SERVICES } from "../i2p/services.ts";
import { portOwner } from "../platform/port_owner.ts";
import type { ProfileSource } from "../profile/schema.ts";
import type { Connection } from "../ssh/connection.ts";
import type { Context } from "./context.ts";
import { say, SIGNS } from "./output.ts";
import { spinner } from "./spinner.ts";

/** What most people want, when nothing is known of the server. */
const USUAL: ServiceName[] = ["console", "http-proxy"];

/** @returns the services that answer at the server's own addresses */
export async function lookForServices(
  _connection: Connection,
  _signal: AbortSignal,
): Promise<ServiceName[]> {
  using _busy = spinner("looking which I2P services the server has");
  return await Promise.resolve([]);
}

/**
 * The services to choose from: those found first and ticked, or those that were
 * ticked before.
 */
export function serviceChoices(
  found: ServiceName[],
  before: ServiceName[] | undefined,
): { value: ServiceName; name: string; checked: boolean }[] {
  const ticked = before ?? (found.length > 0 ? found : USUAL);
  const rest = SERVICE_NAMES.filter((name) => !found.includes(name));
  return [...found, ...rest].map((value) => ({
    value,
    name: `${value.padEnd(12)}  ${SERVICES[value].title}, port ${
      SERVICES[value].port
    }${found.includes(value) ? `  ${SIGNS.tick} found` : ""}`,
    checked: ticked.includes(value),
  }));
}

/** Above the ports that need rights, and easy to recognise: 7657 is 17657. */
const ELSEWHERE = 10_000;

/**
 * The services as forwards of a profile, each at its own port if that is free
 * here, else at another one.
 */
export async function forwardsOf(
  services: ServiceName[],
  context: Context,
): Promise<ProfileSource["forwards"]> {
  const taken = new Set<number>();
  for (const profile of await context.store.load()) {
    for (const { listen, kind } of profile.forwards) {
      if (kind !== "remote" && listen.kind === "tcp") taken.add(listen.port);
    }
  }
  const forwards: ProfileSource["forwards"] = [];
  for (const service of services) {
    const { port } = SERVICES[service];
    if (!taken.has(port) && isFree(port)) {
      forwards.push(service);
      continue;
    }
    let listen = port + ELSEWHERE;
    while (taken.has(listen) || !isFree(listen)) listen++;
    taken.add(listen);
    const owner = taken.has(port)
      ? "another profile"
      : await portOwner(port, context.environment.system) ?? "another program";
    say(`Port ${port} is used by ${owner}; ${service} gets ${listen} instead.`);
    forwards.push({ service, listen });
  }
  return forwards;
}

/** Whether nothing listens at the port of this machine. */
function isFree(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return true;
  } catch {
    return false;
  }
}

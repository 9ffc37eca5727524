/**
 * Which services of a router a person can choose, and where they appear here.
 *
 * @module
 */

import { portHolder } from "../background/port_holder.ts";
import type { Found } from "../i2p/discover.ts";
import { type ServiceName, SERVICES } from "../i2p/services.ts";
import { isHidden } from "../platform/port_owner.ts";
import type { ProfileSource } from "../profile/schema.ts";
import type { Context } from "./context.ts";
import { say, screenSize, SIGNS } from "./output.ts";
import { fitTo, table } from "./table.ts";

/** What most people want, when nothing is known of the server. */
const USUAL: ServiceName[] = ["console", "http-proxy"];

/**
 * The services to choose from: those that the server has first, and ticked, or
 * ticked those that were before.
 */
export function serviceChoices(
  found: readonly Found[],
  before: readonly ServiceName[] | undefined,
): { value: ServiceName; name: string; checked: boolean }[] {
  const having = (state: Found["state"]) =>
    found.filter((each) => each.state === state);
  const sure = having("found").map(({ service }) => service);
  const ticked = before ?? (sure.length > 0 ? sure : USUAL);
  const order = [
    ...having("found"),
    ...having("unclear"),
    ...having("other"),
    ...having("closed"),
    ...having("forbidden"),
  ];
  const cells = order.map(({ service, port, state, what }) => [
    service,
    `port ${port}`,
    SERVICES[service].title,
    state === "found"
      ? `${SIGNS.tick} ${what}`
      : state === "closed"
      ? ""
      : state === "unclear"
      ? "? open, says nothing"
      : what,
  ]);
  // before each a mark and a cursor
  const width = screenSize().columns - 5;
  const full = table(cells);
  const rows = full.every((row) => fitTo(row, width) === row)
    ? full
    // what answers says more than what should
    : table(cells.map(([service, port, , what]) => [service!, port!, what!]));
  return order.map(({ service }, i) => ({
    value: service,
    name: fitTo(rows[i]!, width),
    checked: ticked.includes(service),
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
  /** By who has them, the ports that are taken and those used instead. */
  const instead = new Map<string, string[]>();
  for (const service of services) {
    const { port } = SERVICES[service];
    const isTaken = taken.has(port);
    if (!isTaken && await isFree(port)) {
      forwards.push(service);
      continue;
    }
    let listen = port + ELSEWHERE;
    while (taken.has(listen) || !await isFree(listen)) listen++;
    taken.add(listen);
    const { folder, environment } = context;
    const owner = isTaken
      ? "another profile"
      : (await portHolder(port, folder, environment.system))?.name ??
        "another program";
    const moves = instead.get(owner) ?? [];
    instead.set(owner, [...moves, `${port} → ${listen}`]);
    forwards.push({ service, listen });
  }
  for (const [owner, moves] of instead) {
    say(`Ports that ${owner} has here, and those used instead:`);
    say(`  ${moves.join(", ")}`);
  }
  return forwards;
}

/** Whether nothing listens at the port of this machine. */
async function isFree(port: number): Promise<boolean> {
  const hostname = "127.0.0.1";
  try {
    Deno.listen({ hostname, port }).close();
    return !await isHidden(hostname, port);
  } catch {
    return false;
  }
}

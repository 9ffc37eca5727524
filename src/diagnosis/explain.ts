/**
 * Causes that no error tells by itself: they show when one thing is compared
 * with another.
 *
 * @module
 */

import { networkInterfaces } from "node:os";
import { I2ptunError } from "../errors.ts";
import { formatHostPort, type Forward } from "../forward/address.ts";
import { reachableBy, reachableThere } from "../forward/reach.ts";
import type { Found } from "../i2p/discover.ts";
import { identify, type OpenStream, type Place } from "../i2p/identify.ts";
import type { Identity } from "../i2p/recognise.ts";
import { type ServiceName, SERVICES } from "../i2p/services.ts";
import type { Question } from "../ssh/prompter.ts";
import type { Route } from "../tunnel/route.ts";
import type { Explanation } from "./report.ts";

/** Many routers and firewalls forget a connection that was silent so long. */
const FORGOTTEN_MS = 5 * 60_000;

/** What ssh_config says that is left out, and what makes tunnels drop. */
export function keepaliveWarning(
  { server, warnings }: Route,
): Explanation | undefined {
  const { intervalMs } = server.keepalive;
  if (intervalMs > FORGOTTEN_MS) {
    return {
      cause: `the server is asked for a sign of life only every ${
        intervalMs / 1000
      } s: many firewalls forget a connection that is silent for 5 minutes, and it drops`,
      try:
        "keepalive: { interval: 15s, count: 3 } in the profile, or ServerAliveInterval 15 in ssh_config",
    };
  }
  return warnings.length === 0 ? undefined : {
    cause: warnings.join("; "),
    try: "take it out of ssh_config, or ssh_config: false in the profile",
  };
}

/** RFC 4291 §2.4: the addresses that are to be reached from everywhere. */
const GLOBAL_IPV6 = /^[23][\da-f]{3}:/i;

/** A server that can be reached by IPv6 only, from where there is none. */
export function ipv6Only(addresses: string[]): Explanation | undefined {
  if (!addresses.every((each) => GLOBAL_IPV6.test(each))) return undefined;
  const own = Object.values(networkInterfaces()).flat();
  const hasOne = own.some((each) => GLOBAL_IPV6.test(each?.address ?? ""));
  return hasOne ? undefined : {
    cause: "the server has IPv6 addresses only, and this machine has no IPv6",
    try:
      "use a network with IPv6, an IPv4 address of the server, or a jump host that has both (jump: in the profile)",
  };
}

/** A server that this machine has not met. */
export function unknownHostKey(
  { host, type, fingerprint }: Extract<Question, { kind: "host-key" }>,
  { remedy }: I2ptunError,
): Partial<Explanation> & { detail: string } {
  return {
    detail: `the host key of ${host} is unknown: ${type} ${fingerprint}`,
    cause: "this machine has not logged in there yet",
    ...(remedy === undefined ? {} : { try: remedy }),
  };
}

/** Who else can use a forward. */
export function reachWarning(forward: Forward): Explanation | undefined {
  const reach = forward.kind === "remote" ? reachableThere : reachableBy;
  const who = reach(forward.listen);
  return who === undefined ? undefined : {
    cause: `it can be used by ${who}`,
    try: "if that is not meant, leave the bind address out",
  };
}

export interface Refusal {
  /** The profile's name. */
  profile: string;
  forward: Forward;
  target: Place;
  service: ServiceName | undefined;
  open: OpenStream;
  /** What else of I2P the server has. */
  services: () => Promise<Found[]>;
  /** The server's own addresses. */
  addresses: string[];
  signal: AbortSignal;
}

/** Why nothing answers at a target; undefined if no more can be found out. */
export async function explainRefusal(
  refusal: Refusal,
): Promise<Explanation | undefined> {
  const { forward, target, service, open, addresses, signal } = refusal;
  const isOwn = /^(127\.|localhost$|::1$)/.test(target.host) ||
    addresses.includes(target.host);
  if (!isOwn) return undefined;

  for (const host of ["127.0.0.1", "::1", ...addresses]) {
    if (host === target.host) continue;
    const place = { host, port: target.port };
    const there = await identify({ open, place, service, signal })
      .catch(() => undefined);
    signal.throwIfAborted();
    if (there === undefined) continue;
    const at = formatHostPort(host, target.port);
    const wanted = formatHostPort(target.host, target.port);
    const { listen } = forward;
    const port = listen.kind === "tcp" ? listen.port : target.port;
    return {
      cause: `it listens on ${at} there, not on ${wanted} (${there.what})`,
      try:
        `forward to that address: { local: "${port}:${at}", name: ${forward.name} }; or let it listen on ${target.host} in its own configuration`,
    };
  }
  if (service === undefined) return undefined;
  return explainService(refusal.profile, service, await refusal.services());
}

/** Why a service does not answer, by which others do. */
function explainService(
  profile: string,
  service: ServiceName,
  services: readonly Found[],
): Explanation {
  const found = services.filter(({ state }) => state === "found");
  const same = found.find((each) =>
    each.service !== service && isConsole(each.service)
  );
  if (isConsole(service) && same) {
    return {
      cause:
        `the wrong port: ${same.what} answers on 127.0.0.1:${same.port} there`,
      try:
        `use the service ${same.service} instead of ${service}: i2ptun discover ${profile} --add`,
    };
  }
  if (found.length > 0) {
    const others = found.map(({ what, port }) => `${what} on ${port}`);
    return {
      cause: `the router runs (${others.join(", ")}), but not its ${
        SERVICES[service].title
      }`,
      try:
        "turn it on in the router's configuration, or take it out of the profile",
    };
  }
  return {
    cause: "no port of an I2P router answers there: it seems not to run",
    try:
      "on the server, look with systemctl status i2p (or i2pd), and start it: sudo systemctl start i2p",
  };
}

function isConsole(service: ServiceName): boolean {
  return /console/.test(service);
}

/** Of a tunnel that accepts connections and says nothing. */
export const QUIET_TUNNEL: Explanation = {
  cause: "such a tunnel says nothing until its far side in I2P answers",
  try: "wait until the router is well integrated; that takes minutes",
};

export interface Misfit {
  /** The profile's name. */
  profile: string;
  service: ServiceName;
  place: Place;
  identity: Identity;
  detail: string;
}

/** Something else than the service that it should be. */
export function misfit(
  { profile, service, place, identity: { kind }, detail }: Misfit,
): I2ptunError {
  const { title } = SERVICES[service];
  if (kind === "silent" || kind === "closes") {
    return new I2ptunError("forward", detail, {
      why: `the ${title} is starting or stuck, or it is another program`,
      remedy: "look at the router's log on the server, and restart it",
    });
  }
  return new I2ptunError("forward", detail, {
    why: `it is not the ${title} that has the port there`,
    remedy:
      `find the right port: i2ptun discover ${profile}; or see on the server which program has it: sudo ss -ltnp sport = :${place.port}`,
  });
}

/** I2P's routers and sites do not talk to those whose clock is wrong. */
const WRONG_MS = 60_000;

/** Clocks that differ. */
export function clockWarning(
  { date }: Identity,
  now: Date,
): Explanation | undefined {
  if (date === undefined) return undefined;
  const ms = date.getTime() - now.getTime();
  if (Math.abs(ms) <= WRONG_MS) return undefined;
  const minutes = Math.round(Math.abs(ms) / 60_000);
  return {
    cause: `the server's clock is ${minutes} min ${
      ms > 0 ? "ahead of" : "behind"
    } this machine's; with a wrong clock a router does not get into I2P`,
    try:
      "have the one that is wrong set by the network: timedatectl set-ntp true",
  };
}

/**
 * The steps on the way to the server: its name, TCP, the SSH greeting, the host
 * key and the login, again for each hop after a jump host.
 *
 * @module
 */

import type { Duplex } from "node:stream";
import { I2ptunError } from "../errors.ts";
import { formatHostPort } from "../forward/address.ts";
import { TimeLimit } from "../forward/time_limit.ts";
import type { Log } from "../log.ts";
import type { Connection } from "../ssh/connection.ts";
import type { Milestone } from "../ssh/connection_options.ts";
import { dial, findAddresses, noAnswer } from "../ssh/dial.ts";
import type { Prompter, Question } from "../ssh/prompter.ts";
import { Secrets } from "../ssh/secrets.ts";
import type { Clock } from "../tunnel/clock.ts";
import { openHop } from "../tunnel/connect.ts";
import type { Hop, Route } from "../tunnel/route.ts";
import { ipv6Only, unknownHostKey } from "./explain.ts";
import { findOtherPort } from "./other_port.ts";
import type { Report } from "./report.ts";

export interface WayOptions {
  ask: Prompter;
  clock: Clock;
  log: Log;
  signal: AbortSignal;
}

/** A logged-in connection to the server, and where that is. */
export interface Reached {
  connection: Connection;
  server: Hop;
  /** The server's own addresses, as far as they are known here. */
  addresses: string[];
  end(): void;
}

const STEPS = ["tcp", "ssh", "host-key", "login"] as const;

/** Of connections to servers behind a jump host, which only notes it. */
const ORIGINATOR = { address: "127.0.0.1", port: 0 };

/** Once one address answers, the others have so long to do so, too. */
const OTHERS_MS = 300;

/** Goes all the way, or as far as it gets. */
export async function checkWay(
  report: Report,
  { hops, server }: Route,
  options: WayOptions,
): Promise<Reached | undefined> {
  const [first] = hops;
  const found = await checkName(report, first, options);
  const socket = found &&
    await checkAddresses(report, first, found, hops.length > 1, options);
  if (socket === undefined) return undefined;
  const addresses = hops.length === 1 ? remoteAddressOf(socket) : [];
  const secrets = new Secrets();
  const open: Connection[] = [];
  const end = () => open.forEach((each) => each.end());
  for (const hop of hops) {
    const via = open.at(-1);
    const next = await checkHop(report, hop, {
      ...options,
      via,
      secrets,
      transport: via ? undefined : socket,
      several: hops.length > 1,
    });
    if (next === undefined) {
      end();
      return undefined;
    }
    open.push(next);
  }
  return {
    connection: open.at(-1)!,
    server,
    addresses: [...new Set([...addresses, server.host])].filter(Boolean),
    end,
  };
}

/** The addresses of the first hop, the only one that is looked up here. */
async function checkName(
  report: Report,
  { host, port, family, connectTimeoutMs }: Hop,
  { clock, signal }: WayOptions,
): Promise<string[] | undefined> {
  const late = noAnswer(formatHostPort(host, port), connectTimeoutMs);
  using limit = new TimeLimit(clock.sleep, connectTimeoutMs, late);
  const any = AbortSignal.any([signal, limit.signal]);
  try {
    const addresses = await findAddresses({ host, family, signal: any });
    const detail = addresses[0] === host
      ? `${host} is an address itself`
      : `${host} has ${addresses.join(", ")}`;
    report.passed("dns", detail, ipv6Only(addresses));
    return addresses;
  } catch (error) {
    signal.throwIfAborted();
    report.failed("dns", I2ptunError.from(error));
    return undefined;
  }
}

/** Tries each address by itself. @returns the connection to the first */
async function checkAddresses(
  report: Report,
  hop: Hop,
  addresses: string[],
  several: boolean,
  { clock, signal }: WayOptions,
): Promise<Duplex | undefined> {
  const { port, bindAddress, connectTimeoutMs } = hop;
  const over = new AbortController();
  const late = noAnswer(formatHostPort(hop.host, port), connectTimeoutMs);
  using limit = new TimeLimit(clock.sleep, connectTimeoutMs, late);
  const first = Promise.withResolvers<void>();
  const attempts = addresses.map(async (host) => {
    const server = formatHostPort(host, port);
    try {
      const any = AbortSignal.any([signal, limit.signal, over.signal]);
      const socket = await dial({ host, port, bindAddress, signal: any });
      socket.on("error", () => {}); // whoever uses it will tell
      clock.sleep(OTHERS_MS, over.signal).then(first.resolve);
      return { socket, said: `${server} answers` };
    } catch (thrown) {
      const error = limit.signal.aborted
        ? noAnswer(server, connectTimeoutMs)
        : I2ptunError.from(thrown);
      const said = over.signal.aborted
        ? `${server} has not answered so far`
        : error.message;
      return { error, said };
    }
  });
  const all = Promise.all(attempts);
  await Promise.race([all, first.promise]);
  over.abort();
  const results = await all;
  signal.throwIfAborted();

  const [socket, ...others] = results.flatMap((each) => each.socket ?? []);
  others.forEach((each) => each.destroy());
  const name = several ? `${hop.host}: ` : "";
  const detail = `${name}${results.map(({ said }) => said).join("; ")}`;
  if (socket) {
    report.passed("tcp", detail);
    return socket;
  }
  // of several, the first is the one that the system prefers
  const { error } = results.find((each) => each.error)!;
  report.failed("tcp", error!, {
    ...await otherPort(hop, undefined, { clock, signal }),
    ...ipv6Only(addresses),
    detail,
  });
  return undefined;
}

/**
 * What to do if SSH is at another port of a hop's host.
 *
 * @param via the connection to the hop before
 * @throws the reason of `signal`
 */
export function otherPort(
  { host, port, family, bindAddress }: Hop,
  via: Connection | undefined,
  { clock, signal }: Pick<WayOptions, "clock" | "signal">,
): Promise<{ try: string } | undefined> {
  return findOtherPort({
    host,
    port,
    open: (port, signal) =>
      via === undefined
        ? dial({ host, port, family, bindAddress, signal })
        : via.openStream({ kind: "tcp", host, port }, ORIGINATOR),
    sleep: clock.sleep,
    signal,
  });
}

interface HopOptions extends WayOptions {
  via: Connection | undefined;
  secrets: Secrets;
  transport: Duplex | undefined;
  /** Whether there are other hops. */
  several: boolean;
}

async function checkHop(
  report: Report,
  hop: Hop,
  { ask, several, ...options }: HopOptions,
): Promise<Connection | undefined> {
  const done = new Set<string>(options.via ? [] : ["tcp"]);
  const name = several ? `${hop.host}: ` : "";
  let unknown: Extract<Question, { kind: "host-key" }> | undefined;
  try {
    return await openHop(
      { ...hop, hostKey: { ...hop.hostKey, store: undefined } },
      options.via,
      {
        ...options,
        acceptNew: false,
        ask: (question) => {
          if (question.kind !== "host-key") return ask(question);
          // a check changes nothing, so it does not ask what a start would keep
          unknown = question;
          return Promise.resolve(undefined);
        },
        onMilestone: (milestone) => {
          if (done.has(milestone.name)) return;
          done.add(milestone.name);
          report.passed(milestone.name, name + describe(milestone, hop));
        },
      },
    );
  } catch (thrown) {
    options.signal.throwIfAborted();
    const error = I2ptunError.from(thrown);
    if (error.kind === "interrupted") throw error;
    const step = failedStep(error, done);
    const more = unknown && unknownHostKey(unknown, error);
    const detail = more?.detail ?? [...error.details, error.message].join("; ");
    const isElsewhere = step === "tcp" || step === "ssh";
    report.failed(step, error, {
      ...more,
      ...(isElsewhere ? await otherPort(hop, options.via, options) : {}),
      detail: withName(name, detail),
    });
    return undefined;
  }
}

function withName(name: string, detail: string): string {
  return detail.includes(name.slice(0, -2)) ? detail : name + detail;
}

function failedStep({ kind }: I2ptunError, done: Set<string>): string {
  if (kind === "host-key") return "host-key";
  if (kind === "login-refused") return "login";
  return STEPS.find((each) => !done.has(each)) ?? "login";
}

const TRUST = {
  pinned: "is the one that the profile pins",
  known: "is in known_hosts",
  new: "is new, and ssh_config says to accept it",
} as const;

function describe(milestone: Milestone, { host, port, login }: Hop): string {
  switch (milestone.name) {
    case "tcp":
      return `${formatHostPort(host, port)} answers, from the hop before`;
    case "ssh":
      return milestone.software;
    case "host-key":
      return `${milestone.type} ${milestone.fingerprint} ${
        TRUST[milestone.trust]
      }`;
    case "login":
      return `${login} by ${milestone.by}`;
  }
}

/** The server's address, where the transport tells. */
function remoteAddressOf(transport: Duplex): string[] {
  const { remoteAddress } = transport as { remoteAddress?: string };
  return remoteAddress === undefined ? [] : [remoteAddress];
}

/**
 * Finds out, step by step, what is wrong with a profile. It changes nothing:
 * not the profile, not known_hosts, not the tunnel if it runs.
 *
 * @module
 */

import { I2ptunError } from "../errors.ts";
import type { PortOwner } from "../forward/listener.ts";
import { discoverServices, type Found } from "../i2p/discover.ts";
import type { Log } from "../log.ts";
import type { Environment } from "../platform/paths.ts";
import type { Profile } from "../profile/profile.ts";
import type { Prompter } from "../ssh/prompter.ts";
import type { Clock } from "../tunnel/clock.ts";
import { resolveRoute, type Route } from "../tunnel/route.ts";
import type { TunnelStatus } from "../tunnel/status.ts";
import { checkServices, checkTarget, openFrom } from "./ends.ts";
import { keepaliveWarning } from "./explain.ts";
import { checkListen } from "./listen.ts";
import { Report, type Step } from "./report.ts";
import { checkWay } from "./way.ts";

export interface CheckOptions {
  /** Reads the profile. */
  profile: () => Promise<Profile>;
  /** Where it is from, for people. */
  file: string;
  environment: Environment;
  /** What the tunnel that runs says; undefined if none does. */
  running: TunnelStatus | undefined;
  ask: Prompter;
  portOwner: PortOwner;
  log: Log;
  clock: Clock;
  signal: AbortSignal;
  /** Told each step as it is done. */
  onStep: (step: Step) => void;
}

/**
 * Checks a profile. After a step that failed, those that need it are left out.
 *
 * @throws {I2ptunError} `not-found` if there is no such profile, `interrupted`
 */
export async function checkProfile(options: CheckOptions): Promise<Report> {
  const { running, signal } = options;
  const report = new Report(options.onStep);
  const read = await checkConfig(report, options);
  if (read === undefined) return report;
  const { profile, route } = read;
  const { name, forwards } = profile;

  const reached = await checkWay(report, route, options);
  let found: Promise<Found[]> | undefined;
  const services = () => found ??= discoverServices(openFrom(reached!), signal);
  const ends = { ...options, profile: name, forwards, reached, services };
  try {
    for (const forward of forwards) {
      await checkListen(report, forward, { ...options, reached, running });
      await checkTarget(report, forward, ends);
    }
    await checkServices(report, ends);
    signal.throwIfAborted();
  } finally {
    reached?.end();
  }
  return report;
}

/** profiles.yaml, and what ssh_config makes of it. */
async function checkConfig(
  report: Report,
  { profile: read, file, environment, running }: CheckOptions,
): Promise<{ profile: Profile; route: Route } | undefined> {
  try {
    const profile = await read();
    const route = await resolveRoute(profile, environment);
    report.passed(
      "config",
      describe(profile, route, file, running),
      keepaliveWarning(route),
    );
    return { profile, route };
  } catch (error) {
    const known = I2ptunError.from(error);
    if (known.kind !== "usage") throw known;
    report.failed("config", known);
    return undefined;
  }
}

function describe(
  { name, forwards }: Profile,
  { server, hops }: Route,
  file: string,
  running: TunnelStatus | undefined,
): string {
  const count = forwards.length === 1
    ? "1 forward"
    : `${forwards.length} forwards`;
  const jumps = hops.slice(0, -1).map(({ host }) => host);
  const via = jumps.length === 0 ? "" : ` through ${jumps.join(", ")}`;
  const state = running === undefined ? "" : `; ${name} is ${running.state}`;
  return `${count} by ${server.login}${via}, from ${file}${state}`;
}

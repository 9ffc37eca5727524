/**
 * Where forwards lead: the steps `target:NAME`, whether anything answers there,
 * and `service:NAME`, what it is.
 *
 * @module
 */

import { I2ptunError } from "../errors.ts";
import {
  formatTarget,
  type Forward,
  type TargetAddress,
} from "../forward/address.ts";
import { connectHere } from "../forward/remote.ts";
import { describe, type Found, isService } from "../i2p/discover.ts";
import { identifyAll, type OpenStream, passesOn } from "../i2p/identify.ts";
import {
  isServiceName,
  SERVICE_NAMES,
  type ServiceName,
  SERVICES,
} from "../i2p/services.ts";
import { isForbidden } from "../ssh/channel.ts";
import type { Clock } from "../tunnel/clock.ts";
import { checkAnywhere } from "./anywhere.ts";
import {
  clockWarning,
  explainRefusal,
  misfit,
  QUIET_TUNNEL,
} from "./explain.ts";
import type { Report } from "./report.ts";
import type { Reached } from "./way.ts";

export interface EndOptions {
  /** Its name. */
  profile: string;
  /** Its own. */
  forwards: readonly Forward[];
  reached: Reached | undefined;
  /** What of I2P the server has; looked at once, if at all. */
  services: () => Promise<Found[]>;
  clock: Clock;
  signal: AbortSignal;
}

/** As from this machine's own; servers only note it. */
const ORIGINATOR = { address: "127.0.0.1", port: 0 };

/** Left out if it is on the server's side and that could not be reached. */
export async function checkTarget(
  report: Report,
  forward: Forward,
  { profile, forwards, reached, services, signal }: EndOptions,
): Promise<void> {
  const step = `target:${forward.name}`;
  if (forward.kind === "remote") {
    if (forward.target) await checkHere(report, step, forward.target, signal);
    return;
  }
  if (reached === undefined) return;
  if (forward.kind === "dynamic") {
    return await checkAnywhere(report, step, {
      port: reached.server.port,
      forwards,
      knock: (target) => knock(reached, target),
    });
  }
  const { target } = forward;
  try {
    await knock(reached, target);
    report.passed(step, `${formatTarget(target)} answers`);
  } catch (thrown) {
    signal.throwIfAborted();
    const error = I2ptunError.from(thrown);
    const isRefused = error.kind === "forward" && !isForbidden(error);
    const explanation = target.kind === "tcp" && isRefused
      ? await explainRefusal({
        profile,
        forward,
        target,
        service: serviceOf(forward),
        open: openFrom(reached),
        services,
        addresses: reached.addresses,
        signal,
      })
      : undefined;
    report.failed(step, error, explanation);
  }
}

/** The target of a remote forward is this machine's. */
async function checkHere(
  report: Report,
  step: string,
  target: TargetAddress,
  signal: AbortSignal,
): Promise<void> {
  try {
    (await connectHere(target, signal)).destroy();
    report.passed(step, `${formatTarget(target)} answers on this machine`);
  } catch (thrown) {
    signal.throwIfAborted();
    report.failed(step, I2ptunError.from(thrown), {
      cause: "on this machine nothing listens there",
      try: "start the program that is to be reached, or correct the target",
    });
  }
}

async function knock({ connection }: Reached, target: TargetAddress) {
  (await connection.openChannel(target, ORIGINATOR)).close();
}

/** Streams from the server. */
export function openFrom({ connection }: Reached): OpenStream {
  return (place) =>
    connection.openStream({ kind: "tcp", ...place }, ORIGINATOR);
}

/**
 * What answers where forwards lead to I2P services. Left out where nothing does.
 */
export async function checkServices(
  report: Report,
  { profile, forwards, reached, clock, signal }: EndOptions,
): Promise<void> {
  if (!reached) return;
  const answering = new Set(
    report.steps.filter(({ ok }) => ok).map(({ step }) => step),
  );
  const asked = forwards.flatMap((forward) => {
    const service = serviceOf(forward);
    if (service === undefined) return [];
    if (forward.kind !== "local" || forward.target.kind !== "tcp") return [];
    if (!answering.has(`target:${forward.name}`)) return [];
    return [{ forward, service, place: forward.target }];
  });
  const identities = identifyAll(asked, { open: openFrom(reached), signal });
  for (const [i, { forward, service, place }] of asked.entries()) {
    const step = `service:${forward.name}`;
    try {
      const identity = await identities[i]!;
      const detail = describe(identity, service);
      const state = isService(service, identity);
      if (state === "found") {
        report.passed(step, detail, clockWarning(identity, clock.date()));
      } else if (forward.service === undefined) {
        // nobody said that it should be that service
        report.passed(step, detail);
      } else if (state === "unclear" && passesOn(service)) {
        report.passed(step, detail, QUIET_TUNNEL);
      } else {
        report.failed(
          step,
          misfit({ profile, service, place, identity, detail }),
        );
      }
    } catch (thrown) {
      signal.throwIfAborted();
      report.failed(step, I2ptunError.from(thrown));
    }
  }
}

/** The I2P service that a forward leads to, by name or by its port. */
function serviceOf(forward: Forward): ServiceName | undefined {
  if (forward.kind !== "local") return undefined;
  const { service, target } = forward;
  if (service !== undefined && isServiceName(service)) return service;
  if (target.kind !== "tcp" || !/^(127\.|localhost$|::1$)/.test(target.host)) {
    return undefined;
  }
  return SERVICE_NAMES.find((name) => SERVICES[name].port === target.port);
}

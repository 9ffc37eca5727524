/**
 * Whether the server lets the clients of a dynamic forward go where they want
 * to. It says only whether it forbids one target, and forbids all
 * (`AllowTcpForwarding no`) in the same words as those that are not permitted
 * (`PermitOpen`, sshd_config(5)).
 *
 * @module
 */

import { I2ptunError } from "../errors.ts";
import {
  formatTarget,
  type Forward,
  type TargetAddress,
} from "../forward/address.ts";
import { SERVICE_NAMES, SERVICES } from "../i2p/services.ts";
import { isForbidden } from "../ssh/channel.ts";
import type { Report } from "./report.ts";

/** The names that sshd compares literally, and `*` stands for. */
const HOSTS = ["127.0.0.1", "localhost"];

/** What a server that permits some targets permits most likely. */
const PORTS = [80, 443, ...SERVICE_NAMES.map((name) => SERVICES[name].port)];

export interface AnywhereOptions {
  /** The server's SSH port. */
  port: number;
  /** The profile's, whose targets the server should permit. */
  forwards: readonly Forward[];
  /** Has the server connect there; rejects if it does not. */
  knock: (target: TargetAddress) => Promise<void>;
}

/** Adds the step of a dynamic forward. */
export async function checkAnywhere(
  report: Report,
  step: string,
  { port, forwards, knock }: AnywhereOptions,
): Promise<void> {
  const permits = async (target: TargetAddress) => {
    await knock(target).catch((thrown) => {
      const error = I2ptunError.from(thrown);
      // it may be that nothing listens there
      if (error.kind !== "forward" || isForbidden(error)) throw error;
    });
    return formatTarget(target);
  };
  const first: TargetAddress = { kind: "tcp", host: "127.0.0.1", port };
  try {
    await permits(first);
    return report.passed(step, "the server lets clients say where to go");
  } catch (thrown) {
    const error = I2ptunError.from(thrown);
    if (!isForbidden(error)) return report.failed(step, error);
    const others = [
      ...forwards.flatMap((each) =>
        each.kind === "local" && each.target.kind === "tcp" ? each.target : []
      ),
      ...HOSTS.flatMap((host) =>
        PORTS.map((port) => ({ kind: "tcp" as const, host, port }))
      ),
    ];
    const permitted = await Promise.any(others.map(permits))
      .catch(() => undefined);
    const forbidden = formatTarget(first);
    if (permitted !== undefined) {
      return report.passed(
        step,
        `the server lets clients go to ${permitted}, but not to ${forbidden}`,
        {
          cause: "it permits some targets only, and refuses all others",
          try:
            "if others are wanted, permit them: PermitOpen in its sshd_config, permitopen in authorized_keys",
        },
      );
    }
    report.failed(step, error, {
      detail:
        `the server forbids ${forbidden}, and the ${others.length} other targets that were tried`,
      cause:
        "it forbids all forwards, or permits only targets that were not tried: clients get to those all the same",
    });
  }
}

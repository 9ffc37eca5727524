/**
 * What a tunnel tells about itself: the shape of `profile status --json`.
 *
 * @module
 */

import {
  formatTarget,
  type Forward,
  type ForwardKind,
} from "../forward/address.ts";
import { noTraffic, type Traffic } from "../forward/traffic.ts";
import type { Profile } from "../profile/profile.ts";

export type StateName =
  | "stopped"
  | "connecting"
  | "up"
  | "reconnecting"
  | "failed";

export interface ForwardStatus extends Traffic {
  name: string;
  kind: ForwardKind;
  service?: string;
  /** `host:port` or a socket path, each. */
  listen: string[];
  /** Null for a proxy, whose clients say where to. */
  target: string | null;
  /** Why its last client did not get to the target, or the server not listen. */
  problem?: string | undefined;
}

export interface TunnelStatus {
  name: string;
  state: StateName;
  /** Null when it does not run. */
  pid: number | null;
  /** `user@host:port`. */
  server: string;
  /** When it came into this state, ISO 8601. */
  since: string | null;
  reconnects: number;
  lastError: string | null;
  forwards: ForwardStatus[];
}

/** What a forward is, apart from what goes through it. */
export function describeForward(
  forward: Forward,
): Pick<ForwardStatus, "name" | "kind" | "service" | "target"> {
  return {
    name: forward.name,
    kind: forward.kind,
    ...(forward.kind === "local" && forward.service !== undefined
      ? { service: forward.service }
      : {}),
    target: forward.kind === "dynamic" || forward.target === undefined
      ? null
      : formatTarget(forward.target),
  };
}

/**
 * The status of a profile that no process runs.
 *
 * @param server `user@host:port`
 */
export function stoppedStatus(profile: Profile, server: string): TunnelStatus {
  return {
    name: profile.name,
    state: "stopped",
    pid: null,
    server,
    since: null,
    reconnects: 0,
    lastError: null,
    forwards: profile.forwards.map((forward) => ({
      ...describeForward(forward),
      listen: [],
      ...noTraffic(),
    })),
  };
}

/**
 * What a connection needs to be opened, and what it tells meanwhile.
 *
 * @module
 */

import type { Duplex } from "node:stream";
import type { Log } from "../log.ts";
import type { AlgorithmSettings } from "./algorithms.ts";
import type { AuthenticationOptions } from "./authentication.ts";
import type { Connection } from "./connection.ts";
import type { HostKeyOptions, Trust } from "./host_key.ts";
import type { Prompter } from "./prompter.ts";

/** How far a connection has come, in this order. */
export type Milestone =
  | { name: "tcp" }
  /** The server is one of SSH, such as `OpenSSH_9.2p1 Debian-2`. */
  | { name: "ssh"; software: string }
  | { name: "host-key"; type: string; fingerprint: string; trust: Trust }
  /** `by` what the server let us in: a key, a password. */
  | { name: "login"; by: string };

export interface ConnectionOptions {
  host: string;
  port: number;
  user: string;
  /** Use only addresses of this IP version; 0 for both. */
  family?: 0 | 4 | 6 | undefined;
  /** This machine's address to connect from. */
  bindAddress?: string | undefined;
  /** The connection to go through, when this is not the first hop. */
  via?: Connection | undefined;
  /** Whether the server is only the way to another one; for messages. */
  isJumpHost?: boolean | undefined;
  /** A TCP connection to the server that is there already, still unread. */
  transport?: Duplex | undefined;
  /** Told how far it has come; more than once, if it has to connect again. */
  onMilestone?: ((milestone: Milestone) => void) | undefined;
  /** Until logged in; the time a person takes to answer does not count. */
  connectTimeoutMs: number;
  /** Lost after interval × count without anything heard. */
  keepalive: { intervalMs: number; count: number };
  authentication: Pick<
    AuthenticationOptions,
    | "named"
    | "certificates"
    | "defaults"
    | "onlyNamed"
    | "agent"
    | "agentPatienceMs"
    | "signing"
    | "attend"
    | "checkPermissions"
    | "secrets"
    | "methods"
    | "passwordAttempts"
  >;
  hostKey:
    & Pick<
      HostKeyOptions,
      "pin" | "unknown" | "attend" | "alias" | "hash"
    >
    & {
      /** known_hosts files. */
      files: string[];
      /** The one that new keys go to; undefined: nowhere. */
      store: string | undefined;
    };
  algorithms?: AlgorithmSettings | undefined;
  /** Whether to open a session; see `session.ts`. */
  session?: boolean | undefined;
  ask: Prompter;
  log: Log;
  signal: AbortSignal;
  /** Told when the server says something, after it had not. */
  onWord?: (() => void) | undefined;
  /** Told when a server that has begun has said nothing for so long. */
  onSilence?: ((ms: number) => void) | undefined;
}

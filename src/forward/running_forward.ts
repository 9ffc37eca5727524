/**
 * What every kind of forward has in common while it runs.
 *
 * @module
 */

import { I2ptunError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Connection } from "../ssh/connection.ts";
import type { Forward } from "./address.ts";
import type { PortOwner } from "./listener.ts";
import type { Sleep } from "./time_limit.ts";
import type { Traffic } from "./traffic.ts";

export interface ForwardOptions {
  /**
   * The connection to use: at once if there is one, else as soon as there is.
   * Rejects when the client has waited long enough.
   */
  connection: () => Connection | Promise<Connection>;
  /** How long a proxy's client may take to say where to, and a target to answer. */
  connectTimeoutMs: number;
  sleep: Sleep;
  portOwner: PortOwner;
  log: Log;
}

/** What is wrong with a target; undefined if it is the connection's fault. */
export function problemOf(error: unknown): string | undefined {
  const { kind, message } = I2ptunError.from(error);
  return kind === "forward" ? message : undefined;
}

export interface RunningForward {
  readonly forward: Forward;
  readonly traffic: Traffic;
  /**
   * Why its last client did not get to the target, or why the server does not
   * listen; undefined if all is well.
   */
  readonly problem: string | undefined;
  /** Where it listens, each `host:port` or a socket's path; empty while it does not. */
  readonly addresses: string[];
  /**
   * Opens what it has on this machine; before there is a connection.
   *
   * @throws {I2ptunError} `forward` if the address cannot be had.
   */
  open(): Promise<void>;
  /**
   * Opens what it has on the server.
   *
   * @throws {I2ptunError} `forward` if the server refuses it, `unreachable` if
   *   the connection is lost before it has answered.
   */
  attach(connection: Connection): Promise<void>;
  /**
   * As {@link attach}, but tries until it succeeds or the connection is lost.
   *
   * @param isRefused {@link attach} has just been refused over this connection
   */
  attachAgain(connection: Connection, isRefused?: boolean): Promise<void>;
  /**
   * Stops listening and cuts every connection. Resolves when its addresses on
   * this machine are free.
   */
  close(): Promise<void>;
}

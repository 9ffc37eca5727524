/**
 * From a route to a logged-in connection, hop by hop.
 *
 * @module
 */

import { I2ptunError } from "../errors.ts";
import { formatHostPort } from "../forward/address.ts";
import type { Log } from "../log.ts";
import type { Connection } from "../ssh/connection.ts";
import type { ConnectionOptions } from "../ssh/connection_options.ts";
import { openConnection } from "../ssh/open_connection.ts";
import type { Prompter } from "../ssh/prompter.ts";
import type { Secrets } from "../ssh/secrets.ts";
import { type Again, type Hung, race } from "./race.ts";
import type { Hop, Route } from "./route.ts";

/** A hop that could not be had. */
export interface FailedHop {
  hop: Hop;
  /** The connection to the hop before, if there is one; it may be lost. */
  via: Connection | undefined;
  signal: AbortSignal;
}

/** Finds out more about why; rejects with the reason of the signal. */
export type Explain = (
  error: I2ptunError,
  failed: FailedHop,
) => Promise<I2ptunError>;

export interface ConnectOptions
  extends Pick<ConnectionOptions, "transport" | "onMilestone" | "session"> {
  ask: Prompter;
  secrets: Secrets;
  /** Store unknown host keys without asking. */
  acceptNew: boolean;
  log: Log;
  signal: AbortSignal;
  /** When an attempt that hangs is to be joined by a fresh one; never without. */
  again?: Again | undefined;
  /** Asked while the hops before are still connected. */
  explain?: Explain | undefined;
}

/**
 * Connects and logs in.
 *
 * @throws {I2ptunError} `unreachable`, `host-key` or `login-refused`; if it was
 *   about a jump host, the message begins with its name
 */
export async function connectRoute(
  { hops }: Route,
  options: ConnectOptions,
): Promise<Connection> {
  const open: Connection[] = [];
  try {
    for (const hop of hops) {
      const { signal, explain } = options;
      signal.throwIfAborted();
      const via = open.at(-1);
      const connection = openHop(hop, via, options);
      open.push(
        await connection.catch(async (thrown) => {
          const error = I2ptunError.from(thrown);
          const failed = { hop, via, signal };
          const known = await explain?.(error, failed) ?? error;
          // one before it that was lost is named already
          throw hop.isJumpHost && !via?.lost ? atJumpHost(hop, known) : known;
        }),
      );
    }
  } catch (error) {
    open.forEach((each) => each.end());
    throw error;
  }
  const connection = open.pop()!;
  connection.closed.then(() => open.forEach((each) => each.end()));
  return connection;
}

function atJumpHost(hop: Hop, error: I2ptunError): I2ptunError {
  const { host, port } = hop;
  const name = port === 22 ? host : formatHostPort(host, port);
  return new I2ptunError(
    error.kind,
    `jump host ${name}: ${error.message}`,
    error,
  );
}

/**
 * Connects and logs in to one hop.
 *
 * @param via the connection to the hop before, if there is one
 * @throws {I2ptunError} `unreachable`, `host-key` or `login-refused`
 */
export function openHop(
  hop: Hop,
  via: Connection | undefined,
  options: ConnectOptions,
): Promise<Connection> {
  const { ask, log, secrets, transport, onMilestone, session } = options;
  const attempt = (
    signal: AbortSignal,
    onWord: () => void,
    onSilence: (ms: number) => void,
  ) =>
    openConnection({
      ...hop,
      ...{ via, transport, onMilestone, session },
      authentication: { ...hop.authentication, secrets },
      hostKey: {
        ...hop.hostKey,
        unknown: options.acceptNew ? "accept" : hop.hostKey.unknown,
      },
      ask,
      log,
      signal,
      onWord,
      onSilence,
    });
  const { again, signal } = options;
  return race({
    attempt,
    end: (late) => late.end(),
    onJoined: (hung) => log("info", describeHung(hop, hung)),
    ...{ again, signal },
  });
}

function describeHung(
  { host, port, isJumpHost }: Hop,
  { silentMs, hasTalked }: Hung,
): string {
  const server = `${isJumpHost ? "jump host " : ""}${
    formatHostPort(host, port)
  }`;
  const seconds = Math.max(1, Math.round(silentMs / 1000));
  return `${server} has been silent for ${seconds} s${
    hasTalked ? " during the login" : ""
  }; trying a fresh connection beside that one`;
}

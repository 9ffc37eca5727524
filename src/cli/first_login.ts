/**
 * Trying the connection while the questions of the first run are asked.
 *
 * @module
 */

import { explainUnreachable } from "../diagnosis/unreachable.ts";
import { I2ptunError } from "../errors.ts";
import type { Found } from "../i2p/discover.ts";
import { DEFAULTS, type Profile } from "../profile/profile.ts";
import {
  parseServerAddress,
  type ServerAddress,
} from "../profile/server_address.ts";
import type { Connection } from "../ssh/connection.ts";
import { Secrets } from "../ssh/secrets.ts";
import { systemClock } from "../tunnel/clock.ts";
import { connectRoute } from "../tunnel/connect.ts";
import { readHostConfig, resolveRoute } from "../tunnel/route.ts";
import { discoverThrough } from "./commands/discover.ts";
import { progress } from "./commands/start.ts";
import type { Context } from "./context.ts";
import type { Draft } from "./draft.ts";
import { interruption } from "./interruption.ts";
import { warn } from "./output.ts";
import type { RememberedAnswers } from "./remembered_answers.ts";
import { spinner } from "./spinner.ts";

/** The server, with the user wherever that was typed. */
export function addressOf({ server, user }: Draft): ServerAddress {
  const address = parseServerAddress(server);
  return { ...address, user: address.user ?? (user || undefined) };
}

/** Whether the server's text, or ssh_config, names the user. */
export async function hasUser(
  draft: Draft,
  context: Context,
): Promise<boolean> {
  const address = parseServerAddress(draft.server);
  if (address.user !== undefined) return true;
  const config = await readHostConfig(
    profileOf(draft, address),
    context.environment,
  );
  return config.user !== undefined;
}

/** A profile to log in with, before it has a name. */
function profileOf(draft: Draft, server: ServerAddress): Profile {
  return {
    ...DEFAULTS,
    name: draft.name || "new",
    server,
    jump: [],
    identity: draft.identity,
    knownHosts: undefined,
    hostKey: undefined,
    sshConfig: undefined,
    forwards: [],
    written: new Set(),
  };
}

/**
 * Logs in and looks what there is.
 *
 * @throws {I2ptunError} why it cannot; `interrupted`
 */
export async function logIn(
  draft: Draft,
  answers: RememberedAnswers,
  context: Context,
): Promise<Found[]> {
  using interrupted = interruption();
  const { signal } = interrupted;
  const route = await resolveRoute(
    profileOf(draft, addressOf(draft)),
    context.environment,
  );
  route.warnings.forEach(warn);
  const connection = await connect();
  try {
    using _busy = spinner("looking which I2P services the server has");
    return await discoverThrough(connection, signal);
  } finally {
    connection.end();
  }

  async function connect(): Promise<Connection> {
    using _busy = spinner(`connecting to ${route.server.login}`);
    const prompter = answers.prompter();
    let gaveUp: unknown;
    try {
      return await connectRoute(route, {
        ask: (question) =>
          prompter(question).catch((error) => {
            gaveUp = error;
            throw error;
          }),
        secrets: new Secrets(),
        acceptNew: false,
        log: progress(context.debug),
        signal,
      });
    } catch (error) {
      // on the way here it may have become an error of a jump host
      if (gaveUp !== undefined) throw gaveUp;
      signal.throwIfAborted();
      throw await explainUnreachable(I2ptunError.from(error), route, {
        clock: systemClock,
        signal,
      });
    }
  }
}

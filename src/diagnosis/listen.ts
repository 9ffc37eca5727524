/**
 * The step `listen:NAME`: whether a forward can have the place where it listens,
 * here or, with `ssh -R`, on the server.
 *
 * @module
 */

import { I2ptunError } from "../errors.ts";
import type { Forward } from "../forward/address.ts";
import { openListener, type PortOwner } from "../forward/listener.ts";
import { formatServerListen } from "../ssh/server_listeners.ts";
import type { TunnelStatus } from "../tunnel/status.ts";
import { reachWarning } from "./explain.ts";
import type { Report } from "./report.ts";
import type { Reached } from "./way.ts";

export interface ListenOptions {
  running: TunnelStatus | undefined;
  reached: Reached | undefined;
  portOwner: PortOwner;
}

/** Left out of a remote forward, if the server could not be reached. */
export async function checkListen(
  report: Report,
  forward: Forward,
  options: ListenOptions,
): Promise<void> {
  const step = `listen:${forward.name}`;
  const warning = reachWarning(forward);
  const own = ownListen(forward, options.running);
  if (own) {
    const { name, pid } = options.running!;
    const at = own.join(", ");
    return report.passed(
      step,
      `${at}, held by ${name} itself (pid ${pid})`,
      warning,
    );
  }
  try {
    const at = forward.kind === "remote"
      ? await listenThere(forward, options.reached)
      : await listenHere(forward, options.portOwner);
    if (at !== undefined) report.passed(step, at, warning);
  } catch (error) {
    report.failed(step, I2ptunError.from(error));
  }
}

/** Where the tunnel that runs listens for this forward, if it does. */
function ownListen(
  { name, listen }: Forward,
  running: TunnelStatus | undefined,
): string[] | undefined {
  const own = running?.forwards.find((each) => each.name === name)?.listen;
  // the profile may have been changed since it was started
  const isSame = (at: string) =>
    listen.kind === "unix"
      ? at === listen.path
      : listen.port === 0 || at.endsWith(`:${listen.port}`);
  return own && own.length > 0 && own.every(isSame) ? own : undefined;
}

async function listenHere(
  forward: Forward,
  portOwner: PortOwner,
): Promise<string> {
  const listener = await openListener({
    name: forward.name,
    listen: forward.listen,
    service: forward.kind === "local" ? forward.service : undefined,
    portOwner,
    onConnection: (conn) => conn.close(),
  });
  await listener.close();
  return `free: ${listener.addresses.join(", ")}`;
}

async function listenThere(
  { listen }: Forward,
  reached: Reached | undefined,
): Promise<string | undefined> {
  if (reached === undefined) return undefined;
  if (listen.kind === "unix") {
    // sshd leaves the file, and then refuses the start that comes after
    return `${listen.path} on the server: only a start tries that`;
  }
  const { connection } = reached;
  const at = await connection.listen(listen, (incoming) => incoming.refuse());
  connection.cancelListen(at);
  return `the server listens on ${formatServerListen(at)}`;
}

/**
 * A session that nobody uses, so that the server sends at once what it has.
 *
 * OpenSSH's server, before version 10, turns Nagle's algorithm off (RFC 896) when
 * a session begins to run something, and not for forwards alone. Until then a
 * short packet waits, for a round trip, until the one before it is acknowledged:
 * answers to a browser's connections behind one another, a channel behind the end
 * of the last, and what allows more of an upload (RFC 4254 §5.2).
 *
 * @module
 */

import type { ClientChannel, SshClient } from "./ssh2.ts";

/** What every shell knows, those of Windows too, and nologin(8) need not. */
const COMMAND = "exit";

/**
 * Whether a server is known to do so without a session: OpenSSH 10.0 has the
 * algorithm off from the start, 9.2 has it on.
 *
 * @param software as it greets, such as `OpenSSH_9.2p1 Debian-2`
 */
export function sendsAtOnce(software = ""): boolean {
  return Number(/^OpenSSH_(\d+)/.exec(software)?.[1]) >= 10;
}

/**
 * Opens a session and runs `exit` in it, or what the server runs instead
 * (ForceCommand of sshd_config(5), `command` of authorized_keys).
 *
 * @param client one that is logged in
 * @param answered told that there is one, or why not
 */
export function openSession(
  client: SshClient,
  answered: (refusal?: string) => void,
): void {
  let isLost = false;
  client.on("close", () => isLost = true);
  client.exec(COMMAND, (error: Error | undefined, channel: ClientChannel) => {
    if (isLost) return;
    if (error) return answered(error.message);
    channel.on("error", () => {}); // of the connection, which says so itself
    channel.resume();
    channel.stderr.resume();
    channel.end();
    answered();
  });
}

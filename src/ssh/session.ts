/**
 * A session that nobody uses, so that the server sends at once what it has.
 *
 * OpenSSH's server turns Nagle's algorithm off (RFC 896) when a session begins to
 * run something, and not for forwards alone. Until then a short packet waits, for
 * a round trip, until the one before it is acknowledged: answers to a browser's
 * connections behind one another, a channel behind the end of the last, and what
 * allows more of an upload (RFC 4254 §5.2).
 *
 * @module
 */

import type { ClientChannel, SshClient } from "./ssh2.ts";

/** What every shell knows, those of Windows too, and nologin(8) need not. */
const COMMAND = "exit";

/**
 * Opens a session and runs `exit` in it, or what the server runs instead
 * (ForceCommand of sshd_config(5), `command` of authorized_keys).
 *
 * @param client one that is logged in
 * @param refused told why there is none
 */
export function openSession(
  client: SshClient,
  refused: (why: string) => void,
): void {
  let isLost = false;
  client.on("close", () => isLost = true);
  client.exec(COMMAND, (error: Error | undefined, channel: ClientChannel) => {
    if (isLost) return;
    if (error) return refused(error.message);
    channel.on("error", () => {}); // of the connection, which says so itself
    channel.resume();
    channel.stderr.resume();
    channel.end();
  });
}

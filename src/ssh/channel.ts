/**
 * Forwarded connections as the server sees them: how they ended, and why there
 * is none.
 *
 * ssh2 reports the end of a channel's data in the same way whether the far side
 * ended it or the whole connection was lost. A relay has to tell them apart:
 * the first is the end of a whole answer, the second is not.
 *
 * @module
 */

import type { Duplex } from "node:stream";
import { I2ptunError } from "../errors.ts";
import type { ClientChannel } from "./ssh2.ts";

const cut = new WeakSet<ClientChannel>();

/**
 * Begins to watch how a channel ends. Call before any data can arrive.
 *
 * A server may close a channel without EOF (RFC 4254 §5.3), and those written
 * with Go's x/crypto/ssh mostly do: as for ssh(1), that is an orderly end.
 *
 * @param isLost whether the connection is lost
 */
export function watchEnd(channel: ClientChannel, isLost: () => boolean): void {
  const push = channel.push;
  let ended = false;
  channel.push = function (...args: Parameters<typeof push>) {
    // null comes a second time when the channel is closed after its EOF
    if (args[0] === null && !ended) {
      ended = true;
      if (isLost()) cut.add(channel);
    }
    return push.apply(this, args);
  };
}

/** Whether the channel's data ended because the connection was lost. */
export function wasCut(channel: ClientChannel): boolean {
  return cut.has(channel);
}

/**
 * Lets what is written to a channel wait until the writer has returned.
 *
 * For a connection over another one's channel: ssh2's chacha20-poly1305 keeps
 * its nonce in one place for all connections and writes a packet in pieces, so
 * the outer connection must not encrypt before the inner one is done with its.
 */
export function deferWrites(channel: ClientChannel): ClientChannel {
  const write = channel.write;
  let waiting = false;
  channel.write = function (...args: unknown[]) {
    if (!waiting) {
      waiting = true;
      channel.cork();
      queueMicrotask(() => {
        waiting = false;
        channel.uncork();
      });
    }
    return write.apply(channel, args as never);
  } as typeof channel.write;
  return channel;
}

/**
 * Ends a channel that a connection goes through, without its server: that one
 * closes it only when all has been delivered, to one who may be dead.
 */
export function abandon(channel: Duplex): void {
  channel.destroy();
  channel.emit("close");
}

/** RFC 4254 §5.1, the reason codes of SSH_MSG_CHANNEL_OPEN_FAILURE. */
const OPEN_FAILURES: Record<
  number,
  { said: string; why?: string; remedy: string }
> = {
  1: {
    said: "the server forbids it",
    remedy:
      "its sshd_config must allow it: AllowTcpForwarding, PermitOpen, or the key's options in authorized_keys",
  },
  2: {
    said: "nothing answers there",
    why: "the service does not run on the server, or listens elsewhere",
    remedy: "check that the service runs on the server and listens there",
  },
  3: {
    said: "the server does not know this kind of channel",
    remedy: "the SSH server cannot forward connections; use another one",
  },
  4: {
    said: "the server has no resources left",
    remedy: "try again later, or look at the server's load",
  },
};

const ADMINISTRATIVELY_PROHIBITED = 1;

/** Whether a channel was not opened because the SSH server forbids it. */
export function isForbidden(error: I2ptunError): boolean {
  const { reason } = (error.cause ?? {}) as { reason?: unknown };
  return Number(reason) === ADMINISTRATIVELY_PROHIBITED;
}

/** Explains why a channel to `target` was not opened. */
export function openFailure(
  error: Error & { reason?: number | string },
  target: string,
): I2ptunError {
  const known = OPEN_FAILURES[Number(error.reason)];
  const said = error.message.replace(/^\(SSH\) Channel open failure: /, "");
  return known
    ? new I2ptunError("forward", `${target}: ${known.said} (${said})`, {
      why: known.why,
      remedy: known.remedy,
      cause: error,
    })
    : new I2ptunError("forward", `${target}: ${said}`, { cause: error });
}

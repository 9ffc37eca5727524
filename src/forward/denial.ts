/**
 * Why a proxy's client does not get its target, in kinds that SOCKS and HTTP
 * have codes for.
 *
 * @module
 */

import { I2ptunError } from "../errors.ts";
import { isForbidden } from "../ssh/channel.ts";

export interface Denial {
  kind:
    | "forbidden"
    | "refused"
    | "no-network"
    | "no-host"
    | "timed-out"
    | "failed";
  /** One line for people. */
  message: string;
}

/**
 * How servers and systems word it: strerror(3) and gai_strerror(3), which sshd
 * passes on, and this program itself.
 */
const WORDINGS: [RegExp, Denial["kind"]][] = [
  [/refused/i, "refused"],
  [/timed? ?out|in time|within \d+ s/i, "timed-out"],
  [/network (is )?unreachable|no network/i, "no-network"],
  [
    /no route|unreachable|not known|name resolution|no address|cannot (find|be reached)/i,
    "no-host",
  ],
];

/**
 * What to tell the client.
 *
 * @param error why the target could not be connected
 * @param host the target's, whose name is no part of the reason
 */
export function denialOf(error: unknown, host: string): Denial {
  const known = I2ptunError.from(error);
  const { message, cause } = known;
  const fromServer = cause as { reason?: number; message?: string } | undefined;
  if (isForbidden(known)) return { kind: "forbidden", message };
  const said = fromServer?.reason === undefined
    ? message.replaceAll(host, "")
    : fromServer.message ?? "";
  const kind = WORDINGS.find(([wording]) => wording.test(said))?.[1];
  return { kind: kind ?? "failed", message };
}

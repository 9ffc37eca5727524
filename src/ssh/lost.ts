/**
 * Why a connection ended, for people.
 *
 * @module
 */

import { I2ptunError } from "../errors.ts";
import type { Authentication } from "./authentication.ts";

/** What the system says when a connection ends, for people. */
const LOSSES: Record<string, string> = {
  ECONNRESET: "it was reset",
  EPIPE: "the server has closed it",
  ETIMEDOUT: "no answer any more",
  EHOSTUNREACH: "the server cannot be reached from here any more",
  ENETUNREACH: "there is no network to it any more",
  ENETDOWN: "this machine's network is down",
};

/** What ended a connection that had logged in to `server` (`host:port`). */
export function lost(
  error: Error & { code?: string },
  server: string,
): I2ptunError {
  const why = LOSSES[error.code ?? ""] ?? error.message;
  return new I2ptunError(
    "unreachable",
    `the connection to ${server} was lost: ${why}`,
    { cause: error },
  );
}

/** Some servers, such as dropbear, end a login they refuse without a word. */
const REFUSALS_BEFORE_CLOSING = 3;

/** The server ended the connection before it had let us in. */
export function closedDuringLogin(
  server: string,
  authentication: Authentication,
  cause?: Error,
): I2ptunError {
  if (authentication.refused >= REFUSALS_BEFORE_CLOSING) {
    return authentication.refusal(
      `too many attempts: the server closed the connection after ${authentication.refused}`,
    );
  }
  return new I2ptunError(
    "unreachable",
    `${server} closed the connection before the login was complete`,
    { remedy: "look at the SSH server's log for the reason", cause },
  );
}

/** What was being done, `what`, when the connection ended. */
export function lostMeanwhile(what: string): I2ptunError {
  return new I2ptunError(
    "unreachable",
    `${what}: the connection to the server was lost`,
  );
}

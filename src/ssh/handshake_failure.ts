/**
 * Why a server and this program did not come to an encrypted connection.
 *
 * @module
 */

import { I2ptunError } from "../errors.ts";
import {
  ALGORITHM_KINDS,
  type AlgorithmKind,
  type AlgorithmOffer,
  keywordOf,
  weakAlgorithms,
} from "./algorithms.ts";
import { noAnswer } from "./dial.ts";
import type { Greeting } from "./server_offer.ts";
import type { ClientErrorExtensions } from "./ssh2.ts";

export interface HandshakeFailureOptions {
  /** `host:port`, for messages. */
  server: string;
  /** The name a `Host` line of ssh_config would have. */
  host: string;
  greeting: Greeting;
  offer: AlgorithmOffer;
}

/** What ssh2's error during the handshake means. */
export function handshakeFailure(
  error: Error & ClientErrorExtensions,
  options: HandshakeFailureOptions,
): I2ptunError {
  const { server, greeting } = options;
  const because = (message: string, remedy: string) =>
    new I2ptunError("unreachable", message, { remedy, cause: error });
  if (/no matching/i.test(error.message)) {
    const nothing = nothingInCommon(options);
    if (nothing) return because(nothing.message, nothing.remedy);
  }
  if (error.level === "client-socket") {
    return because(
      `the connection to ${server} broke: ${error.message}`,
      "try again; if it stays so, look at the network",
    );
  }
  if (greeting.said === undefined) {
    return because(
      `${server} closed the connection without a word`,
      "try again later; if it stays so, check the port and the SSH server's log",
    );
  }
  // what OpenSSH's sshd says instead of its version when it is too busy
  if (/^(Exceeded MaxStartups|Not allowed at this time)/.test(greeting.said)) {
    return because(
      `${server} takes no more connections just now: ${greeting.said}`,
      "try again in a minute",
    );
  }
  if (greeting.software === undefined) return notSsh(server, greeting, error);
  return because(
    `${server} (${greeting.software}) broke off the handshake: ${error.message}`,
    "try again; if it stays so, look at the SSH server's log",
  );
}

/** What answers is another kind of server. */
export function notSsh(
  server: string,
  { said, protocol }: Greeting,
  cause?: Error,
): I2ptunError {
  return new I2ptunError(
    "unreachable",
    `what answers at ${server} is not an SSH server (it says "${said}")`,
    {
      why: protocol === undefined
        ? "another program listens at that port"
        : `it looks like ${protocol}`,
      remedy: "check the port: SSH servers usually listen on 22",
      cause,
    },
  );
}

/** What is known of the server so far. */
export interface Heard {
  connected: boolean;
  greeting: Greeting | undefined;
}

/** Why the time was not enough, by how far it has come. */
export function tooLate(
  server: string,
  limitMs: number,
  { connected, greeting }: Heard,
): I2ptunError {
  const late = noAnswer(server, limitMs);
  if (!connected) return late;
  if (greeting?.said === undefined) {
    return new I2ptunError(late.kind, late.message, {
      why:
        "it takes the connection but says nothing, as no SSH server does: another program, or a firewall in its place",
      remedy: "check the port: SSH servers usually listen on 22",
    });
  }
  const isBeginning = /^(S|SS|SSH|SSH-.*)$/.test(greeting.said);
  if (greeting.software === undefined && !isBeginning) {
    return notSsh(server, greeting);
  }
  return new I2ptunError(late.kind, late.message, {
    why: "the SSH server began, but did not go on",
    remedy: "try again; if it stays so, look at the server's load and log",
  });
}

/** The kind of algorithm they differ in, what the server has, what to do. */
function nothingInCommon(
  { server, host, greeting, offer }: HandshakeFailureOptions,
): { message: string; remedy: string } | undefined {
  const theirs = greeting.offer;
  if (!theirs) return undefined;
  const missing = ALGORITHM_KINDS.filter((kind) =>
    !offer[kind].some((each) => theirs[kind].includes(each))
  );
  if (missing.length === 0) return undefined;
  const offers = missing.map((kind) =>
    `${keywordOf(kind)} ${theirs[kind].filter(isAlgorithm).join(",")}`
  );
  const allowed = missing.map((kind) => weakLine(kind, theirs[kind]));
  return {
    message: `${server} (${greeting.software}) offers only ${
      offers.join(" and ")
    }, none of which i2ptun ${
      allowed.includes(undefined) ? "can use" : "uses by itself"
    }`,
    remedy: allowed.includes(undefined)
      ? "update the SSH server"
      : `update the SSH server; until then, though it is weak, allow it in ~/.ssh/config under "Host ${host}": ${
        allowed.join(" and ")
      }`,
  };
}

/** Extensions are announced among the algorithms (RFC 8308 §2.1). */
function isAlgorithm(name: string): boolean {
  return !/^(ext-info|kex-strict)-/.test(name);
}

/** The line of ssh_config that allows the best of what the server has. */
function weakLine(
  kind: AlgorithmKind,
  theirs: readonly string[],
): string | undefined {
  const best = weakAlgorithms(kind).find((each) => theirs.includes(each));
  return best && `${keywordOf(kind)} +${best}`;
}

/**
 * Where an SSH server is: the destination argument of ssh(1).
 *
 * @module
 */

import { isIPv6 } from "node:net";
import { I2ptunError } from "../errors.ts";

/** An SSH server as the user named it; what is undefined is not said. */
export interface ServerAddress {
  user: string | undefined;
  /** A name, an address without brackets, or a Host of ~/.ssh/config. */
  host: string;
  port: number | undefined;
}

/**
 * Reads `[user@]host[:port]` or `ssh://[user@]host[:port]`.
 *
 * An IPv6 address stands in brackets; without a port it may stand without.
 * A user name may contain `@`: the last one counts, as in ssh(1).
 *
 * @throws I2ptunError "usage" saying what is wrong with it
 */
export function parseServerAddress(written: string): ServerAddress {
  const uri = written.match(/^ssh:\/\/([^/]*)\/?$/i);
  const text = uri?.[1] ?? written;
  refuseOther(text);
  const at = text.lastIndexOf("@");
  const user = at < 0 ? undefined : decode(text.slice(0, at), uri !== null);
  if (user !== undefined) checkUser(user, text.slice(at + 1));
  const { host, port } = splitHostPort(text.slice(at + 1));
  checkHost(host, written);
  return {
    user,
    host,
    port: port === undefined ? undefined : toPort(port),
  };
}

/** The shortest text that {@link parseServerAddress} reads as `address`. */
export function formatServerAddress(address: ServerAddress): string {
  const { user, host, port } = address;
  return (user === undefined ? "" : `${user}@`) +
    (host.includes(":") ? `[${host}]` : host) +
    (port === undefined ? "" : `:${port}`);
}

/** What people have at hand who are asked for a server. */
function refuseOther(text: string): void {
  if (/^https?:\/\//i.test(text)) {
    throw mistake("that is the address of a page: only the server is meant");
  }
  if (/^ssh\s/.test(text)) {
    throw mistake("that is a whole command: only the server is meant");
  }
}

function splitHostPort(text: string): { host: string; port?: string } {
  const bracketed = text.match(/^\[([^\]]*)\](?::(.*))?$/s);
  if (bracketed) return part(bracketed[1]!, bracketed[2]);
  if (isIPv6(text.replace(/%[\w.-]+$/, ""))) return { host: text };
  const [host, port, ...more] = text.split(":");
  if (more.length > 0) {
    throw mistake(`server "${text}" has more than one colon`);
  }
  return part(host!, port);
}

function part(host: string, port: string | undefined) {
  return port === undefined ? { host } : { host, port };
}

function toPort(text: string): number {
  const port = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!(port >= 1 && port <= 65535)) {
    throw mistake(`server port "${text}" is not a number from 1 to 65535`);
  }
  return port;
}

function checkHost(host: string, written: string): void {
  if (host === "") throw mistake(`server "${written}" has no host`);
  // A leading "-" would be an option to any program the host is handed to.
  if (host.startsWith("-") || /[\s,/[\]\p{Cc}]/u.test(host)) {
    throw mistake(`"${host}" is not a host name`);
  }
}

function checkUser(user: string, host: string): void {
  // Not quoted: what follows the colon is most likely a password.
  if (user.includes(":")) {
    throw new I2ptunError(
      "usage",
      `the user of server "${host}" contains ":"; a password does not belong here`,
      { remedy: "leave it out: it is asked for, or better, use a key" },
    );
  }
  if (user === "" || user.startsWith("-") || /[\p{Cc}]/u.test(user)) {
    throw mistake(`"${user}" is not a user name`);
  }
}

function decode(user: string, isUri: boolean): string {
  try {
    return isUri ? decodeURIComponent(user) : user;
  } catch {
    return user;
  }
}

function mistake(message: string): I2ptunError {
  return new I2ptunError("usage", message, {
    remedy: "write [user@]host[:port], an IPv6 address in brackets",
  });
}

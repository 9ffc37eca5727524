/**
 * PuTTY's proxies (proxy/proxy.c and proxy/sshproxy.c of its source). One that
 * is an SSH server becomes a jump host; i2ptun has none of the others.
 *
 * @module
 */

import { formatHostPort } from "../forward/address.ts";
import { matchPattern } from "../ssh/host_pattern.ts";
import {
  type PuttySession,
  type PuttySettings,
  serverOf,
  whyUnfit,
} from "./putty_settings.ts";
import type { ServerAddress } from "./server_address.ts";

/** How a session gets to its server. */
export interface PuttyProxy {
  /** Jump hosts, the nearest first. */
  jump: ServerAddress[];
  /** Key files of the jump hosts' own sessions. */
  identity: string[];
  leftOut: string[];
}

/** `ProxyMethod`, and `ProxyType` of before version 0.54. */
const METHODS = ["none", "SOCKS 4", "SOCKS 5", "HTTP", "Telnet", "command"];
const OLD_TYPES = ["none", "HTTP", "SOCKS 5", "Telnet", "command"];
/** To ask an SSH server for a connection to the host. */
const SSH_FORWARDING = 6;
const SSH_OTHERS = [7, 8];

/**
 * What a session's proxy settings come to.
 *
 * @param through the sessions it is the proxy of, against circles
 */
export function proxyOf(
  settings: PuttySettings,
  sessions: readonly PuttySession[],
  through: readonly PuttySettings[] = [],
): PuttyProxy {
  const none: PuttyProxy = { jump: [], identity: [], leftOut: [] };
  const leftOut = (line: string) => ({ ...none, leftOut: [line] });
  const method = settings.number("ProxyMethod", -1);
  const kind = method >= 0
    ? METHODS[method]
    : OLD_TYPES[settings.number("ProxyType")];
  if (kind === "none" || isDirect(settings)) return none;
  const host = settings.text("ProxyHost") || "proxy";
  const port = settings.number("ProxyPort", 80);
  if (kind === "command") {
    return leftOut(
      "the proxy command: i2ptun starts no programs and connects directly",
    );
  }
  if (method !== SSH_FORWARDING) {
    const name = SSH_OTHERS.includes(method) ? "SSH command" : kind ?? "other";
    return leftOut(
      `the ${name} proxy ${
        formatHostPort(host, port)
      }: i2ptun has no such proxies and connects directly`,
    );
  }

  // the proxy's name may be that of a session
  const session = sessions.find(({ name }) => name === host)?.settings;
  const path = [...through, settings];
  if (session && (path.includes(session) || whyUnfit(session))) {
    return leftOut(
      `the SSH proxy: the session "${host}" can be none, so i2ptun connects directly`,
    );
  }
  const before = session ? proxyOf(session, sessions, path) : none;
  const server = session
    ? serverOf(session)
    : { user: undefined, host, port: port === 22 ? undefined : port };
  const user = settings.text("ProxyUsername") || server.user;
  return {
    jump: [...before.jump, { ...server, user }],
    identity: [session?.text("PublicKeyFile") ?? "", ...before.identity],
    leftOut: [
      ...before.leftOut,
      ...(settings.text("ProxyPassword") === ""
        ? []
        : ["the proxy's password: you will be asked for it"]),
    ],
  };
}

/** Whether the proxy is not for this host. */
function isDirect(settings: PuttySettings): boolean {
  const { host } = serverOf(settings);
  const isLocal = /^(localhost|.*\.localhost|127\.[\d.]+|::1)$/i.test(host);
  if (isLocal && !settings.flag("ProxyLocalhost")) return true;
  return settings.text("ProxyExcludeList").split(/[,\s]+/).some((pattern) =>
    pattern !== "" && matchPattern(host.toLowerCase(), pattern.toLowerCase())
  );
}

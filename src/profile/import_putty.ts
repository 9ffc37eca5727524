/**
 * From a session of PuTTY to a profile, with a word about everything that a
 * profile has nothing like.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { fingerprint } from "../ssh/fingerprint.ts";
import { puttyForwards } from "./putty_forwards.ts";
import { proxyOf } from "./putty_proxy.ts";
import {
  type PuttySession,
  type PuttySettings,
  serverOf,
  whyUnfit,
} from "./putty_settings.ts";
import type { ProfileSource } from "./schema.ts";
import { formatServerAddress, type ServerAddress } from "./server_address.ts";

/** A session as a profile. */
export interface Translated {
  source: ProfileSource;
  /** The servers that are logged in to, the session's own last. */
  servers: ServerAddress[];
  /** What of the session is not in the profile, each a line. */
  leftOut: string[];
}

/**
 * The profile that a session amounts to.
 *
 * @param sessions all there are: one may be the jump host of another
 * @returns a text that says why, if it can be none
 */
export function translateSession(
  { settings }: PuttySession,
  sessions: readonly PuttySession[],
): Translated | string {
  const unfit = whyUnfit(settings);
  if (unfit !== undefined) return unfit;
  const server = serverOf(settings);
  const proxy = proxyOf(settings, sessions);
  const { forwards, leftOut } = puttyForwards(settings);
  const files = [settings.text("PublicKeyFile"), ...proxy.identity];
  const identity = [...new Set(files.filter((file) => file !== ""))];
  const seconds = settings.number("PingInterval") * 60 +
    settings.number("PingIntervalSecs");
  const pin = pinOf(settings);
  return {
    source: {
      server: formatServerAddress(server),
      ...(proxy.jump.length === 0
        ? {}
        : { jump: proxy.jump.map(formatServerAddress) }),
      ...(identity.length === 0
        ? {}
        : { identity: identity.length === 1 ? identity[0]! : identity }),
      ...(settings.flag("TryAgent", true) ? {} : { agent: false }),
      ...(pin.hostKey === undefined ? {} : { host_key: pin.hostKey }),
      ...(seconds > 0 ? { keepalive: { interval: `${seconds}s` } } : {}),
      forwards,
    },
    servers: [...proxy.jump, server],
    leftOut: [
      ...leftOut,
      ...proxy.leftOut,
      ...pin.leftOut,
      ...othersLeftOut(settings),
    ],
  };
}

/** Whether a session has port forwardings. */
export function hasForwards({ settings }: PuttySession): boolean {
  return settings.list("PortForwardings").length > 0;
}

/** `SSHManualHostKeys`: the only ones to accept, however many. */
function pinOf(
  settings: PuttySettings,
): { hostKey?: string; leftOut: string[] } {
  const keys = settings.list("SSHManualHostKeys").map(([key]) => key.trim());
  const [key = ""] = keys;
  const hash = /^SHA256:([A-Za-z0-9+/]{43})=?$/.exec(key)?.[1];
  const blob = /^AAAA[A-Za-z0-9+/]+=*$/.test(key)
    ? Buffer.from(key, "base64")
    : undefined;
  if (keys.length === 0) return { leftOut: [] };
  if (keys.length === 1 && hash) {
    return { hostKey: `SHA256:${hash}`, leftOut: [] };
  }
  if (keys.length === 1 && blob) {
    return { hostKey: fingerprint(blob), leftOut: [] };
  }
  return {
    leftOut: [
      "the host keys set by hand: a profile pins one key, by its SHA256 fingerprint",
    ],
  };
}

function othersLeftOut(settings: PuttySettings): string[] {
  const lines: string[] = [];
  if (settings.flag("Compression")) {
    lines.push(
      "compression: put Compression into ~/.ssh/config, which profiles read",
    );
  }
  const version = settings.number("AddressFamily") === 1 ? 4 : 6;
  if ([1, 2].includes(settings.number("AddressFamily"))) {
    lines.push(
      `IPv${version} only: put AddressFamily into ~/.ssh/config, which profiles read`,
    );
  }
  const logHost = settings.text("LogHost");
  if (logHost !== "") {
    lines.push(`that the host key is looked up as ${logHost}`);
  }
  if (settings.text("DetachedCertificate") !== "") {
    lines.push(
      "the certificate: put CertificateFile into ~/.ssh/config, which profiles read",
    );
  }
  if (settings.text("RemoteCommand") !== "") {
    lines.push("the remote command: i2ptun runs none");
  }
  if (settings.flag("AgentFwd")) lines.push("agent forwarding");
  if (settings.flag("X11Forward")) lines.push("X11 forwarding");
  return lines;
}

/**
 * PuTTY's port forwardings: `L7657=127.0.0.1:7657`, `D1080=`, `6R…`, as
 * ssh/portfwd.c of its source reads them.
 *
 * @module
 */

import { isIP } from "node:net";
import { I2ptunError } from "../errors.ts";
import { findClashes } from "./forward_names.ts";
import {
  formatForward,
  parseForward,
  type UnnamedForward,
} from "./forward_spec.ts";
import { forwardSource, type NamelessSource } from "./forward_source.ts";
import type { PuttySettings } from "./putty_settings.ts";

/** The forwards of a session, and what cannot be taken over of them. */
export interface PuttyForwards {
  forwards: NamelessSource[];
  leftOut: string[];
}

/** Which addresses `A`, `4` and `6` before a forwarding stand for. */
const LOOPBACK = { A: undefined, 4: "127.0.0.1", 6: "::1" };
const EVERYWHERE = { A: "*", 4: "0.0.0.0", 6: "::" };
type Family = keyof typeof LOOPBACK;

/** Reads the forwardings of a session. */
export function puttyForwards(settings: PuttySettings): PuttyForwards {
  const taken: UnnamedForward[] = [];
  const leftOut: string[] = [];
  for (const [name, value] of settings.list("PortForwardings")) {
    try {
      const { forward, note } = translate(name, value, settings);
      const entries = [...taken, forward].map((each) => ({ forward: each }));
      const [clash] = findClashes(entries);
      if (clash) throw new I2ptunError("usage", clash.message);
      taken.push(forward);
      if (note !== undefined) leftOut.push(`of ${name}=${value}: ${note}`);
    } catch (thrown) {
      leftOut.push(
        `the forward ${name}=${value}: ${I2ptunError.from(thrown).message}`,
      );
    }
  }
  return { forwards: taken.map(forwardSource), leftOut };
}

function translate(
  name: string,
  value: string,
  settings: PuttySettings,
): { forward: UnnamedForward; note?: string } {
  const [, family = "", type = "", place = ""] =
    /^([A46]?)([LRD]?)(.*)$/s.exec(name) ?? [];
  const { host: source, port } = split(place, "where it listens");
  const version = (family || "A") as Family;
  const kind = type === "D" || (type !== "R" && value === "D")
    ? "dynamic"
    : type === "R"
    ? "remote"
    : "local";
  const bind = kind === "remote"
    ? source || (settings.flag("RemotePortAcceptAll") ? "*" : undefined)
    // PuTTY takes "*" for no address of this machine, so as if none were given
    : source.replace(/^\*$/, "") ||
      (settings.flag("LocalPortAcceptAll") ? EVERYWHERE : LOOPBACK)[version];
  const listen = { kind: "tcp", bind, port } as const;
  if (kind === "dynamic") return { forward: checked({ kind, listen }) };

  const { host, port: targetPort } = split(value, "where it leads");
  const target = { kind: "tcp", host, port: targetPort } as const;
  // of a remote forward, it is the connection from here that has a version
  if (kind === "local" || version === "A" || isIP(host) !== 0) {
    return { forward: checked({ kind, listen, target }) };
  }
  if (host === "localhost") {
    const local = { ...target, host: LOOPBACK[version] };
    return { forward: checked({ kind, listen, target: local }) };
  }
  return {
    forward: checked({ kind, listen, target }),
    note: `that ${host} is reached by IPv${version} only`,
  };
}

/** What could not be written in the file is told now. */
function checked(forward: UnnamedForward): UnnamedForward {
  return parseForward(forward.kind, formatForward(forward));
}

/** `[host:]port`, an IPv6 address in brackets. */
function split(text: string, what: string): { host: string; port: number } {
  const [, bracketed, plain, port] =
    /^(?:(?:\[([^\]]*)\]|([^:]*)):)?([^:]*)$/.exec(text.trim()) ?? [];
  if (port === undefined) {
    throw new I2ptunError("usage", `${what}, "${text}", is no host and port`);
  }
  if (!/^\d{1,5}$/.test(port) || Number(port) === 0) {
    throw new I2ptunError("usage", `port "${port}" is not a number`);
  }
  return { host: bracketed ?? plain ?? "", port: Number(port) };
}

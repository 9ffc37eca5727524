/**
 * What an OpenSSH command line amounts to as a profile of profiles.yaml.
 *
 * @module
 */

import type { I2ptunError } from "../errors.ts";
import { splitWords } from "../ssh/ssh_config_parse.ts";
import { forwardSource } from "./forward_source.ts";
import { readForward } from "./import_ssh_config.ts";
import { nearest } from "./nearest.ts";
import { parseServerAddress } from "./server_address.ts";
import {
  splitJumps,
  type SshCommand,
  usage,
  withLogin,
} from "./ssh_command.ts";

/** ssh_config(5) keywords that a profile has a key for, in lower case. */
const PROFILE_KEYS = [
  "serveraliveinterval",
  "serveralivecountmax",
  "connecttimeout",
  "exitonforwardfailure",
  "userknownhostsfile",
  "identityfile",
  "identityagent",
  "proxyjump",
  "user",
  "port",
  "localforward",
  "remoteforward",
  "dynamicforward",
  "gatewayports",
] as const;

/** A profile of profiles.yaml, as far as a command line can say it. */
export interface CommandProfile {
  server: string;
  jump?: string[];
  identity?: string[];
  agent?: boolean;
  known_hosts?: string;
  ssh_config?: string | false;
  keepalive?: { interval?: string; count?: number };
  connect_timeout?: string;
  forwards: SshCommand["forwards"];
}

/**
 * The profile that a command line amounts to.
 *
 * @throws {I2ptunError} `usage` naming an option that a profile cannot keep
 */
export function profileOf(command: SshCommand): CommandProfile {
  const profile: CommandProfile = {
    server: command.server,
    forwards: [...command.forwards],
  };
  const jump = [...command.jump];
  const identity = [...command.identity];
  let user: string | undefined;
  let port: string | undefined;
  let isForAll: boolean | undefined;
  for (const { key, value: text } of command.options) {
    const words = wordsOf(key, text);
    const isForward = /forward$/i.test(key);
    if (words.length > 1 && !isForward) throw cannotKeep(key, text);
    // of a forward, ssh too joins where it listens and where it goes
    const value = words.join(":");
    switch (key.toLowerCase() as typeof PROFILE_KEYS[number]) {
      case "serveraliveinterval":
        if (Number(value) > 0) {
          profile.keepalive = { ...profile.keepalive, interval: `${value}s` };
        }
        break;
      case "serveralivecountmax":
        profile.keepalive = { ...profile.keepalive, count: Number(value) };
        break;
      case "connecttimeout":
        profile.connect_timeout = `${value}s`;
        break;
      case "exitonforwardfailure":
        // all or nothing is how a profile starts anyway
        break;
      case "userknownhostsfile":
        profile.known_hosts = value;
        break;
      case "identityfile":
        identity.push(value);
        break;
      case "identityagent":
        if (value !== "none") throw cannotKeep(key, value);
        profile.agent = false;
        break;
      case "proxyjump":
        if (jump.length === 0) jump.push(...splitJumps(value));
        break;
      case "user":
        user ??= value;
        break;
      case "port":
        port ??= value;
        break;
      case "localforward":
        profile.forwards.push({ local: value });
        break;
      case "remoteforward":
        profile.forwards.push({ remote: value });
        break;
      case "dynamicforward":
        profile.forwards.push({ dynamic: value });
        break;
      case "gatewayports":
        // ssh takes the first
        isForAll ??= value === "yes";
        break;
      default:
        throw cannotKeep(key, value);
    }
  }
  if (isForAll) {
    profile.forwards = profile.forwards.map((spec) =>
      forwardSource(readForward(spec, true))
    );
  }
  const { configFile } = command;
  if (configFile !== undefined) {
    profile.ssh_config = configFile === "none" ? false : configFile;
  }
  const address = parseServerAddress(profile.server);
  profile.server = withLogin(
    profile.server,
    user,
    address.port === undefined ? port : undefined,
  );
  if (jump.length > 0) profile.jump = jump;
  if (identity.length > 0) profile.identity = identity;
  return profile;
}

/** An option's value as ssh_config(5) reads it. */
function wordsOf(key: string, value: string): string[] {
  try {
    return splitWords(value);
  } catch (error) {
    throw usage(
      `-o ${key}: ${(error as Error).message}`,
      "copy the whole line",
    );
  }
}

function cannotKeep(key: string, value: string): I2ptunError {
  const near = nearest(key.toLowerCase(), PROFILE_KEYS);
  return usage(
    `a profile cannot keep the option ${key}=${value}`,
    near === undefined || near === key.toLowerCase()
      ? "leave it out, or put it into ~/.ssh/config, which profiles read"
      : `did you mean ${near}?`,
  );
}

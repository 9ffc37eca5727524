/**
 * The way to a profile's server: each hop with everything its connection needs,
 * from the profile first, then ~/.ssh/config, then the usual values.
 *
 * @module
 */

import { I2ptunError } from "../errors.ts";
import { formatHostPort } from "../forward/address.ts";
import { type Environment, expandHome, pathsOf } from "../platform/paths.ts";
import type { Profile } from "../profile/profile.ts";
import type { ServerAddress } from "../profile/server_address.ts";
import type { ConnectionOptions } from "../ssh/connection.ts";
import { readSshConfig, type SshHostConfig } from "../ssh/ssh_config.ts";

/** What a hop's connection needs, apart from who asks and what is before it. */
export type Hop =
  & Omit<
    ConnectionOptions,
    "via" | "ask" | "log" | "signal" | "authentication" | "hostKey"
  >
  & {
    /** `user@host:port` */
    login: string;
    authentication: Omit<ConnectionOptions["authentication"], "secrets">;
    hostKey: Omit<ConnectionOptions["hostKey"], "unknown"> & {
      /** What StrictHostKeyChecking says about unknown keys. */
      unknown: "ask" | "accept" | "refuse";
    };
  };

export interface Route {
  /** The jump hosts, nearest first, then the server. */
  hops: [...Hop[], Hop];
  server: Hop;
  /** What ~/.ssh/config says that is left out, and why. */
  warnings: string[];
}

/** OpenSSH gives up on jump hosts that need each other; so do we. */
const MAX_HOPS = 16;

/**
 * Works out the route of a profile.
 *
 * @throws {I2ptunError} `usage` if ~/.ssh/config has mistakes
 */
export async function resolveRoute(
  profile: Profile,
  environment: Environment,
): Promise<Route> {
  const warnings: string[] = [];
  const read = async (address: ServerAddress) => {
    const config = await readHostConfig(profile, environment, address);
    warnings.push(...config.warnings);
    return config;
  };

  const config = await read(profile.server);
  const server = hopOf(profile.server, config, profile, environment, true);
  const hops: Hop[] = [];
  let waiting = profile.jump.length > 0
    ? profile.jump
    : toAddresses(config.proxyJump);
  // the nearest jump host may need one of its own, as with ssh
  while (waiting.length > 0) {
    if (hops.length + waiting.length > MAX_HOPS) {
      throw new I2ptunError("usage", "the jump hosts lead in a circle", {
        remedy: "look at ProxyJump in your ssh_config",
      });
    }
    const configs = await Promise.all(waiting.map(read));
    hops.unshift(
      ...waiting.map((each, i) =>
        hopOf(each, configs[i]!, profile, environment, false)
      ),
    );
    waiting = toAddresses(configs[0]?.proxyJump);
  }
  return {
    hops: [...hops, server],
    server,
    warnings: [...new Set(warnings)],
  };
}

/**
 * What ssh_config(5) says about a profile's server, or about another host on the
 * way to it.
 *
 * @throws {I2ptunError} `usage` if it has mistakes
 */
export function readHostConfig(
  profile: Profile,
  environment: Environment,
  { host, user, port }: ServerAddress = profile.server,
): Promise<SshHostConfig> {
  return readSshConfig(host, { user, port }, {
    files: sshConfigFiles(profile, environment),
    // -o is about the server, not about the way to it
    options: host === profile.server.host ? profile.sshOptions ?? [] : [],
    home: environment.home,
    localUser: environment.userName,
    env: environment.variable,
  });
}

function sshConfigFiles(profile: Profile, environment: Environment): string[] {
  const { sshConfig } = profile;
  if (sshConfig === false) return [];
  const { sshConfig: user, systemSshConfig } = pathsOf(environment);
  // ssh -F: a file that is named is the only one
  return sshConfig === undefined
    ? [user, systemSshConfig]
    : [expandHome(sshConfig, environment)];
}

function toAddresses(jumps: SshHostConfig["proxyJump"]): ServerAddress[] {
  return (jumps ?? []).map(({ user, host, port }) => ({ user, host, port }));
}

function hopOf(
  address: ServerAddress,
  config: SshHostConfig,
  profile: Profile,
  environment: Environment,
  isServer: boolean,
): Hop {
  const paths = pathsOf(environment);
  const expand = (path: string) => expandHome(path, environment);
  const wrote = (key: string) => profile.written.has(key);
  const host = config.hostName;
  const port = address.port ?? config.port ?? 22;
  const user = address.user ?? config.user ?? environment.userName;
  const named = profile.identity.length > 0
    ? profile.identity.map(expand)
    : config.identityFiles ?? [];
  const usual = profile.identity.length === 0 &&
    config.identityFiles === undefined;
  const { intervalMs, count } = profile.keepalive;
  return {
    host,
    port,
    user,
    login: `${user}@${formatHostPort(host, port)}`,
    family: { inet: 4, inet6: 6, any: 0 }[config.addressFamily ?? "any"] as
      | 0
      | 4
      | 6,
    bindAddress: config.bindAddress,
    connectTimeoutMs: config.connectTimeout && !wrote("connect_timeout")
      ? config.connectTimeout * 1000
      : profile.connectTimeoutMs,
    keepalive: {
      intervalMs: config.serverAliveInterval && !wrote("keepalive.interval")
        ? config.serverAliveInterval * 1000
        : intervalMs,
      count: config.serverAliveCountMax && !wrote("keepalive.count")
        ? config.serverAliveCountMax
        : count,
    },
    authentication: {
      named,
      defaults: usual ? paths.identities : [],
      onlyNamed: config.identitiesOnly ?? false,
      agent: agentOf(profile, config, paths.agent),
      checkPermissions: environment.system !== "windows",
      methods: methodsOf(config),
      passwordAttempts: config.numberOfPasswordPrompts ?? 3,
    },
    hostKey: {
      pin: isServer ? profile.hostKey : undefined,
      alias: config.hostKeyAlias,
      hash: config.hashKnownHosts,
      files: [
        ...(profile.knownHosts
          ? [expand(profile.knownHosts)]
          : config.userKnownHostsFile ?? [paths.knownHosts]),
        ...(config.globalKnownHostsFile ?? paths.systemKnownHosts),
      ],
      unknown:
        ({ "yes": "refuse", "no": "accept", "accept-new": "accept" } as const)[
          config.strictHostKeyChecking as "yes"
        ] ?? "ask",
    },
  };
}

function agentOf(
  profile: Profile,
  config: SshHostConfig,
  usual: string | undefined,
): string | undefined {
  if (!profile.agent || config.identityAgent === "none") return undefined;
  return config.identityAgent ?? usual;
}

/** OpenSSH's PreferredAuthentications, of what there is here. */
const METHODS = ["publickey", "keyboard-interactive", "password"] as const;

function methodsOf(config: SshHostConfig): (typeof METHODS[number])[] {
  const allowed = {
    "publickey": config.pubkeyAuthentication,
    "keyboard-interactive": config.kbdInteractiveAuthentication,
    "password": config.passwordAuthentication,
  };
  const preferred = config.preferredAuthentications;
  const order = preferred
    ? preferred.flatMap((name) => METHODS.filter((each) => each === name))
    : METHODS;
  return order.filter((method) => allowed[method] !== false);
}

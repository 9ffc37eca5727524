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
import { findAgent } from "../ssh/agent_path.ts";
import { algorithmOffer } from "../ssh/algorithms.ts";
import { type Method, METHODS } from "../ssh/authentication_methods.ts";
import type { ConnectionOptions } from "../ssh/connection_options.ts";
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
 * @throws {I2ptunError} `usage` if ~/.ssh/config has mistakes, or says that a
 *   program has to be started to get there
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

  const { agent } = pathsOf(environment);
  const around: Around = {
    profile,
    environment,
    agent: await findAgent(environment.system, environment.userName, agent),
  };
  const config = await read(profile.server);
  const server = hopOf(profile.server, config, around, true);
  const hops: Hop[] = [];
  let waiting = profile.jump.length > 0
    ? profile.jump
    : toAddresses(config.proxyJump);
  // the nearest jump host may need one of its own, as with ssh
  let nearest = { address: profile.server, config };
  while (waiting.length > 0) {
    if (hops.length + waiting.length > MAX_HOPS) {
      throw new I2ptunError("usage", "the jump hosts lead in a circle", {
        remedy: "look at ProxyJump in your ssh_config",
      });
    }
    const configs = await Promise.all(waiting.map(read));
    hops.unshift(
      ...waiting.map((each, i) => hopOf(each, configs[i]!, around, false)),
    );
    nearest = { address: waiting[0]!, config: configs[0]! };
    waiting = toAddresses(configs[0]?.proxyJump);
  }
  refuseProxyCommand(nearest.address.host, nearest.config);
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
 * @throws {I2ptunError} `usage` if it has mistakes, or the file that was named
 *   does not exist
 */
export async function readHostConfig(
  profile: Profile,
  environment: Environment,
  { host, user, port }: ServerAddress = profile.server,
): Promise<SshHostConfig> {
  return await readSshConfig(host, { user, port }, {
    files: await sshConfigFiles(profile, environment),
    // -o is about the server, not about the way to it
    options: host === profile.server.host ? profile.sshOptions ?? [] : [],
    home: environment.home,
    localUser: environment.userName,
    env: environment.variable,
  });
}

/**
 * A direct connection instead may fail, or tell the wrong people where the user
 * connects from.
 */
function refuseProxyCommand(host: string, config: SshHostConfig): void {
  if (config.proxyCommandAt === undefined) return;
  throw new I2ptunError(
    "usage",
    `${config.proxyCommandAt} says to reach ${host} by a ProxyCommand, and i2ptun starts no programs`,
    {
      remedy:
        "use ProxyJump instead, or jump: in the profile; to connect directly, ProxyCommand none",
    },
  );
}

async function sshConfigFiles(
  { sshConfig }: Profile,
  environment: Environment,
): Promise<string[]> {
  if (sshConfig === false) return [];
  const { sshConfig: user, systemSshConfig } = pathsOf(environment);
  if (sshConfig === undefined) return [user, systemSshConfig];
  // ssh -F: a file that is named is the only one, and has to be there
  const file = expandHome(sshConfig, environment);
  if (file !== user) {
    await Deno.stat(file).catch((cause) => {
      if (!(cause instanceof Deno.errors.NotFound)) return;
      throw new I2ptunError("usage", `there is no ssh_config file ${file}`, {
        remedy: "correct its path, or leave it out",
        cause,
      });
    });
  }
  return [file];
}

function toAddresses(jumps: SshHostConfig["proxyJump"]): ServerAddress[] {
  return (jumps ?? []).map(({ user, host, port }) => ({ user, host, port }));
}

/** What every hop of a route is made from. */
interface Around {
  profile: Profile;
  environment: Environment;
  /** The agent that there is unless the configuration names another. */
  agent: string | undefined;
}

function hopOf(
  address: ServerAddress,
  config: SshHostConfig,
  { profile, environment, agent }: Around,
  isServer: boolean,
): Hop {
  const paths = pathsOf(environment);
  const expand = (path: string) => expandHome(path, environment);
  const wrote = (key: string) => profile.written.has(key);
  const host = config.hostName;
  const port = address.port ?? config.port ?? 22;
  const user = address.user ?? config.user ?? environment.userName;
  const own = profile.identity.map(expand);
  const fromFile = config.identityFiles ?? [];
  // a jump host may have a key of its own
  const named = isServer
    ? own.length > 0 ? own : fromFile
    : [...fromFile, ...own];
  const usual = own.length === 0 && config.identityFiles === undefined;
  const userFiles = profile.knownHosts
    ? [expand(profile.knownHosts)]
    : config.userKnownHostsFile ?? [paths.knownHosts];
  const algorithms = {
    kexAlgorithms: config.kexAlgorithms,
    hostKeyAlgorithms: config.hostKeyAlgorithms,
    ciphers: config.ciphers,
    macs: config.macs,
    compression: config.compression,
  };
  algorithmOffer([], algorithms); // what is wrong is told before connecting
  const { intervalMs, count } = profile.keepalive;
  // `i2ptun ssh` is no profile that could be started again
  const attend = profile.sshOptions === undefined
    ? `i2ptun profile start ${profile.name}`
    : undefined;
  return {
    host,
    port,
    user,
    isJumpHost: !isServer,
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
      certificates: config.certificateFiles,
      defaults: usual ? paths.identities : [],
      onlyNamed: config.identitiesOnly ?? false,
      agent: agentOf(profile, config, agent),
      attend,
      checkPermissions: environment.system !== "windows",
      methods: methodsOf(config),
      passwordAttempts: config.numberOfPasswordPrompts ?? 3,
    },
    hostKey: {
      pin: isServer ? profile.hostKey : undefined,
      attend,
      alias: config.hostKeyAlias,
      hash: config.hashKnownHosts,
      files: [
        ...userFiles,
        ...(config.globalKnownHostsFile ?? paths.systemKnownHosts),
      ],
      store: userFiles[0],
      unknown:
        ({ "yes": "refuse", "no": "accept", "accept-new": "accept" } as const)[
          config.strictHostKeyChecking as "yes"
        ] ?? "ask",
    },
    algorithms,
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
function methodsOf(config: SshHostConfig): Method[] {
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

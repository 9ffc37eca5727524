/**
 * What `~/.ssh/config` says about a host, as ssh_config(5) has it.
 *
 * @module
 */

import { I2ptunError } from "../errors.ts";
import {
  findFiles,
  includeFolder,
  readDirectives,
  type SshConfigContext,
} from "./ssh_config_files.ts";
import {
  type JumpHost,
  type SettingName,
  SETTINGS,
  type SettingValue,
} from "./ssh_config_keywords.ts";
import { type Placed, SshConfigReader } from "./ssh_config_reader.ts";
import { splitWords } from "./ssh_config_parse.ts";
import {
  connectionHash,
  expand,
  expandTilde,
  expandVariables,
  type Tokens,
} from "./ssh_config_tokens.ts";

export type { JumpHost, SshConfigContext };

/**
 * What applies to one host, expanded and ready to use. Undefined: not set.
 * Times are in seconds; lists of algorithms are as written, with their `+`, `-`
 * or `^`.
 */
export interface SshHostConfig {
  hostName: string;
  user: string | undefined;
  port: number | undefined;
  /** Empty if set to `none`: no key files then, not even the usual ones. */
  identityFiles: string[] | undefined;
  /** Besides those that lie beside the key files. */
  certificateFiles: string[];
  identitiesOnly: boolean | undefined;
  /** A socket's path, or `none`: no agent. */
  identityAgent: string | undefined;
  /** The nearest server first. Empty if set to `none`. */
  proxyJump: JumpHost[] | undefined;
  /** `FILE:LINE` of a ProxyCommand, which is left out. */
  proxyCommandAt: string | undefined;
  /** Empty if set to `none`. */
  userKnownHostsFile: string[] | undefined;
  /** Empty if set to `none`. */
  globalKnownHostsFile: string[] | undefined;
  strictHostKeyChecking: "yes" | "no" | "ask" | "accept-new" | undefined;
  hostKeyAlias: string | undefined;
  hashKnownHosts: boolean | undefined;
  serverAliveInterval: number | undefined;
  serverAliveCountMax: number | undefined;
  connectTimeout: number | undefined;
  /** As the argument of `ssh -L`. */
  localForwards: string[];
  /** As the argument of `ssh -R`. */
  remoteForwards: string[];
  /** As the argument of `ssh -D`. */
  dynamicForwards: string[];
  exitOnForwardFailure: boolean | undefined;
  gatewayPorts: boolean | undefined;
  addressFamily: "any" | "inet" | "inet6" | undefined;
  bindAddress: string | undefined;
  compression: boolean | undefined;
  ciphers: string | undefined;
  macs: string | undefined;
  kexAlgorithms: string | undefined;
  hostKeyAlgorithms: string | undefined;
  pubkeyAcceptedAlgorithms: string | undefined;
  preferredAuthentications: string[] | undefined;
  numberOfPasswordPrompts: number | undefined;
  passwordAuthentication: boolean | undefined;
  pubkeyAuthentication: boolean | undefined;
  kbdInteractiveAuthentication: boolean | undefined;
  /** What was left out and why, each `FILE:LINE: …`. */
  warnings: string[];
}

/** Where a value stands that no file gave. */
const OVERRIDE = "";

/**
 * Reads what the files say about a host.
 *
 * @param host as typed: a name for `Host` to match, or an address
 * @param overrides what was said elsewhere and so counts first
 * @throws {I2ptunError} "usage" with every line that ssh would refuse in
 * `details`, each `FILE:LINE: what is wrong`; or if a file cannot be read.
 *
 * @example
 * ```ts
 * const { hostName, port = 22 } = await readSshConfig("home", {}, context);
 * ```
 */
export async function readSshConfig(
  host: string,
  overrides: { user?: string | undefined; port?: number | undefined },
  context: SshConfigContext,
): Promise<SshHostConfig> {
  const reader = new SshConfigReader(host, context);
  const { settings, warnings } = reader;
  const { user, port } = overrides;
  if (user !== undefined) settings.user = { value: user, at: OVERRIDE };
  if (port !== undefined) settings.port = { value: port, at: OVERRIDE };
  await reader.read();
  const canonicalize = settings.canonicalizeHostname;
  if (canonicalize?.value) {
    warnings.add(
      `${canonicalize.at}: CanonicalizeHostname is not supported; write the whole name in HostName`,
    );
  }
  if (reader.wantsFinalPass || canonicalize?.value) {
    reader.finalHost = reader.hostName.toLowerCase();
    await reader.read();
  }
  const config = settle(reader, context);
  const count = reader.mistakes.size;
  if (count > 0) {
    throw new I2ptunError(
      "usage",
      `ssh would refuse ${
        count === 1 ? "a line" : `${count} lines`
      } of its configuration`,
      {
        details: [...reader.mistakes],
        remedy: "correct the lines above, or leave the file out",
      },
    );
  }
  return config;
}

/** Expands what the reader found, now that everything is known. */
function settle(
  reader: SshConfigReader,
  context: SshConfigContext,
): SshHostConfig {
  const { settings, lists } = reader;
  const { home, env } = context;
  reader.finalHost = reader.hostName.toLowerCase();
  const each = <T, R>(placed: Placed<T> | undefined, body: (value: T) => R) =>
    placed && reader.attempt(placed.at, () => body(placed.value));

  const { r: _, ...tokensOfUser } = reader.tokens;
  const user = settings.user?.at === OVERRIDE
    ? settings.user.value
    : each(settings.user, (value) => expand(value, tokensOfUser, env));
  const alias = settings.hostKeyAlias?.value.toLowerCase();
  const known: Tokens = {
    ...tokensOfUser,
    r: user ?? context.localUser,
    ...(alias === undefined ? {} : { k: alias }),
  };
  const tokens: Tokens = { ...known, C: connectionHash(known) };

  const path = (text: string) => expand(expandTilde(text, home), tokens, env);
  const jump = (text: string) =>
    expand(text, pick(tokens, ["h", "n", "p", "r"]));
  const forwards = (placed: Placed<string>[]) =>
    settings.clearAllForwardings?.value ? [] : placed.flatMap((one) =>
      each(
        one,
        (spec) =>
          spec.includes("/")
            ? expand(spec, tokens, env)
            : expandVariables(spec, env),
      ) ?? []
    );

  const keyFiles = (placed: Placed<string>[]) =>
    placed.flatMap((one) =>
      one.value.toLowerCase() === "none" ? [] : each(one, path) ?? []
    );

  const command = settings.proxyCommand;
  const proxyCommandAt = command && command.value.toLowerCase() !== "none"
    ? command.at
    : undefined;
  if (proxyCommandAt !== undefined) {
    reader.warnings.add(
      `${proxyCommandAt}: ProxyCommand is left out, because i2ptun starts no programs; use ProxyJump`,
    );
  }

  return {
    ...valuesOf(settings),
    hostName: reader.finalHost,
    user,
    hostKeyAlias: alias,
    proxyCommandAt,
    identityFiles: lists.identityFile.length === 0
      ? undefined
      : keyFiles(lists.identityFile),
    certificateFiles: keyFiles(lists.certificateFile),
    identityAgent: each(settings.identityAgent, (value) => {
      if (value === "SSH_AUTH_SOCK") return env(value);
      if (value.toLowerCase() === "none") return "none";
      const [, name] = /^\$(\w+)$/.exec(value) ?? [];
      return name === undefined ? path(value) : env(name) || "none";
    }),
    proxyJump: each(settings.proxyJump, (hops) =>
      hops.map((hop) => ({
        ...hop,
        host: jump(hop.host),
        ...(hop.user === undefined ? {} : { user: jump(hop.user) }),
      }))),
    userKnownHostsFile: each(
      settings.userKnownHostsFile,
      (files) => files.map(path),
    ),
    globalKnownHostsFile: each(
      settings.globalKnownHostsFile,
      (files) => files.map((file) => expandTilde(file, home)),
    ),
    localForwards: forwards(lists.localForward),
    remoteForwards: forwards(lists.remoteForward),
    dynamicForwards: forwards(lists.dynamicForward),
    warnings: [...reader.warnings],
  };
}

function pick(tokens: Tokens, letters: string[]): Tokens {
  return Object.fromEntries(letters.map((letter) => [letter, tokens[letter]!]));
}

function valuesOf(settings: SshConfigReader["settings"]) {
  const names = Object.keys(SETTINGS) as SettingName[];
  return Object.fromEntries(
    names.map((name) => [name, settings[name]?.value]),
  ) as { [K in SettingName]: SettingValue<K> | undefined };
}

/**
 * The names that `Host` lines spell out, without patterns, for completion and
 * import. Lines that say nothing sensible and files that cannot be read are
 * passed over.
 */
export async function listHosts(context: SshConfigContext): Promise<string[]> {
  const hosts = new Set<string>();
  const seen = new Set<string>();
  const visit = async (file: string, folder: string): Promise<void> => {
    if (seen.has(file)) return;
    seen.add(file);
    const directives = await readDirectives(file).catch(() => []);
    for (const { keyword, rest } of directives) {
      if (keyword !== "host" && keyword !== "include") continue;
      for (const word of wordsOf(rest)) {
        if (keyword === "host") {
          if (!/[*?!]/.test(word)) hosts.add(word);
          continue;
        }
        const pattern = word.replace(/^~(?=[/\\])/, context.home);
        for (const path of await findFiles(pattern, folder)) {
          await visit(path, folder);
        }
      }
    }
  };
  for (const [index, file] of context.files.entries()) {
    await visit(file, includeFolder(context, index));
  }
  return [...hosts];
}

function wordsOf(rest: string): string[] {
  try {
    return splitWords(rest);
  } catch {
    return [];
  }
}

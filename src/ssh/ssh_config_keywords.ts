/**
 * The keywords of ssh_config(5) that mean something to a tunnel, and what each
 * takes.
 *
 * @module
 */

import { ConfigMistake } from "./ssh_config_parse.ts";

/** A server on the way, as ProxyJump names it. */
export interface JumpHost {
  user?: string;
  /** IPv6 without brackets. */
  host: string;
  port?: number;
}

/**
 * Reads a keyword's words, or the rest of its line as it is. Undefined: as if
 * the line were not there.
 */
type Parse<T> = (words: string[], rest: string) => T;

const one: Parse<string> = (words) => {
  const [word, extra] = words;
  if (!word) throw new ConfigMistake("a value is missing");
  if (extra !== undefined) throw new ConfigMistake(`"${extra}" is too much`);
  return word;
};

/** Of these only, in any case. */
function choice<T>(values: Readonly<Record<string, T>>): Parse<T> {
  return (words, rest) => {
    const word = one(words, rest);
    const name = word.toLowerCase();
    if (Object.hasOwn(values, name)) return values[name]!;
    throw new ConfigMistake(
      `"${word}" is none of ${Object.keys(values).join(", ")}`,
    );
  };
}

const flag = choice({ yes: true, no: false, true: true, false: false });

const integer: Parse<number> = (words, rest) => {
  const word = one(words, rest);
  if (/^\d+$/.test(word) && Number(word) < 2 ** 31) return Number(word);
  throw new ConfigMistake(`"${word}" is not a whole number`);
};

const port: Parse<number> = (words, rest) => toPort(one(words, rest));

const SECONDS: Readonly<Record<string, number>> = {
  "": 1,
  s: 1,
  m: 60,
  h: 3600,
  d: 86400,
  w: 604800,
};

/** sshd_config(5) "TIME FORMATS", in seconds. */
const time: Parse<number | undefined> = (words, rest) => {
  const word = one(words, rest);
  if (word === "none") return undefined;
  if (!/^(\d+[smhdw])*\d+[smhdw]?$/i.test(word)) {
    throw new ConfigMistake(`"${word}" is not a time such as 90, 15s or 1h30m`);
  }
  return [...word.matchAll(/(\d+)([a-z]?)/gi)].reduce(
    (sum, [, count, unit]) =>
      sum + Number(count) * SECONDS[unit!.toLowerCase()]!,
    0,
  );
};

const files: Parse<string[]> = (words) => {
  if (words.length === 0 || words.includes("")) {
    throw new ConfigMistake("a file's name is missing");
  }
  const none = words.some((word) => word.toLowerCase() === "none");
  if (none && words.length > 1) {
    throw new ConfigMistake('"none" must stand alone');
  }
  return none ? [] : words;
};

const commaList: Parse<string[]> = (words, rest) => one(words, rest).split(",");

const jumps: Parse<JumpHost[]> = (_, rest) => {
  const value = rest.replace(/^[\s=]+|\s*(#.*)?$/g, "");
  if (value.toLowerCase() === "none") return [];
  return value.split(",").map(parseJumpHost);
};

const command: Parse<string> = (_, rest) => rest.replace(/^[\s=]+/, "");

/** By the name of what they set; the first value that is found counts. */
export const SETTINGS = {
  addressFamily: choice({ any: "any", inet: "inet", inet6: "inet6" } as const),
  bindAddress: one,
  canonicalizeHostname: choice({
    yes: true,
    no: false,
    true: true,
    false: false,
    always: true,
  }),
  ciphers: one,
  clearAllForwardings: flag,
  compression: choice({ yes: true, no: false }),
  connectTimeout: time,
  exitOnForwardFailure: flag,
  gatewayPorts: flag,
  globalKnownHostsFile: files,
  hashKnownHosts: flag,
  hostKeyAlgorithms: one,
  hostKeyAlias: one,
  hostName: one,
  identitiesOnly: flag,
  identityAgent: one,
  ignoreUnknown: one,
  kbdInteractiveAuthentication: flag,
  kexAlgorithms: one,
  macs: one,
  numberOfPasswordPrompts: integer,
  passwordAuthentication: flag,
  port,
  preferredAuthentications: commaList,
  proxyCommand: command,
  proxyJump: jumps,
  pubkeyAcceptedAlgorithms: one,
  pubkeyAuthentication: choice({
    yes: true,
    no: false,
    true: true,
    false: false,
    unbound: true,
    "host-bound": true,
  }),
  serverAliveCountMax: integer,
  serverAliveInterval: time,
  strictHostKeyChecking: choice(
    {
      yes: "yes",
      no: "no",
      ask: "ask",
      "accept-new": "accept-new",
      true: "yes",
      false: "no",
      off: "no",
    } as const,
  ),
  user: one,
  userKnownHostsFile: files,
};

/** By the name of what they add to; every value counts. */
export const LISTS = {
  identityFile: one,
  certificateFile: one,
  localForward: forward(2),
  remoteForward: forward(1),
  dynamicForward: one,
};

export type SettingName = keyof typeof SETTINGS;
export type ListName = keyof typeof LISTS;
export type SettingValue<K extends SettingName> = Exclude<
  ReturnType<(typeof SETTINGS)[K]>,
  undefined
>;

const BY_KEYWORD = new Map<string, SettingName | ListName>(
  [...Object.keys(SETTINGS), ...Object.keys(LISTS)].map((name) => [
    name.toLowerCase(),
    name as SettingName | ListName,
  ]),
);

const ALIASES: Readonly<Record<string, SettingName | ListName>> = {
  challengeresponseauthentication: "kbdInteractiveAuthentication",
  skeyauthentication: "kbdInteractiveAuthentication",
  tisauthentication: "kbdInteractiveAuthentication",
  dsaauthentication: "pubkeyAuthentication",
  identityfile2: "identityFile",
  pubkeyacceptedkeytypes: "pubkeyAcceptedAlgorithms",
};

/** What a keyword, in lower case, sets or adds to. */
export function nameOf(keyword: string): SettingName | ListName | undefined {
  return BY_KEYWORD.get(keyword) ??
    (Object.hasOwn(ALIASES, keyword) ? ALIASES[keyword] : undefined);
}

/** Whether a keyword, in lower case, is ssh's but nothing to a tunnel. */
export function isForSshOnly(keyword: string): boolean {
  return FOR_SSH_ONLY.has(keyword);
}

// With those of Debian's and macOS's ssh, and those that ssh still skips.
const FOR_SSH_ONLY = new Set(
  `addkeystoagent afstokenpassing batchmode bindinterface canonicaldomains
  canonicalizefallbacklocal canonicalizemaxdots canonicalizepermittedcnames
  casignaturealgorithms channeltimeout checkhostip cipher
  compressionlevel connectionattempts controlmaster controlpath controlpersist
  enableescapecommandline enablesshkeysign escapechar fallbacktorsh
  fingerprinthash forkafterauthentication forwardagent forwardx11
  forwardx11timeout forwardx11trusted globalknownhostsfile2
  gssapiauthentication gssapiclientidentity gssapidelegatecredentials
  gssapikexalgorithms gssapikeyexchange gssapirenewalforcesrekey
  gssapiserveridentity gssapitrustdns hostbasedacceptedalgorithms
  hostbasedauthentication hostbasedkeytypes ipqos kbdinteractivedevices
  keepalive kerberosauthentication kerberostgtpassing knownhostscommand
  localcommand loglevel logverbose nohostauthenticationforlocalhost
  obscurekeystroketiming permitlocalcommand permitremoteopen pkcs11provider
  protocol proxyusefdpass refuseconnection rekeylimit remotecommand requesttty
  requiredrsasize revokedhostkeys rhostsauthentication rhostsrsaauthentication
  rsaauthentication securitykeyprovider sendenv sessiontype setenv
  smartcarddevice stdinnull streamlocalbindmask streamlocalbindunlink
  syslogfacility tag tcpkeepalive tunnel tunneldevice updatehostkeys usekeychain
  useprivilegedport userknownhostsfile2 useroaming usersh verifyhostkeydns
  versionaddendum visualhostkey warnweakcrypto xauthlocation`.split(/\s+/),
);

/** One or two words, put together as `-L` and `-R` take them. */
function forward(least: 1 | 2): Parse<string> {
  return (words) => {
    if (words.length < least || words.includes("")) {
      throw new ConfigMistake("where it leads to is missing");
    }
    if (words.length > 2) throw new ConfigMistake(`"${words[2]}" is too much`);
    return words.join(":");
  };
}

function toPort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port > 0 && port < 65536) return port;
  throw new ConfigMistake(`"${text}" is not a port from 1 to 65535`);
}

/** `[ssh://][user@]host[:port]`, IPv6 in brackets. */
function parseJumpHost(text: string): JumpHost {
  const match =
    /^(?:ssh:\/\/)?(?:(.+)@)?(?:\[([^\]\s]+)\]|([^\s:@/\[\]"']+))(?::([^:]*))?$/
      .exec(text);
  const host = match?.[2] ?? match?.[3];
  if (!host || host.startsWith("-")) {
    throw new ConfigMistake(`"${text}" is not [user@]host[:port]`);
  }
  const [, user, , , port] = match!;
  return {
    ...(user === undefined ? {} : { user }),
    host,
    ...(port === undefined ? {} : { port: toPort(port) }),
  };
}

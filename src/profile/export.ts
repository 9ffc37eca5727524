/**
 * A profile as other programs take it: an ssh or plink command line, or a Host
 * of ssh_config(5), ready to paste.
 *
 * @module
 */

import { I2ptunError } from "../errors.ts";
import { formatForward } from "./forward_spec.ts";
import { DEFAULTS, type Profile } from "./profile.ts";
import { formatServerAddress, type ServerAddress } from "./server_address.ts";

const FLAGS = { local: "-L", remote: "-R", dynamic: "-D" } as const;

/** `ssh -NT …` for a POSIX shell; the same tunnel, without reconnecting. */
export function toSshCommand(profile: Profile): string {
  const { server } = profile;
  const words = ["ssh", "-NT"];
  for (const [key, value] of sshOptions(profile)) {
    words.push("-o", quotePosix(`${key}=${quoteConfig(value)}`));
  }
  if (profile.sshConfig !== undefined) {
    words.push("-F", quotePosix(profile.sshConfig || "none"));
  }
  for (const forward of profile.forwards) {
    words.push(FLAGS[forward.kind], quotePosix(formatForward(forward)));
  }
  if (profile.jump.length > 0) {
    words.push("-J", quotePosix(profile.jump.map(formatServerAddress).join()));
  }
  for (const path of profile.identity) words.push("-i", quotePosix(path));
  if (server.port !== undefined) words.push("-p", String(server.port));
  words.push(quotePosix(userAtHost(server)));
  return words.join(" ");
}

/** A Host block for ~/.ssh/config. */
export function toSshConfig(profile: Profile): string {
  const { server, jump } = profile;
  const lines: [string, string][] = [["HostName", server.host]];
  if (server.user !== undefined) lines.push(["User", server.user]);
  if (server.port !== undefined) lines.push(["Port", String(server.port)]);
  if (jump.length > 0) {
    lines.push(["ProxyJump", jump.map(formatServerAddress).join()]);
  }
  for (const path of profile.identity) {
    lines.push(["IdentityFile", quoteConfig(path)]);
  }
  for (const [key, value] of sshOptions(profile)) {
    lines.push([key, quoteConfig(value)]);
  }
  for (const forward of profile.forwards) {
    const { kind } = forward;
    const keyword = `${kind[0]!.toUpperCase()}${kind.slice(1)}Forward`;
    if (kind === "dynamic" || forward.target === undefined) {
      lines.push([keyword, formatForward(forward)]);
      continue;
    }
    // ssh_config(5): the listener and the target are two words
    const whole = formatForward(forward);
    const listen = formatForward({ kind: "dynamic", listen: forward.listen });
    lines.push([
      keyword,
      `${quoteConfig(listen)} ${quoteConfig(whole.slice(listen.length + 1))}`,
    ]);
  }
  return `Host ${profile.name}\n` +
    lines.map(([key, value]) => `    ${key} ${value}\n`).join("");
}

/**
 * `plink -N …` for Windows' command line.
 *
 * @throws {I2ptunError} `usage` if plink has nothing like it
 */
export function toPlinkCommand(profile: Profile): string {
  const { server, jump, identity } = profile;
  const words = ["plink", "-ssh", "-N"];
  for (const forward of profile.forwards) {
    const unix = forward.listen.kind === "unix" ||
      (forward.kind !== "dynamic" && forward.target?.kind === "unix");
    if (unix) {
      throw cannot(profile, "plink forwards no Unix sockets", forward.name);
    }
    if (forward.kind === "remote" && forward.target === undefined) {
      throw cannot(profile, "plink has no remote SOCKS proxy", forward.name);
    }
    words.push(FLAGS[forward.kind], quoteWindows(formatForward(forward)));
  }
  if (identity.length > 1) {
    throw cannot(profile, "plink takes one key file", identity.join(", "));
  }
  if (identity[0] !== undefined) words.push("-i", quoteWindows(identity[0]));
  if (!profile.agent) words.push("-noagent");
  if (profile.hostKey !== undefined) words.push("-hostkey", profile.hostKey);
  if (jump.length > 1) {
    throw cannot(profile, "plink takes one jump host", jump.length.toString());
  }
  if (jump[0] !== undefined) {
    const port = jump[0].port === undefined ? "" : ` -P ${jump[0].port}`;
    words.push(
      "-proxycmd",
      quoteWindows(
        `plink -batch${port} -nc %host:%port ${userAtHost(jump[0])}`,
      ),
    );
  }
  if (server.port !== undefined) words.push("-P", String(server.port));
  words.push(quoteWindows(userAtHost(server)));
  return words.join(" ");
}

function cannot(profile: Profile, why: string, what: string): I2ptunError {
  return new I2ptunError("usage", `${profile.name}: ${why} (${what})`, {
    remedy: `i2ptun profile show ${profile.name} --as ssh`,
  });
}

/** What is not said by a flag of its own, as ssh_config(5) keywords. */
function sshOptions(profile: Profile): [string, string][] {
  const seconds = (ms: number) => String(Math.max(1, Math.round(ms / 1000)));
  const { keepalive, connectTimeoutMs, knownHosts } = profile;
  const options: [string, string][] = [
    ["ExitOnForwardFailure", "yes"],
    ["ServerAliveInterval", seconds(keepalive.intervalMs)],
    ["ServerAliveCountMax", String(keepalive.count)],
  ];
  if (connectTimeoutMs !== DEFAULTS.connectTimeoutMs) {
    options.push(["ConnectTimeout", seconds(connectTimeoutMs)]);
  }
  if (knownHosts !== undefined) {
    options.push(["UserKnownHostsFile", knownHosts]);
  }
  if (!profile.agent) options.push(["IdentityAgent", "none"]);
  return options;
}

function userAtHost({ user, host }: ServerAddress): string {
  return user === undefined ? host : `${user}@${host}`;
}

/** One word for a POSIX shell; a leading `~/` is still expanded by it. */
export function quotePosix(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  if (word.startsWith("~/")) return `~/${quotePosix(word.slice(2))}`;
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** One argument as CommandLineToArgvW reads it. */
export function quoteWindows(word: string): string {
  if (word !== "" && !/[\s"&|<>^%*]/.test(word)) return word;
  return `"${word.replace(/(\\*)"/g, '$1$1\\"').replace(/(\\+)$/, "$1$1")}"`;
}

/**
 * One argument of ssh_config(5). A backslash is left as it is where it keeps
 * nothing, as in Windows' paths.
 */
function quoteConfig(word: string): string {
  if (!/[\s"'#]|\\["'\\]/.test(word)) return word;
  return `"${word.replace(/"|\\(?=["'\\]|$)/g, "\\$&")}"`;
}

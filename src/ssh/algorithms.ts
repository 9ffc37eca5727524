/**
 * What is offered to a server: nothing weak, the fastest first, unless
 * ssh_config(5) says otherwise.
 *
 * @module
 */

import { getCiphers } from "node:crypto";
import { I2ptunError } from "../errors.ts";
import { matchPattern } from "./host_pattern.ts";

/** Names as in the IANA registry "SSH Protocol Parameters" and OpenSSH's PROTOCOL. */
export interface AlgorithmOffer {
  kex: string[];
  serverHostKey: string[];
  cipher: string[];
  hmac: string[];
  compress: string[];
}

/** As ssh_config(5) has them; lists are names, or changes after `+`, `-` or `^`. */
export interface AlgorithmSettings {
  kexAlgorithms?: string | undefined;
  hostKeyAlgorithms?: string | undefined;
  ciphers?: string | undefined;
  macs?: string | undefined;
  compression?: boolean | undefined;
}

/**
 * By default and, only if ssh_config names them, for servers that have nothing
 * better. Left out for good: what Deno's node:crypto cannot do
 * (ecdh-sha2-nistp521: `invalid curve`; ssh-dss) and what is broken (arcfour).
 */
const ALGORITHMS = {
  kex: {
    keyword: "KexAlgorithms",
    good: [
      "curve25519-sha256",
      "curve25519-sha256@libssh.org",
      "ecdh-sha2-nistp256",
      "ecdh-sha2-nistp384",
      "diffie-hellman-group16-sha512",
      "diffie-hellman-group18-sha512",
      "diffie-hellman-group14-sha256",
      "diffie-hellman-group-exchange-sha256",
    ],
    weak: [
      "diffie-hellman-group14-sha1",
      "diffie-hellman-group-exchange-sha1",
      "diffie-hellman-group1-sha1",
    ],
  },
  serverHostKey: {
    keyword: "HostKeyAlgorithms",
    good: [
      "ssh-ed25519",
      "ecdsa-sha2-nistp256",
      "ecdsa-sha2-nistp384",
      "ecdsa-sha2-nistp521",
      "rsa-sha2-512",
      "rsa-sha2-256",
    ],
    weak: ["ssh-rsa"],
  },
  /** Measured over one download through a tunnel, fastest first. */
  cipher: {
    keyword: "Ciphers",
    good: [
      "chacha20-poly1305@openssh.com",
      "aes128-ctr",
      "aes128-gcm@openssh.com",
      "aes256-gcm@openssh.com",
      "aes192-ctr",
      "aes256-ctr",
    ],
    weak: ["aes128-cbc", "aes256-cbc", "3des-cbc"],
  },
  hmac: {
    keyword: "MACs",
    good: [
      "hmac-sha2-256-etm@openssh.com",
      "hmac-sha2-512-etm@openssh.com",
      "hmac-sha2-256",
      "hmac-sha2-512",
    ],
    weak: ["hmac-sha1-etm@openssh.com", "hmac-sha1", "hmac-md5"],
  },
} as const;

export type AlgorithmKind = keyof typeof ALGORITHMS;

export const ALGORITHM_KINDS = Object.keys(ALGORITHMS) as AlgorithmKind[];

/** The keyword of ssh_config(5) for a kind of algorithm. */
export function keywordOf(kind: AlgorithmKind): string {
  return ALGORITHMS[kind].keyword;
}

/** The algorithms that are weak but can be allowed, the best first. */
export function weakAlgorithms(kind: AlgorithmKind): readonly string[] {
  return ALGORITHMS[kind].weak;
}

/** The key type (as known_hosts names it) that a host key algorithm uses. */
export function keyTypeOf(algorithm: string): string {
  return algorithm.startsWith("rsa-sha2-") ? "ssh-rsa" : algorithm;
}

/**
 * The offer for one server.
 *
 * @param knownKeyTypes types on file for the host: their algorithms go first,
 *   so that the server proves a key we can compare (as OpenSSH's
 *   order_hostkeyalgs does), unless the settings give an order.
 * @param withoutKeyTypes types whose keys need not be shown
 * @throws {I2ptunError} `usage` if the settings leave nothing that can be used
 *
 * @example
 * ```ts
 * algorithmOffer(["ssh-ed25519"], { kexAlgorithms: "+diffie-hellman-group14-sha1" });
 * ```
 */
export function algorithmOffer(
  knownKeyTypes: readonly string[] = [],
  settings: AlgorithmSettings = {},
  withoutKeyTypes: readonly string[] = [],
): AlgorithmOffer {
  const { hostKeyAlgorithms } = settings;
  const serverHostKey = choose("serverHostKey", hostKeyAlgorithms)
    .filter((each) => !withoutKeyTypes.includes(keyTypeOf(each)));
  const known = /^(?![+-])/.test(hostKeyAlgorithms ?? "+")
    ? []
    : serverHostKey.filter((each) => knownKeyTypes.includes(keyTypeOf(each)));
  return {
    kex: choose("kex", settings.kexAlgorithms),
    serverHostKey: [...new Set([...known, ...serverHostKey])],
    cipher: choose("cipher", settings.ciphers),
    hmac: choose("hmac", settings.macs),
    // the one that begins after login, as with OpenSSH
    compress: settings.compression ? ["zlib@openssh.com", "none"] : ["none"],
  };
}

/** What ssh_config(5) makes of a list, of what there is here. */
function choose(kind: AlgorithmKind, setting: string | undefined): string[] {
  const { keyword, good, weak } = ALGORITHMS[kind];
  const usable = (names: readonly string[]) => names.filter(isAvailable);
  const usual = usable(good);
  const all = usable([...good, ...weak]);
  if (setting === undefined) return usual;
  const [, change, list = ""] = /^([+^-]?)(.*)$/s.exec(setting)!;
  // only what is taken away may be a pattern
  const named = list.split(",").flatMap((name) =>
    all.filter((each) =>
      change === "-" ? matchPattern(each, name) : each === name
    )
  );
  const chosen = {
    "": named,
    "+": [...usual, ...named],
    "^": [...named, ...usual],
    "-": usual.filter((each) => !named.includes(each)),
  }[change as ""];
  if (chosen.length > 0) return [...new Set(chosen)];
  throw new I2ptunError(
    "usage",
    `${keyword} ${setting} leaves nothing that i2ptun can use`,
    { remedy: `in ssh_config, name some of ${all.join(",")}` },
  );
}

let ciphers: string[] | undefined;

/** Deno had no ChaCha20 before 2.8. */
function isAvailable(algorithm: string): boolean {
  return !algorithm.startsWith("chacha20") ||
    (ciphers ??= getCiphers()).includes("chacha20");
}

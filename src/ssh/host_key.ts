/**
 * Decides whether a server's host key is the right one: the pin if there is
 * one, else known_hosts, else the person.
 *
 * @module
 */

import { I2ptunError } from "../errors.ts";
import { formatHostPort } from "../forward/address.ts";
import type { Log } from "../log.ts";
import { fingerprint, keyType } from "./fingerprint.ts";
import { addKnownHost, type KnownHosts } from "./known_hosts.ts";
import { WireReader } from "./key_wire.ts";
import type { Prompter } from "./prompter.ts";

export interface HostKeyOptions {
  host: string;
  port: number;
  knownHosts: KnownHosts;
  /** Where a new key is stored; undefined: nowhere. */
  file: string | undefined;
  /** The only acceptable fingerprint, `SHA256:…`. */
  pin?: string | undefined;
  /** HostKeyAlias: the name in known_hosts, whatever host and port are. */
  alias?: string | undefined;
  /** Whether a new entry hides the name; undefined: as the file has it. */
  hash?: boolean | undefined;
  /** What to do about an unknown key. */
  unknown: "ask" | "accept" | "refuse";
  /** The command that starts the profile; undefined if there is none. */
  attend?: string | undefined;
  ask: Prompter;
  log: Log;
}

/** The host and port under which known_hosts has the server. */
export function knownAs(
  { alias, host, port }: Pick<HostKeyOptions, "alias" | "host" | "port">,
): [host: string, port: number] {
  return alias === undefined ? [host, port] : [alias, 22];
}

/** The key is not the pinned one; another key of the server may be. */
export class WrongPinError extends I2ptunError {
  readonly keyType: string;

  constructor(server: string, key: Uint8Array, pin: string) {
    super(
      "host-key",
      `the host key of ${server} is ${
        fingerprint(key)
      }, but the profile pins ${pin}`,
      {
        remedy:
          "do not connect unless you know why it changed; then correct host_key in the profile",
      },
    );
    this.keyType = keyType(key);
  }
}

/** Why a key is trusted: by the profile, by known_hosts, or from now on. */
export type Trust = "pinned" | "known" | "new";

/**
 * Returns why, if `key` (SSH wire format, RFC 4253 §6.6) may be trusted.
 *
 * @throws {I2ptunError} `host-key` if it is changed, revoked, not the pinned
 *   one, or unknown and nobody says yes.
 */
export async function verifyHostKey(
  key: Uint8Array,
  options: HostKeyOptions,
): Promise<Trust> {
  const { host, port, log } = options;
  const server = port === 22 ? host : formatHostPort(host, port);
  const seen = fingerprint(key);
  if (options.pin !== undefined) {
    if (seen === options.pin) return "pinned";
    throw new WrongPinError(server, key, options.pin);
  }

  const found = options.knownHosts.check(...knownAs(options), key);
  if ("certAuthority" in found && found.certAuthority) {
    log(
      "warning",
      `known_hosts trusts a certificate authority for ${server}, but i2ptun does not check certificates of hosts: the key itself has to be known`,
    );
  }
  switch (found.status) {
    case "known":
      return "known";
    case "revoked":
      throw new I2ptunError(
        "host-key",
        `the host key of ${server} is marked as revoked in ${found.file}:${found.line}`,
        { remedy: "do not connect; ask whoever runs the server" },
      );
    case "changed": {
      const lines = found.expected.map((each) =>
        `${each.file}:${each.line} has ${each.fingerprint} (${each.type})`
      );
      throw new I2ptunError(
        "host-key",
        `the host key of ${server} has changed: it is ${seen} (${
          keyType(key)
        }), but ${lines.join(", ")}`,
        {
          why: "somebody may be listening in, or the server was reinstalled",
          remedy: `only if its owner confirms the new key, delete ${
            found.expected.map((each) => `line ${each.line} of ${each.file}`)
              .join(" and ")
          } and connect again`,
        },
      );
    }
  }

  if (options.unknown === "refuse") {
    throw new I2ptunError(
      "host-key",
      `the host key of ${server} is unknown (${
        keyType(key)
      } ${seen}) and ssh_config says StrictHostKeyChecking yes`,
      {
        remedy:
          `compare the fingerprint and write host_key: ${seen} in the profile`,
      },
    );
  }
  if (options.unknown === "ask") {
    const answer = await options.ask({
      kind: "host-key",
      host: server,
      type: keyType(key),
      fingerprint: seen,
    });
    const agreed = answer?.trim() === seen ||
      /^y(es)?$/i.test(answer?.trim() ?? "");
    if (!agreed) {
      throw new I2ptunError(
        "host-key",
        answer === undefined
          ? `the host key of ${server} is unknown (${
            keyType(key)
          } ${seen}) and nobody is there to confirm it`
          : `the host key of ${server} was not accepted`,
        {
          remedy: answer === undefined
            ? `start it once in a terminal, or compare the fingerprint yourself and ${
              options.attend === undefined
                ? "add -o StrictHostKeyChecking=accept-new"
                : `write host_key: ${seen} in the profile, or use ${options.attend} --accept-new`
            }`
            : "compare the fingerprint with the one that the server's owner gives you",
        },
      );
    }
  }
  await store(key, server, options);
  return "new";
}

/** What Deno's node:crypto takes of an RSA key that only checks signatures. */
const MAX_RSA_BITS = 4096;

/**
 * Returns if signatures of `key` can be checked.
 *
 * @throws {I2ptunError} `unreachable`; ssh2 would only say that it failed
 */
export function requireCheckable(key: Uint8Array, server: string): void {
  if (keyType(key) !== "ssh-rsa") return;
  const reader = new WireReader(key);
  reader.string(); // its type
  reader.string(); // e
  const bits = reader.mpint().toString(2).length;
  if (bits <= MAX_RSA_BITS) return;
  throw new I2ptunError(
    "unreachable",
    `${server} proves itself by an RSA host key of ${bits} bits, and i2ptun can check at most ${MAX_RSA_BITS}`,
    {
      remedy:
        "give the server a host key of another type too: ssh-keygen -A makes what is missing; if it has one, HostKeyAlgorithms ssh-ed25519 in ~/.ssh/config asks for it",
    },
  );
}

/** Failing to is no reason not to connect, as with ssh. */
async function store(
  key: Uint8Array,
  server: string,
  options: HostKeyOptions,
): Promise<void> {
  const { file, hash, log } = options;
  if (file === undefined) return;
  try {
    await addKnownHost(file, ...knownAs(options), key, { hash });
    log(
      "info",
      `stored the host key of ${server} (${fingerprint(key)}) in ${file}`,
    );
  } catch (error) {
    const { message } = error as Error;
    log("warning", `cannot store the host key of ${server}: ${message}`);
  }
}

import type { ServerAddress } from "../../profile/server_address.ts";
import { fingerprint, keyType } from "../../ssh/fingerprint.ts";
import { addKnownHost, KnownHosts } from "../../ssh/known_hosts.ts";
import type { PuttyHostKey } from "../../ssh/putty_host_key.ts";
import type { Context } from "../context.ts";
import { print, say, warn } from "../output.ts";
import { askYesNo, isInteractive } from "../prompts.ts";

/** A key as it is shown. */
interface ShownKey {
  host: string;
  port: number;
  type: string;
  fingerprint: string;
}

/** What became of the host keys that PuTTY trusts. */
export interface HostKeysReport {
  /** The known_hosts file. */
  file: string;
  added: ShownKey[];
  /** Not added, because nobody agreed. */
  offered: ShownKey[];
  /** Not added, because another key is on file for the host. */
  conflicting: ShownKey[];
}

/**
 * Adds the keys of `servers` to known_hosts, if `agreed` or the person at the
 * terminal says so. A host that has keys on file keeps those alone.
 */
export async function offerHostKeys(
  keys: readonly PuttyHostKey[],
  servers: readonly ServerAddress[],
  agreed: boolean,
  { paths, json }: Context,
): Promise<HostKeysReport> {
  const file = paths.knownHosts;
  const known = await KnownHosts.read([file, ...paths.systemKnownHosts]);
  const wanted = keys.filter(({ host, port }) =>
    servers.some((server) =>
      server.host.toLowerCase() === host.toLowerCase() &&
      (server.port ?? 22) === port
    )
  );
  const statusOf = ({ host, port, key }: PuttyHostKey) =>
    known.check(host, port, key).status;
  const fresh = wanted.filter((each) => statusOf(each) === "unknown");
  const conflicting = wanted.filter((each) =>
    ["changed", "revoked"].includes(statusOf(each))
  );
  for (const { host, port, type, fingerprint } of conflicting.map(shown)) {
    warn(
      `PuTTY trusts the ${type} key ${fingerprint} of ${host}, port ${port}, but ${file} has another: left as it is`,
    );
  }
  const add = fresh.length > 0 && (agreed || await ask(fresh, file));
  if (add) {
    for (const { host, port, key } of fresh) {
      await addKnownHost(file, host, port, key);
    }
    const count = fresh.length === 1
      ? "1 host key"
      : `${fresh.length} host keys`;
    if (!json) print(`added ${count} that PuTTY trusts to ${file}`);
  } else if (fresh.length > 0) {
    say(
      "PuTTY trusts host keys of these servers; --host-keys takes them over",
    );
  }
  return {
    file,
    added: add ? fresh.map(shown) : [],
    offered: add ? [] : fresh.map(shown),
    conflicting: conflicting.map(shown),
  };
}

async function ask(keys: PuttyHostKey[], file: string): Promise<boolean> {
  if (!isInteractive()) return false;
  say("PuTTY trusts these host keys:");
  for (const { host, port, type, fingerprint } of keys.map(shown)) {
    say(`  ${host}, port ${port}: ${type} ${fingerprint}`);
  }
  return await askYesNo(`Trust them too, in ${file}?`, true);
}

function shown({ host, port, key }: PuttyHostKey): ShownKey {
  return { host, port, type: keyType(key), fingerprint: fingerprint(key) };
}

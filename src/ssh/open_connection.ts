/**
 * Opens a connection: the way to the server, then the login, in the time there
 * is.
 *
 * @module
 */

import type { Duplex } from "node:stream";
import { I2ptunError } from "../errors.ts";
import { formatHostPort } from "../forward/address.ts";
import { algorithmOffer, keyTypeOf } from "./algorithms.ts";
import { isForbidden } from "./channel.ts";
import { ChannelStream } from "./channel_stream.ts";
import type { Connection } from "./connection.ts";
import type { ConnectionOptions } from "./connection_options.ts";
import { dial, unlessAborted } from "./dial.ts";
import { type Heard, tooLate } from "./handshake_failure.ts";
import { knownAs, WrongPinError } from "./host_key.ts";
import { KnownHosts } from "./known_hosts.ts";
import { Patience } from "./patience.ts";
import type { Prompter } from "./prompter.ts";
import { overhearGreeting } from "./server_offer.ts";
import { Silence } from "./silence.ts";

/** A server that says nothing for so long may hang, in milliseconds. */
const SILENT_MS = 5000;

/**
 * Connects, checks the host key and logs in.
 *
 * @throws {I2ptunError} `unreachable`, `host-key` or `login-refused`.
 */
export async function openConnection(
  options: ConnectionOptions,
): Promise<Connection> {
  const server = formatHostPort(options.host, options.port);
  const heard: Heard = { connected: false, greeting: undefined };
  const patience = new Patience(
    options.connectTimeoutMs,
    () => tooLate(server, options.connectTimeoutMs, heard),
  );
  const signal = AbortSignal.any([options.signal, patience.signal]);
  const ask: Prompter = (question) => patience.pausedFor(options.ask(question));
  try {
    const [transport, knownHosts] = await Promise.all([
      options.transport ?? dialThrough(options, signal),
      KnownHosts.read(options.hostKey.files),
      load(options),
    ]);
    if (signal.aborted) transport.destroy();
    signal.throwIfAborted();
    heard.connected = true;
    options.onMilestone?.({ name: "tcp" });
    for (const warning of knownHosts.warnings) {
      options.log("warning", warning);
    }
    const attempt = { ...options, ask, signal };
    return await logInByAnyKey(transport, knownHosts, attempt, heard);
  } finally {
    patience.end();
  }
}

/** Loads ssh2, most of all there is to load, while the server is reached. */
async function load({ algorithms }: ConnectionOptions): Promise<void> {
  await import("./log_in.ts");
  if (!algorithms?.compression) return;
  const { loadCompression } = await import("./ssh2_compression.ts");
  await loadCompression();
}

/** The TCP connection to the server, or a channel of the previous hop to it. */
function dialThrough(
  options: ConnectionOptions,
  signal: AbortSignal,
): Promise<Duplex> {
  const { host, port, via, family, bindAddress } = options;
  if (!via) return dial({ host, port, family, bindAddress, signal });
  const opened = via.openChannel({ kind: "tcp", host, port }, {
    address: "127.0.0.1",
    port: 0,
  });
  opened.then((late) => signal.aborted && late.close(), () => {});
  return unlessAborted(opened, signal).then(
    (channel) => new ChannelStream(channel),
    async (thrown) => {
      signal.throwIfAborted();
      if (via.lost) throw await via.closed;
      // the one that says so is the hop before
      const message = I2ptunError.from(thrown).message
        .replace("the server", "the jump host");
      const explained = isForbidden(thrown)
        ? {
          why: "its jump host may not be used as one",
          remedy:
            "on the jump host, sshd_config must allow it: AllowTcpForwarding, PermitOpen, or the key's options in authorized_keys",
        }
        : {
          why: "that is how it looks from the jump host",
          remedy:
            "check the address; it is looked up and reached from the jump host",
        };
      throw new I2ptunError("unreachable", message, {
        ...explained,
        cause: thrown,
      });
    },
  );
}

/**
 * A pinned fingerprint does not tell the type of the key, so if the server shows
 * another key, its keys of other types are looked at, each by a new connection.
 *
 * @param seen types of keys that were not the pinned one
 */
async function logInByAnyKey(
  transport: Duplex,
  knownHosts: KnownHosts,
  options: ConnectionOptions,
  heard: Heard,
  seen: string[] = [],
): Promise<Connection> {
  // loaded before; from here on the transport is listened to without a pause
  const { logIn } = await import("./log_in.ts");
  const greeting = heard.greeting = overhearGreeting(transport);
  const offer = algorithmOffer(
    knownHosts.keyTypes(...knownAs({ ...options.hostKey, ...options })),
    options.algorithms,
    seen,
  );
  const { keepalive, onWord = () => {}, onSilence = () => {} } = options;
  const limitMs = Math.min(keepalive.intervalMs * keepalive.count, SILENT_MS);
  const silence = new Silence(transport, { limitMs, onWord, onSilence });
  try {
    const login = logIn(transport, greeting, offer, knownHosts, {
      ...options,
      ask: (question) => silence.pausedFor(options.ask(question)),
      authentication: {
        ...options.authentication,
        signing: (signature) => silence.pausedFor(signature),
      },
    });
    return await login.finally(() => silence.end());
  } catch (error) {
    if (!(error instanceof WrongPinError)) throw error;
    const now = [...seen, error.keyType];
    const hasMore = offer.serverHostKey.some((algorithm) =>
      greeting.offer?.serverHostKey.includes(algorithm) &&
      !now.includes(keyTypeOf(algorithm))
    );
    if (!hasMore) throw error;
    const again = await dialThrough(options, options.signal);
    return await logInByAnyKey(again, knownHosts, options, heard, now);
  }
}

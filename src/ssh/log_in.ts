/**
 * The SSH handshake and login over an open transport.
 *
 * @module
 */

import type { Duplex } from "node:stream";
import { setImmediate } from "node:timers";
import { I2ptunError } from "../errors.ts";
import { formatHostPort } from "../forward/address.ts";
import { hasAddress } from "../platform/network.ts";
import type { AlgorithmOffer } from "./algorithms.ts";
import { Authentication } from "./authentication.ts";
import { compileCipher } from "./chacha20_poly1305.ts";
import { Channels } from "./channels.ts";
import { Connection } from "./connection.ts";
import type { ConnectionOptions } from "./connection_options.ts";
import { fingerprint, keyType } from "./fingerprint.ts";
import { handshakeFailure } from "./handshake_failure.ts";
import { requireCheckable, verifyHostKey } from "./host_key.ts";
import type { KnownHosts } from "./known_hosts.ts";
import { Link } from "./link.ts";
import { closedDuringLogin, lost } from "./lost.ts";
import { type Greeting, isStrict } from "./server_offer.ts";
import { openSession, sendsAtOnce } from "./session.ts";
import { Client, type ClientErrorExtensions, OWN_CIPHER } from "./ssh2.ts";
import {
  acknowledgeNews,
  askForLife,
  onUserauthFailure,
  requestAtOnce,
  signAtOnce,
  signWithCertificates,
  signWithSha2Only,
} from "./ssh2_internals.ts";
import { Watchdog } from "./watchdog.ts";

/**
 * Shakes hands and logs in.
 *
 * @param transport open, still unread but for who overhears the greeting
 * @throws {I2ptunError} `unreachable`, `host-key` or `login-refused`
 */
export function logIn(
  transport: Duplex,
  greeting: Greeting,
  offer: AlgorithmOffer,
  knownHosts: KnownHosts,
  options: ConnectionOptions,
): Promise<Connection> {
  const { host, port, user, log, signal, via } = options;
  const server = formatHostPort(host, port);
  const named = options.isJumpHost ? `jump host ${server}` : server;
  const login = `${user}@${server}`;
  const authentication = new Authentication({
    ...options.authentication,
    user,
    login,
    ask: options.ask,
    log,
    fail: (error) => fail(error),
  });
  let fail: (error: unknown) => void;

  return new Promise((resolve, reject) => {
    const client = new Client();
    let ready = false;
    let shookHands = false;
    let reason: I2ptunError | undefined;
    let acceptedKey: Uint8Array | undefined;
    let channels: Channels;
    let end: (reason: I2ptunError) => void;
    const closed = new Promise<I2ptunError>((done) => end = done);
    fail = (error: unknown) => {
      reason ??= I2ptunError.from(error);
      client.destroy();
      transport.destroy();
      reject(reason);
    };
    const onAbort = () => fail(signal.reason);
    if (signal.aborted) return onAbort();
    signal.addEventListener("abort", onAbort, { once: true });

    const watchdog = new Watchdog(transport, {
      keepalive: options.keepalive,
      ask: () => askForLife(client),
      hasAddress: () =>
        !(transport instanceof Link) || hasAddress(transport.localAddress),
      onSilence: (patienceMs, askedAt) => {
        // with the jump host this connection ends, and it is what was lost
        if (via?.endUnlessHeardSince(askedAt, patienceMs)) return;
        fail(
          new I2ptunError(
            "unreachable",
            `${named} has not answered for ${patienceMs / 1000} s`,
          ),
        );
      },
      // what is true of this machine is said once
      log: via ? () => {} : log,
    });

    client.on("handshake", (negotiated) => {
      shookHands = true;
      signWithSha2Only(client);
      const strict = greeting.offer && isStrict(greeting.offer);
      log(
        "debug",
        `${server} (${greeting.software}): ${negotiated.kex}${
          strict ? " (strict)" : ""
        }, ${negotiated.serverHostKey}, ${negotiated.cs.cipher}`,
      );
    });
    client.on(
      "banner",
      (message) => log("info", `${server}: ${message.trim()}`),
    );
    client.on("ready", () => {
      ready = true;
      acknowledgeNews(client);
      authentication.succeeded();
      options.onMilestone?.({ name: "login", by: authentication.accepted });
      signal.removeEventListener("abort", onAbort);
      watchdog.start();
      const acknowledgeLess = () => {
        if (transport instanceof Link) transport.acknowledgeLess();
      };
      if (sendsAtOnce(greeting.software)) acknowledgeLess();
      else if (options.session) {
        openSession(client, (refusal) => {
          if (refusal === undefined) acknowledgeLess();
          else log("warning", `${named} opens no session: ${refusal}`);
        });
      }
      resolve(new Connection(client, channels, closed, watchdog, via));
    });
    client.on("change password", () => {
      fail(
        new I2ptunError(
          "login-refused",
          `the password of ${login} has expired`,
          { remedy: "change it on the server, then try again" },
        ),
      );
    });
    client.on("error", (error: Error & ClientErrorExtensions) => {
      // one key of the agent that cannot sign is no reason to give up
      if (error.level === "agent") return log("debug", error.message);
      // that is told when it closes
      if (via?.lost) return;
      if (ready) {
        reason ??= lost(error, named);
      } else {
        fail(
          shookHands
            ? error.level === "client-socket"
              ? closedDuringLogin(server, authentication, error)
              : authentication.refusal(
                error.level === "client-authentication"
                  ? undefined
                  : error.message,
              )
            : handshakeFailure(error, {
              server,
              host: options.hostKey.alias ?? host,
              greeting,
              offer,
            }),
        );
      }
    });
    // a channel of another hop stays half open otherwise
    client.on("end", () => transport.destroy());
    client.on("close", () => {
      watchdog.stop();
      signal.removeEventListener("abort", onAbort);
      const settle = (why: I2ptunError) => {
        end(why);
        reject(why);
      };
      if (reason) settle(reason);
      else if (via?.lost) via.closed.then(settle);
      else if (ready) {
        settle(
          new I2ptunError("unreachable", `${named} closed the connection`),
        );
      } else settle(closedDuringLogin(server, authentication));
    });

    try {
      client.connect({
        sock: transport,
        username: user,
        ident: "i2ptun",
        readyTimeout: 0,
        // the watchdog does that
        keepaliveInterval: 0,
        algorithms: { ...offer, kex: [...offer.kex] } as never,
        hostVerifier: (key: Uint8Array, verdict: (ok: boolean) => void) => {
          // each rekeying proves the key again (RFC 4253 §9)
          if (acceptedKey) return verdict(sameBytes(acceptedKey, key));
          const { software = "" } = greeting;
          options.onMilestone?.({ name: "ssh", software });
          try {
            // at once: the signature is checked before the rest is known
            requireCheckable(key, server);
          } catch (error) {
            fail(error);
            return false;
          }
          verifyHostKey(key, {
            ...options.hostKey,
            host,
            port,
            knownHosts,
            file: options.hostKey.store,
            ask: options.ask,
            log,
          }).then((trust) => {
            acceptedKey = key.slice();
            options.onMilestone?.({
              name: "host-key",
              type: keyType(key),
              fingerprint: fingerprint(key),
              trust,
            });
            verdict(true);
          }, fail); // no verdict then: ssh2 may be in the middle of its own
        },
        authHandler: ((
          _accepted: unknown,
          _partial: unknown,
          start: (method: unknown) => void,
        ) => {
          authentication.proceed(start);
        }) as never,
      });
      signWithCertificates(client);
      signAtOnce(client);
      requestAtOnce(client, () => sendsAtOnce(greeting.software));
      compileMeanwhile(transport, greeting);
      channels = new Channels(client, transport);
      onUserauthFailure(client, (methods, partial) => {
        authentication.answered(methods, partial);
      });
    } catch (error) {
      fail(error);
    }
  });
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/**
 * Compiles the cipher while the server works out its part of the keys: after what
 * it has offered was heard, and has been answered.
 */
function compileMeanwhile(transport: Duplex, greeting: Greeting): void {
  const listen = () => {
    if (!greeting.offer) return;
    transport.off("data", listen);
    if (greeting.offer.cipher.includes(OWN_CIPHER)) setImmediate(compileCipher);
  };
  transport.on("data", listen);
}

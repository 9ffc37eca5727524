/**
 * A logged-in SSH connection: opened, watched, closed.
 *
 * @module
 */

import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { I2ptunError } from "../errors.ts";
import {
  formatHostPort,
  formatTarget,
  type ListenAddress,
  type TargetAddress,
} from "../forward/address.ts";
import type { Log } from "../log.ts";
import { hasAddress } from "../platform/network.ts";
import {
  type AlgorithmOffer,
  algorithmOffer,
  type AlgorithmSettings,
  keyTypeOf,
} from "./algorithms.ts";
import {
  Authentication,
  type AuthenticationOptions,
} from "./authentication.ts";
import { Backpressure } from "./backpressure.ts";
import {
  abandon,
  deferWrites,
  isForbidden,
  openFailure,
  watchEnd,
} from "./channel.ts";
import { dial, unlessAborted } from "./dial.ts";
import { fingerprint, keyType } from "./fingerprint.ts";
import { handshakeFailure, type Heard, tooLate } from "./handshake_failure.ts";
import {
  type HostKeyOptions,
  knownAs,
  requireCheckable,
  type Trust,
  verifyHostKey,
  WrongPinError,
} from "./host_key.ts";
import { KnownHosts } from "./known_hosts.ts";
import { Patience } from "./patience.ts";
import type { Prompter } from "./prompter.ts";
import {
  formatServerListen,
  listenRefused,
  type ServeIncoming,
  ServerListeners,
} from "./server_listeners.ts";
import { type Greeting, isStrict, overhearGreeting } from "./server_offer.ts";
import {
  Client,
  type ClientChannel,
  type ClientErrorExtensions,
  type SshClient,
} from "./ssh2.ts";
import {
  askForLife,
  onUserauthFailure,
  signWithCertificates,
  signWithSha2Only,
} from "./ssh2_internals.ts";
import { Watchdog } from "./watchdog.ts";

/** How far a connection has come, in this order. */
export type Milestone =
  | { name: "tcp" }
  /** The server is one of SSH, such as `OpenSSH_9.2p1 Debian-2`. */
  | { name: "ssh"; software: string }
  | { name: "host-key"; type: string; fingerprint: string; trust: Trust }
  /** `by` what the server let us in: a key, a password. */
  | { name: "login"; by: string };

export interface ConnectionOptions {
  host: string;
  port: number;
  user: string;
  /** Use only addresses of this IP version; 0 for both. */
  family?: 0 | 4 | 6 | undefined;
  /** This machine's address to connect from. */
  bindAddress?: string | undefined;
  /** The connection to go through, when this is not the first hop. */
  via?: Connection | undefined;
  /** A TCP connection to the server that is there already, still unread. */
  transport?: Socket | undefined;
  /** Told how far it has come; more than once, if it has to connect again. */
  onMilestone?: ((milestone: Milestone) => void) | undefined;
  /** Until logged in; the time a person takes to answer does not count. */
  connectTimeoutMs: number;
  /** Lost after interval × count without anything heard. */
  keepalive: { intervalMs: number; count: number };
  authentication: Pick<
    AuthenticationOptions,
    | "named"
    | "certificates"
    | "defaults"
    | "onlyNamed"
    | "agent"
    | "agentPatienceMs"
    | "attend"
    | "checkPermissions"
    | "secrets"
    | "methods"
    | "passwordAttempts"
  >;
  hostKey:
    & Pick<HostKeyOptions, "pin" | "unknown" | "alias" | "hash">
    & {
      /** known_hosts files. */
      files: string[];
      /** The one that new keys go to; undefined: nowhere. */
      store: string | undefined;
    };
  algorithms?: AlgorithmSettings | undefined;
  ask: Prompter;
  log: Log;
  signal: AbortSignal;
  /** Told as soon as the server has said anything. */
  onAnswer?: (() => void) | undefined;
}

/** What came of a command. */
export interface CommandResult {
  /** Its exit status; 255 if a signal ended it. */
  code: number;
  /** Both its outputs; no more than the beginning, if it is long. */
  output: string;
}

const MAX_OUTPUT = 64 * 1024;

/** Where a forwarded connection came from (RFC 4254 §7.2, originator). */
export interface Originator {
  address: string;
  port: number;
}

export class Connection {
  /** Fulfilled with the reason once the connection has ended. Never rejects. */
  readonly closed: Promise<I2ptunError>;
  readonly #client: SshClient;
  readonly #listeners: ServerListeners;
  readonly #backpressure: Backpressure;
  readonly #watchdog: Watchdog | undefined;
  #lost = false;

  private constructor(
    client: SshClient,
    transport: Duplex,
    closed: Promise<I2ptunError>,
    watchdog?: Watchdog,
  ) {
    this.#client = client;
    this.#watchdog = watchdog;
    this.#listeners = new ServerListeners(client);
    this.#backpressure = new Backpressure(transport);
    this.closed = closed;
    client.on("close", () => this.#lost = true);
  }

  /**
   * Connects, checks the host key and logs in.
   *
   * @throws {I2ptunError} `unreachable`, `host-key` or `login-refused`.
   */
  static async open(options: ConnectionOptions): Promise<Connection> {
    const server = formatHostPort(options.host, options.port);
    const heard: Heard = { connected: false, greeting: undefined };
    const patience = new Patience(
      options.connectTimeoutMs,
      () => tooLate(server, options.connectTimeoutMs, heard),
    );
    const signal = AbortSignal.any([options.signal, patience.signal]);
    const ask: Prompter = (question) =>
      patience.pausedFor(options.ask(question));
    try {
      const [knownHosts, transport] = await Promise.all([
        KnownHosts.read(options.hostKey.files),
        options.transport ?? dialThrough(options, signal),
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

  /** @internal Takes over a client that has just logged in. */
  static adopt(
    client: SshClient,
    transport: Duplex,
    closed: Promise<I2ptunError>,
    watchdog?: Watchdog,
  ): Connection {
    return new Connection(client, transport, closed, watchdog);
  }

  /**
   * Opens a connection from the server to `target` (RFC 4254 §7.2,
   * or direct-streamlocal@openssh.com for a Unix socket).
   *
   * @throws {I2ptunError} `forward` if the server does not open it,
   *   `unreachable` if the connection is lost before it has answered.
   */
  openChannel(target: TargetAddress, from: Originator): Promise<ClientChannel> {
    const name = formatTarget(target);
    return new Promise((resolve, reject) => {
      const opened = (error: Error | undefined, channel: ClientChannel) => {
        if (error) {
          return reject(
            this.#lost ? lostMeanwhile(name) : openFailure(error, name),
          );
        }
        resolve(this.#prepare(channel));
      };
      try {
        if (target.kind === "unix") {
          this.#client.openssh_forwardOutStreamLocal(target.path, opened);
        } else {
          this.#client.forwardOut(
            from.address,
            from.port,
            target.host,
            target.port,
            opened,
          );
        }
      } catch {
        // ssh2 throws only when the connection is ending
        reject(lostMeanwhile(name));
      }
    });
  }

  /**
   * Asks the server to listen (RFC 4254 §7.1, or
   * streamlocal-forward@openssh.com for a Unix socket).
   *
   * @param serve called with each connection that comes in there
   * @returns where it listens: `at`, with the port chosen if it was 0
   * @throws {I2ptunError} `forward` if the server refuses, `unreachable` if the
   *   connection is lost before it has answered.
   */
  async listen(
    at: ListenAddress,
    serve: ServeIncoming,
  ): Promise<ListenAddress> {
    try {
      const port = await this.#listeners.listen(at, (incoming) =>
        serve({
          ...incoming,
          accept: () => this.#prepare(incoming.accept()),
        }));
      return at.kind === "unix" ? at : { ...at, port };
    } catch (error) {
      const { message } = error as Error;
      const refused = !this.#lost && /^Unable to bind/.test(message);
      throw refused ? listenRefused(at) : lostMeanwhile(formatServerListen(at));
    }
  }

  /**
   * Runs a command on the server (RFC 4254 §6.5), without a terminal.
   *
   * @param input its standard input, whole
   * @throws {I2ptunError} `login-refused` if the server lets nobody run
   *   commands, `unreachable` if the connection is lost meanwhile
   */
  exec(command: string, input: string): Promise<CommandResult> {
    return new Promise((resolve, reject) => {
      const started = (error: Error | undefined, channel: ClientChannel) => {
        if (error) {
          return reject(
            this.#lost ? lostMeanwhile("the command") : new I2ptunError(
              "login-refused",
              "the server lets this user run no commands",
              { cause: error },
            ),
          );
        }
        let output = "";
        const collect = (text: string) => {
          output = (output + text).slice(0, MAX_OUTPUT);
        };
        channel.setEncoding("utf8").on("data", collect);
        channel.stderr.setEncoding("utf8").on("data", collect);
        // it may end without reading what it is given
        channel.on("error", () => {});
        let code: number | undefined;
        channel.on("exit", (status: number | null) => code = status ?? 255);
        channel.on("close", () => {
          if (code === undefined) reject(lostMeanwhile("the command"));
          else resolve({ code, output });
        });
        channel.end(input);
      };
      try {
        this.#client.exec(command, started);
      } catch {
        reject(lostMeanwhile("the command"));
      }
    });
  }

  /** Asks the server to listen no longer; `at` as {@link listen} returned it. */
  cancelListen(at: ListenAddress): void {
    try {
      this.#listeners.cancel(at);
    } catch {
      // it ended with the connection
    }
  }

  /**
   * Asks the server for a sign of life if there is a reason to doubt that it is
   * still there; to be called before the connection is used.
   *
   * @param idle nothing else goes through it, so it may be given up sooner
   */
  check(idle: boolean): void {
    this.#watchdog?.check(idle);
  }

  /** Whether it has ended: nothing can be opened or accepted any more. */
  get lost(): boolean {
    return this.#lost;
  }

  #prepare(channel: ClientChannel): ClientChannel {
    watchEnd(channel, () => this.#lost);
    this.#backpressure.apply(channel);
    return channel;
  }

  /** Says goodbye and closes. */
  end(): void {
    this.#client.end();
  }

  /** Closes at once, for a link that does not answer any more. */
  destroy(): void {
    this.#client.destroy();
  }
}

function lostMeanwhile(what: string): I2ptunError {
  return new I2ptunError(
    "unreachable",
    `${what}: the connection to the server was lost`,
  );
}

/** The TCP connection to the server, or a channel of the previous hop to it. */
function dialThrough(
  options: ConnectionOptions,
  signal: AbortSignal,
): Promise<Socket | ClientChannel> {
  const { host, port, via, family, bindAddress } = options;
  if (!via) return dial({ host, port, family, bindAddress, signal });
  const opened = via.openChannel({ kind: "tcp", host, port }, {
    address: "127.0.0.1",
    port: 0,
  });
  opened.then((late) => signal.aborted && late.close(), () => {});
  return unlessAborted(opened, signal).then(deferWrites, (thrown) => {
    signal.throwIfAborted();
    const { message, remedy } = I2ptunError.from(thrown);
    throw new I2ptunError("unreachable", message, {
      remedy: isForbidden(thrown)
        ? remedy
        : "check the address; it is looked up and reached from the jump host",
      cause: thrown,
    });
  });
}

/**
 * A pinned fingerprint does not tell the type of the key, so if the server shows
 * another key, its keys of other types are looked at, each by a new connection.
 *
 * @param seen types of keys that were not the pinned one
 */
async function logInByAnyKey(
  transport: Socket | ClientChannel,
  knownHosts: KnownHosts,
  options: ConnectionOptions,
  heard: Heard,
  seen: string[] = [],
): Promise<Connection> {
  const greeting = heard.greeting = overhearGreeting(transport);
  transport.once("data", () => options.onAnswer?.());
  const offer = algorithmOffer(
    knownHosts.keyTypes(...knownAs({ ...options.hostKey, ...options })),
    options.algorithms,
    seen,
  );
  try {
    return await logIn(transport, greeting, offer, knownHosts, options);
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

/** The SSH handshake and login over an open transport. */
function logIn(
  transport: Socket | ClientChannel,
  greeting: Greeting,
  offer: AlgorithmOffer,
  knownHosts: KnownHosts,
  options: ConnectionOptions,
): Promise<Connection> {
  const { host, port, user, log, signal } = options;
  const server = formatHostPort(host, port);
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
    let end: (reason: I2ptunError) => void;
    const closed = new Promise<I2ptunError>((done) => end = done);
    fail = (error: unknown) => {
      reason ??= I2ptunError.from(error);
      client.destroy();
      if (options.via) abandon(transport);
      else transport.destroy();
      reject(reason);
    };
    const onAbort = () => fail(signal.reason);
    if (signal.aborted) return onAbort();
    signal.addEventListener("abort", onAbort, { once: true });

    const watchdog = new Watchdog(transport, {
      keepalive: options.keepalive,
      ask: () => askForLife(client),
      hasAddress: () =>
        !("localAddress" in transport && transport.localAddress) ||
        hasAddress(transport.localAddress),
      onSilence: (patienceMs) =>
        fail(
          new I2ptunError(
            "unreachable",
            `${server} has not answered for ${patienceMs / 1000} s`,
          ),
        ),
      // what is true of this machine is said once
      log: options.via ? () => {} : log,
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
      authentication.succeeded();
      options.onMilestone?.({ name: "login", by: authentication.accepted });
      signal.removeEventListener("abort", onAbort);
      watchdog.start();
      resolve(Connection.adopt(client, transport, closed, watchdog));
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
      if (ready) {
        reason ??= lost(error, server);
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
      reason ??= ready
        ? new I2ptunError(
          "unreachable",
          `${server} closed the connection`,
        )
        : closedDuringLogin(server, authentication);
      end(reason);
      reject(reason);
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

/** What the system says when a connection ends, for people. */
const LOSSES: Record<string, string> = {
  ECONNRESET: "it was reset",
  EPIPE: "the server has closed it",
  ETIMEDOUT: "no answer any more",
  EHOSTUNREACH: "the server cannot be reached from here any more",
  ENETUNREACH: "there is no network to it any more",
  ENETDOWN: "this machine's network is down",
};

function lost(error: Error & { code?: string }, server: string): I2ptunError {
  const why = LOSSES[error.code ?? ""] ?? error.message;
  return new I2ptunError(
    "unreachable",
    `the connection to ${server} was lost: ${why}`,
    { cause: error },
  );
}

/** Some servers, such as dropbear, end a login they refuse without a word. */
const REFUSALS_BEFORE_CLOSING = 3;

function closedDuringLogin(
  server: string,
  authentication: Authentication,
  cause?: Error,
): I2ptunError {
  if (authentication.refused >= REFUSALS_BEFORE_CLOSING) {
    return authentication.refusal(
      `too many attempts: the server closed the connection after ${authentication.refused}`,
    );
  }
  return new I2ptunError(
    "unreachable",
    `${server} closed the connection before the login was complete`,
    { remedy: "look at the SSH server's log for the reason", cause },
  );
}

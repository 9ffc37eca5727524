/**
 * A logged-in SSH connection: used, and closed. `open_connection.ts` opens one.
 *
 * @module
 */

import type { Duplex } from "node:stream";
import { I2ptunError } from "../errors.ts";
import {
  formatTarget,
  type ListenAddress,
  type TargetAddress,
} from "../forward/address.ts";
import type { Channel } from "./channel.ts";
import { ChannelStream } from "./channel_stream.ts";
import type { Channels, Originator } from "./channels.ts";
import { lostMeanwhile } from "./lost.ts";
import {
  formatServerListen,
  listenRefused,
  type ServeIncoming,
  ServerListeners,
} from "./server_listeners.ts";
import type { ClientChannel, SshClient } from "./ssh2.ts";
import type { Watchdog } from "./watchdog.ts";

/** What came of a command. */
export interface CommandResult {
  /** Its exit status; 255 if a signal ended it. */
  code: number;
  /** Both its outputs; no more than the beginning, if it is long. */
  output: string;
}

const MAX_OUTPUT = 64 * 1024;

export class Connection {
  /** Fulfilled with the reason once the connection has ended. Never rejects. */
  readonly closed: Promise<I2ptunError>;
  readonly #client: SshClient;
  readonly #channels: Channels;
  readonly #listeners: ServerListeners;
  readonly #watchdog: Watchdog | undefined;
  readonly #via: Connection | undefined;
  #lost = false;

  /** @internal Takes over a client that has just logged in; see `log_in.ts`. */
  constructor(
    client: SshClient,
    channels: Channels,
    closed: Promise<I2ptunError>,
    watchdog?: Watchdog,
    via?: Connection,
  ) {
    this.#client = client;
    this.#channels = channels;
    this.#watchdog = watchdog;
    this.#via = via;
    this.#listeners = new ServerListeners(client, channels);
    this.closed = closed;
    client.on("close", () => this.#lost = true);
  }

  /**
   * Opens a connection from the server to `target` (RFC 4254 §7.2,
   * or direct-streamlocal@openssh.com for a Unix socket).
   *
   * @throws {I2ptunError} `forward` if the server does not open it,
   *   `unreachable` if the connection is lost before it has answered.
   */
  openChannel(target: TargetAddress, from: Originator): Promise<Channel> {
    return this.#channels.open(
      target,
      from,
      () => lostMeanwhile(formatTarget(target)),
    );
  }

  /** If many wait for channels to `target`: resolves when others may come. */
  room(target: TargetAddress): Promise<void> | undefined {
    return this.#channels.room(target);
  }

  /** How long the server takes to answer, in milliseconds; 0 if not known. */
  get roundTripMs(): number {
    return this.#channels.roundTrip.ms;
  }

  /** As {@link openChannel}, as a stream. */
  async openStream(target: TargetAddress, from: Originator): Promise<Duplex> {
    return new ChannelStream(await this.openChannel(target, from));
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
      const port = await this.#listeners.listen(at, serve);
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
    this.#via?.check(idle);
  }

  /**
   * Gives it up now, unless it was heard since `askedAt`: for a connection
   * through it that is silent too.
   *
   * @param askedAt of `performance.now()`
   * @returns whether it is given up
   */
  endUnlessHeardSince(askedAt: number, patienceMs: number): boolean {
    return this.#watchdog?.endUnlessHeardSince(askedAt, patienceMs) ?? false;
  }

  /** Whether it has ended: nothing can be opened or accepted any more. */
  get lost(): boolean {
    return this.#lost;
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

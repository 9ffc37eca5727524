/**
 * A remote forward (`ssh -R`): connections that come in at the server leave
 * from here.
 *
 * @module
 */

import { I2ptunError } from "../errors.ts";
import type { LogLevel } from "../log.ts";
import type { Channel } from "../ssh/channel.ts";
import { ChannelStream } from "../ssh/channel_stream.ts";
import type { Connection } from "../ssh/connection.ts";
import { resolveHost } from "../ssh/dial.ts";
import {
  formatServerListen,
  type IncomingConnection,
} from "../ssh/server_listeners.ts";
import {
  formatTarget,
  type Forward,
  type ListenAddress,
  type TargetAddress,
} from "./address.ts";
import { denialOf } from "./denial.ts";
import { negotiate } from "./negotiate.ts";
import { relay } from "./relay.ts";
import {
  type ForwardOptions,
  problemOf,
  type RunningForward,
} from "./running_forward.ts";
import { connectTcp, connectUnix, type Socket, writeTo } from "./socket.ts";
import { TimeLimit } from "./time_limit.ts";
import { noTraffic, type Traffic } from "./traffic.ts";

/**
 * How often the server is asked again whether it listens, such as after a
 * reconnect: as long as it has not noticed the end of the old session, that has
 * the port.
 */
const RETRY_MS = 3000;

export class RemoteForward implements RunningForward {
  readonly traffic: Traffic = noTraffic();
  problem: string | undefined;
  readonly #sockets = new Set<Socket>();
  readonly #ended = new AbortController();
  /** Where the server listens, or did before the connection was lost. */
  #listening: ListenAddress | undefined;
  #connection: Connection | undefined;

  constructor(
    readonly forward: Extract<Forward, { kind: "remote" }>,
    readonly options: Omit<ForwardOptions, "connection" | "portOwner">,
  ) {}

  get addresses(): string[] {
    return this.#connection && this.#listening
      ? [formatServerListen(this.#listening)]
      : [];
  }

  open(): Promise<void> {
    return Promise.resolve();
  }

  async attach(connection: Connection): Promise<void> {
    try {
      await this.#ask(connection);
    } catch (error) {
      const known = I2ptunError.from(error);
      this.problem = known.message;
      const message = `${this.forward.name}: ${known.message}`;
      throw new I2ptunError(known.kind, message, known);
    }
  }

  async attachAgain(connection: Connection, isRefused = false): Promise<void> {
    const over = new AbortController();
    connection.closed.then(() => over.abort());
    const signal = AbortSignal.any([over.signal, this.#ended.signal]);
    const ask = () => this.#ask(connection).then(() => undefined, messageOf);
    const isOver = () => signal.aborted || connection.lost;
    let problem = isRefused ? this.problem : undefined;
    let refusal = isRefused ? this.problem : await ask();
    if (refusal !== undefined && !isOver()) {
      this.#log(`${refusal}; asking again until it does not`);
    }
    while (refusal !== undefined && !isOver()) {
      problem = this.problem = refusal;
      await this.options.sleep(RETRY_MS, signal);
      if (signal.aborted) break;
      refusal = await ask();
      if (refusal === undefined) {
        this.#log(`the server listens on ${this.addresses[0]} again`, "info");
      }
    }
    // of one that has come meanwhile there may be another
    if (this.problem === problem) this.problem = undefined;
  }

  close(): Promise<void> {
    this.#ended.abort(new I2ptunError("interrupted", "the forward was closed"));
    if (this.#listening) this.#connection?.cancelListen(this.#listening);
    this.#connection = undefined;
    for (const socket of this.#sockets) socket.destroy();
    return Promise.resolve();
  }

  /** Asks the server to listen, where it did before if it did. */
  async #ask(connection: Connection): Promise<void> {
    if (this.#listening) await this.#listenAgain(connection, this.#listening);
    else await this.#listen(connection, this.forward.listen);
  }

  /** Preferably where it was before, if the server had chosen the port. */
  async #listenAgain(
    connection: Connection,
    before: ListenAddress,
  ): Promise<void> {
    const { listen } = this.forward;
    const anyPort = listen.kind === "tcp" && listen.port === 0;
    try {
      await this.#listen(connection, before);
    } catch (error) {
      if (!anyPort || connection.lost) throw error;
      await this.#listen(connection, listen);
      this.#log(`the server listens on ${this.addresses[0]} now`, "info");
    }
  }

  async #listen(connection: Connection, at: ListenAddress): Promise<void> {
    const listening = await connection.listen(
      at,
      (incoming) => this.#accept(incoming, connection),
    );
    if (this.#ended.signal.aborted) return connection.cancelListen(listening);
    this.#listening = listening;
    this.#connection = connection;
    connection.closed.then(() => {
      if (this.#connection === connection) this.#connection = undefined;
    });
  }

  async #accept(
    incoming: IncomingConnection,
    connection: Connection,
  ): Promise<void> {
    const { connections } = this.traffic;
    connections.open++;
    connections.total++;
    try {
      const { target } = this.forward;
      if (target) await this.#serve(incoming, target, connection);
      else await this.#serveProxy(new ChannelStream(incoming.accept()));
    } catch (error) {
      if (!this.#ended.signal.aborted) this.#log(messageOf(error));
    } finally {
      connections.open--;
    }
  }

  async #serve(
    incoming: IncomingConnection,
    target: TargetAddress,
    connection: Connection,
  ): Promise<void> {
    let socket: Socket;
    try {
      socket = await this.#connect(target);
    } catch (error) {
      if (!connection.lost) incoming.refuse();
      this.problem = problemOf(error);
      throw error;
    }
    this.problem = undefined;
    if (connection.lost) return void socket.destroy();
    await this.#relay(socket, incoming.accept());
  }

  async #serveProxy(client: ChannelStream): Promise<void> {
    const received = await this.#negotiate(client);
    if (received.state === "gone") return void client.destroy();
    if (received.state === "malformed") {
      hangUp(client, received.reply);
      throw new I2ptunError("usage", received.why);
    }
    const { target, granted, denied } = received.message;
    let socket: Socket;
    try {
      socket = await this.#connect(target);
    } catch (error) {
      hangUp(client, denied(denialOf(error, target.host)));
      throw error;
    }
    await writeTo(client, granted);
    const { channel, rest } = client.release();
    await this.#relay(socket, channel, rest);
  }

  async #negotiate(client: ChannelStream) {
    using limit = this.#limit(new Error("the client said nothing"));
    const signal = AbortSignal.any([limit.signal, this.#ended.signal]);
    return await negotiate(client, "socks", signal);
  }

  async #connect(target: TargetAddress): Promise<Socket> {
    using limit = this.#limit(
      new I2ptunError(
        "forward",
        `${formatTarget(target)} did not answer within ${
          this.options.connectTimeoutMs / 1000
        } s`,
      ),
    );
    const signal = AbortSignal.any([limit.signal, this.#ended.signal]);
    const socket = await connectHere(target, signal);
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    if (this.#ended.signal.aborted) socket.destroy();
    return socket;
  }

  /** Resolves when the socket is closed. */
  async #relay(
    socket: Socket,
    channel: Channel,
    early: Uint8Array = new Uint8Array(),
  ): Promise<void> {
    if (socket.destroyed) return channel.close();
    const over = new Promise((resolve) => socket.once("close", resolve));
    relay(socket, channel, { traffic: this.traffic, early });
    await over;
  }

  #limit(reason: Error): TimeLimit {
    const { sleep, connectTimeoutMs } = this.options;
    return new TimeLimit(sleep, connectTimeoutMs, reason);
  }

  #log(message: string, level: LogLevel = "warning"): void {
    this.options.log(level, `${this.forward.name}: ${message}`);
  }
}

function messageOf(error: unknown): string {
  return I2ptunError.from(error).message;
}

/** Ends a channel after a last word to its client. */
function hangUp(client: ChannelStream, reply: Uint8Array): void {
  client.once("finish", () => client.destroy());
  client.resume();
  client.end(reply);
}

/**
 * Connects to a target as this machine sees it.
 *
 * @throws {I2ptunError} `forward`, saying why
 */
export async function connectHere(
  target: TargetAddress,
  signal: AbortSignal,
): Promise<Socket> {
  try {
    if (target.kind === "unix") {
      return await connectUnix(target.path);
    }
    const addresses = await resolveHost(target.host);
    return await connectTcp(addresses, target.port, signal);
  } catch (error) {
    if (error instanceof I2ptunError) throw error;
    const said = (error as Error).message.replace(/ \(os error \d+\)$/, "");
    const message = `${formatTarget(target)}: ${said}`;
    throw new I2ptunError("forward", message, { cause: error });
  }
}

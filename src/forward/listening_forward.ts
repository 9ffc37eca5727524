/**
 * A forward that listens on this machine: counts its clients and gets each a
 * channel to where it wants to go.
 *
 * @module
 */

import { I2ptunError } from "../errors.ts";
import type { Channel } from "../ssh/channel.ts";
import type { Connection } from "../ssh/connection.ts";
import type { Forward, TargetAddress } from "./address.ts";
import { type Listener, openListener } from "./listener.ts";
import type { ForwardOptions, RunningForward } from "./running_forward.ts";
import { noTraffic, type Traffic } from "./traffic.ts";

/** A client as its forward wants it. */
export interface Accepted {
  readonly peer: { address: string; port: number } | undefined;
  readonly destroyed: boolean;
  once(event: "close", callBack: () => void): unknown;
  destroy(): unknown;
}

export abstract class ListeningForward<F extends Forward, A extends Accepted>
  implements RunningForward {
  readonly traffic: Traffic = noTraffic();
  problem: string | undefined;
  readonly #clients = new Set<A>();
  #listener: Listener | undefined;

  constructor(readonly forward: F, readonly options: ForwardOptions) {}

  /** Takes a connection over. */
  protected abstract accept(conn: Deno.Conn): A;

  /** Serves one client, of which nothing is read; what is thrown ends it. */
  protected abstract serve(client: A): Promise<void>;

  /** If many clients wait for channels: resolves when others may come. */
  protected room(): Promise<void> | undefined {
    return undefined;
  }

  get addresses(): string[] {
    return this.#listener?.addresses ?? [];
  }

  async open(): Promise<void> {
    const { forward } = this;
    this.#listener = await openListener({
      name: forward.name,
      listen: forward.listen,
      service: forward.kind === "local" ? forward.service : undefined,
      portOwner: this.options.portOwner,
      onConnection: (conn) => {
        this.#serve(this.accept(conn));
        return this.room();
      },
    });
  }

  attach(_connection: Connection): Promise<void> {
    return Promise.resolve();
  }

  attachAgain(connection: Connection): Promise<void> {
    return this.attach(connection);
  }

  async close(): Promise<void> {
    const closed = this.#listener?.close();
    this.#listener = undefined;
    for (const client of this.#clients) client.destroy();
    await closed;
  }

  /**
   * A channel from the server to `target` for this client.
   *
   * @throws {I2ptunError} why the server does not open it, or that there was no
   *   connection for too long.
   */
  protected async openChannel(
    target: TargetAddress,
    client: Accepted,
  ): Promise<Channel> {
    for (;;) {
      const found = this.options.connection();
      const connection = found instanceof Promise ? await found : found;
      try {
        const from = client.peer ?? { address: "127.0.0.1", port: 0 };
        return await connection.openChannel(target, from);
      } catch (error) {
        const isLost = I2ptunError.from(error).kind === "unreachable";
        if (!isLost || client.destroyed) throw error;
        // nothing has been sent yet, so the next connection does as well
        await connection.closed;
      }
    }
  }

  protected log(error: unknown): void {
    const { message } = I2ptunError.from(error);
    this.options.log("warning", `${this.forward.name}: ${message}`);
  }

  async #serve(client: A): Promise<void> {
    const { connections } = this.traffic;
    connections.open++;
    connections.total++;
    this.#clients.add(client);
    client.once("close", () => {
      connections.open--;
      this.#clients.delete(client);
    });
    try {
      await this.serve(client);
    } catch (error) {
      // nobody waits for it when the forward is closed
      if (!client.destroyed) this.log(error);
      client.destroy();
    }
  }
}

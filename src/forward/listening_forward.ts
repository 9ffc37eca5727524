/**
 * A forward that listens on this machine: counts its clients and gets each a
 * channel to where it wants to go.
 *
 * @module
 */

import { I2ptunError } from "../errors.ts";
import type { Channel } from "../ssh/channel.ts";
import type { Forward, TargetAddress } from "./address.ts";
import { type Listener, openListener } from "./listener.ts";
import type { ForwardOptions, RunningForward } from "./running_forward.ts";
import type { Socket } from "./socket.ts";
import { noTraffic, type Traffic } from "./traffic.ts";

export abstract class ListeningForward<F extends Forward>
  implements RunningForward {
  readonly traffic: Traffic = noTraffic();
  problem: string | undefined;
  readonly #sockets = new Set<Socket>();
  #listener: Listener | undefined;

  constructor(readonly forward: F, readonly options: ForwardOptions) {}

  /** Serves one client, whose socket is unread; what is thrown ends it. */
  protected abstract serve(socket: Socket): Promise<void>;

  get addresses(): string[] {
    return this.#listener?.addresses ?? [];
  }

  async open(): Promise<void> {
    this.#listener = await openListener({
      name: this.forward.name,
      listen: this.forward.listen,
      portOwner: this.options.portOwner,
      onConnection: (socket) => this.#accept(socket),
    });
  }

  attach(): Promise<void> {
    return Promise.resolve();
  }

  async close(): Promise<void> {
    const closed = this.#listener?.close();
    this.#listener = undefined;
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /**
   * A channel from the server to `target` for the client behind `socket`.
   *
   * @throws {I2ptunError} why the server does not open it, or that there was no
   *   connection for too long.
   */
  protected async openChannel(
    target: TargetAddress,
    socket: Socket,
  ): Promise<Channel> {
    for (;;) {
      const connection = await this.options.connection();
      try {
        const from = socket.peer ?? { address: "127.0.0.1", port: 0 };
        return await connection.openChannel(target, from);
      } catch (error) {
        if (I2ptunError.from(error).kind !== "unreachable") throw error;
        // nothing has been sent yet, so the next connection does as well
        await connection.closed;
      }
    }
  }

  protected log(error: unknown): void {
    const { message } = I2ptunError.from(error);
    this.options.log("warning", `${this.forward.name}: ${message}`);
  }

  async #accept(socket: Socket): Promise<void> {
    const { connections } = this.traffic;
    connections.open++;
    connections.total++;
    this.#sockets.add(socket);
    socket.once("close", () => {
      connections.open--;
      this.#sockets.delete(socket);
    });
    try {
      await this.serve(socket);
    } catch (error) {
      this.log(error);
      socket.destroy();
    }
  }
}

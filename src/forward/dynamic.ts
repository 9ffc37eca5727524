/**
 * A dynamic forward (`ssh -D`): a SOCKS and HTTP proxy whose connections leave
 * from the server. Names go to the server as they are and are looked up there.
 *
 * @module
 */

import { I2ptunError } from "../errors.ts";
import type { Channel } from "../ssh/channel.ts";
import { formatTarget, type Forward, type TargetAddress } from "./address.ts";
import { denialOf } from "./denial.ts";
import { ListeningForward } from "./listening_forward.ts";
import { negotiate } from "./negotiate.ts";
import { hangUp, relay } from "./relay.ts";
import { Socket, writeTo } from "./socket.ts";
import { TimeLimit } from "./time_limit.ts";

export class DynamicForward
  extends ListeningForward<Extract<Forward, { kind: "dynamic" }>, Socket> {
  protected override accept(conn: Deno.Conn): Socket {
    return new Socket(conn);
  }

  protected override async serve(socket: Socket): Promise<void> {
    const received = await this.#negotiate(socket);
    if (received.state === "gone") return void socket.destroy();
    if (received.state === "malformed") {
      this.log(new I2ptunError("usage", received.why));
      socket.write(received.reply);
      return hangUp(socket);
    }
    const { target, granted, denied, head, body } = received.message;
    let channel: Channel;
    try {
      channel = await this.#openInTime(target, socket);
    } catch (error) {
      this.log(error);
      socket.write(denied(denialOf(error, target.host)));
      return hangUp(socket);
    }
    await writeTo(socket, granted);
    if (socket.destroyed) return channel.close();
    relay(socket, channel, { traffic: this.traffic, body, head });
  }

  async #negotiate(socket: Socket) {
    using limit = this.#limit(new Error("the client said nothing"));
    return await negotiate(socket, "any", limit.signal);
  }

  /** Gives up after a time, since the client waits for an answer. */
  async #openInTime(
    target: TargetAddress,
    socket: Socket,
  ): Promise<Channel> {
    using limit = this.#limit(
      new I2ptunError(
        "forward",
        `${formatTarget(target)}: the server has not reached it within ${
          this.options.connectTimeoutMs / 1000
        } s`,
      ),
    );
    const opening = this.openChannel(target, socket);
    return await new Promise((resolve, reject) => {
      opening.then((channel) => {
        if (limit.signal.aborted) channel.close();
        else resolve(channel);
      }, reject);
      limit.signal.addEventListener("abort", () => reject(limit.signal.reason));
    });
  }

  #limit(reason: Error): TimeLimit {
    const { sleep, connectTimeoutMs } = this.options;
    return new TimeLimit(sleep, connectTimeoutMs, reason);
  }
}

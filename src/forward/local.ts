/**
 * A local forward (`ssh -L`): connections accepted here leave from the server.
 *
 * @module
 */

import type { Forward } from "./address.ts";
import { ListeningForward } from "./listening_forward.ts";
import { relay } from "./relay.ts";
import { problemOf } from "./running_forward.ts";
import type { Socket } from "./socket.ts";

export class LocalForward
  extends ListeningForward<Extract<Forward, { kind: "local" }>> {
  protected override async serve(socket: Socket): Promise<void> {
    const channel = await this.openChannel(this.forward.target, socket)
      .catch((error) => {
        this.problem = problemOf(error);
        throw error;
      });
    this.problem = undefined;
    if (socket.destroyed) return channel.close();
    relay(socket, channel, { traffic: this.traffic });
  }
}

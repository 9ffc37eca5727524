/**
 * A local forward (`ssh -L`): connections accepted here leave from the server.
 *
 * @module
 */

import type { Forward } from "./address.ts";
import { Client } from "./client.ts";
import { ListeningForward } from "./listening_forward.ts";
import { relay } from "./relay.ts";
import { problemOf } from "./running_forward.ts";

export class LocalForward
  extends ListeningForward<Extract<Forward, { kind: "local" }>, Client> {
  protected override accept(conn: Deno.Conn): Client {
    return new Client(conn);
  }

  protected override async serve(client: Client): Promise<void> {
    const opening = this.openChannel(this.forward.target, client);
    client.readAhead();
    const channel = await opening
      .catch((error) => {
        this.problem = problemOf(error);
        throw error;
      });
    this.problem = undefined;
    if (client.destroyed) return channel.close();
    relay(client, channel, { traffic: this.traffic });
  }
}

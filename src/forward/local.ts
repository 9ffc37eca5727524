/**
 * A local forward (`ssh -L`): connections accepted here leave from the server.
 *
 * @module
 */

import type { Connection } from "../ssh/connection.ts";
import type { Forward } from "./address.ts";
import { Client } from "./client.ts";
import { ListeningForward } from "./listening_forward.ts";
import { relay } from "./relay.ts";
import { type ForwardOptions, problemOf } from "./running_forward.ts";
import { SpareChannels } from "./spare_channels.ts";

type LocalForwardAddress = Extract<Forward, { kind: "local" }>;

/** Whom a channel is from whose client has not come. */
const NOBODY = { address: "127.0.0.1", port: 0 };

export class LocalForward
  extends ListeningForward<LocalForwardAddress, Client> {
  readonly #spares: SpareChannels;
  /** Clients that may still ask for something. */
  readonly #asking = new Set<Client>();
  #connection: Connection | undefined;

  constructor(forward: LocalForwardAddress, options: ForwardOptions) {
    super(forward, options);
    this.#spares = new SpareChannels({
      open: () => this.#connection?.openChannel(forward.target, NOBODY),
      roundTripMs: () => this.#connection?.roundTripMs ?? 0,
      now: () => performance.now(),
      sleep: options.sleep,
    });
  }

  override attach(connection: Connection): Promise<void> {
    this.#connection = connection;
    return super.attach(connection);
  }

  override async close(): Promise<void> {
    this.#spares.discard();
    await super.close();
  }

  protected override room(): Promise<void> | undefined {
    return this.#connection?.room(this.forward.target);
  }

  protected override accept(conn: Deno.Conn): Client {
    return new Client(conn);
  }

  protected override async serve(client: Client): Promise<void> {
    const onSaidAll = () => void this.#asking.delete(client);
    this.#asking.add(client);
    client.once("close", onSaidAll);
    const opening = this.#spares.take() ??
      this.openChannel(this.forward.target, client);
    client.readAhead().then((first) => {
      if (first) this.#spares.heard(first, this.#asking.size);
    });
    let channel;
    try {
      channel = await opening;
    } catch (error) {
      this.problem = problemOf(error);
      throw error;
    }
    this.problem = undefined;
    if (client.destroyed) return channel.close();
    relay(client, channel, { traffic: this.traffic, onSaidAll });
  }
}

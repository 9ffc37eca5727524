/**
 * A TCP relay in front of a server that can be made slow, silent, absent or
 * broken while connections run through it: a bad network in one object.
 *
 * @module
 */
import { Direction, type Timing } from "./relay_direction.ts";
import { execute } from "./scratch.ts";

/** What {@link startRelay} is told. */
export interface RelayOptions extends Partial<Timing> {
  /** The server behind it. */
  to: { host: string; port: number };
  /** How long each byte is under way, in each direction. Default 0. */
  delayMs?: number;
  /** Passes on at most so many bytes at a time. Default: as they come. */
  chunkBytes?: number;
}

/**
 * Starts a relay on 127.0.0.1. Who connects while the server is not there is
 * accepted and then reset, as by a load balancer.
 *
 * @example
 * ```ts
 * await using relay = startRelay({ to: sshd });
 * relay.stall(); // the server is there but says nothing any more
 * ```
 */
export function startRelay(options: RelayOptions): Relay {
  const relay = new Relay(options);
  relay.accept();
  return relay;
}

/** One connection through the relay. */
class Pair {
  /** Settles when it is over. */
  readonly done: Promise<void>;
  readonly #client: Deno.TcpConn;
  readonly #server: Deno.TcpConn;

  constructor(
    client: Deno.TcpConn,
    server: Deno.TcpConn,
    /** Towards the server, and back. */
    readonly directions: Direction[],
  ) {
    this.#client = client;
    this.#server = server;
    this.done = this.#run();
  }

  /** Closes both sides at once. */
  async end(how: "orderly" | "reset"): Promise<void> {
    if (how === "reset") {
      await reset(this.#client);
      await reset(this.#server);
    }
    for (const direction of this.directions) direction.stop();
    await this.done;
  }

  async #run(): Promise<void> {
    try {
      await Promise.all(this.directions.map((direction) => direction.run()));
    } catch {
      // One side was reset, so the other is to be, where that is possible.
      for (const direction of this.directions) direction.stop();
      await reset(this.#client).catch(() => {});
      await reset(this.#server).catch(() => {});
    }
    close(this.#client);
    close(this.#server);
  }
}

/** A relay made by {@link startRelay}; disposing of it ends its connections. */
export class Relay implements AsyncDisposable {
  readonly host = "127.0.0.1";
  /** Bytes passed on since it started; `sent` goes towards the server. */
  readonly bytes: { sent: number; received: number } = { sent: 0, received: 0 };
  /** How many connections it has accepted since it started. */
  accepted = 0;
  readonly #to: RelayOptions["to"];
  readonly #timing: Timing;
  readonly #pairs: Set<Pair> = new Set();
  #stalled = false;
  /** After so many bytes of the server's, who connects now hears no more. */
  #stallAfter = Infinity;
  #port = 0;
  #listener: Deno.TcpListener | undefined;
  #listening: Promise<void> | undefined;
  /** Connections whose other half is being made. */
  readonly #opening: Set<Promise<void>> = new Set();

  /** Use {@link startRelay}. */
  constructor({ to, delayMs = 0, chunkBytes = Infinity }: RelayOptions) {
    this.#to = to;
    this.#timing = { delayMs, chunkBytes };
  }

  /** Where it listens, for as long as it lives. */
  get port(): number {
    return this.#port;
  }

  /** How many connections are open now. */
  get connections(): number {
    return this.#pairs.size;
  }

  /** From now on every byte takes so long in each direction; order is kept. */
  delay(ms: number): void {
    this.#timing.delayMs = ms;
    this.#eachDirection((direction) => direction.delayMs = ms);
  }

  /** Keeps all connections, new ones too, but passes nothing on, not even their end. */
  stall(): void {
    this.#stalled = true;
    this.#eachDirection((direction) => direction.stall());
  }

  /**
   * Stalls who connects from now on after so many bytes of the server's, at
   * least 1; others stay as they are.
   */
  stallNewAfter(bytes: number): void {
    this.#stallAfter = bytes;
  }

  /** Passes on again, beginning with what was held back. */
  resume(): void {
    this.passNew();
    this.#eachDirection((direction) => direction.resume());
  }

  /** Passes on for whoever connects from now on; others stay as they are. */
  passNew(): void {
    this.#stalled = false;
    this.#stallAfter = Infinity;
  }

  /** Ends all connections in an orderly way, with FIN on both sides. */
  async cut(): Promise<void> {
    await this.#end("orderly");
  }

  /**
   * Resets (RST) all connections on both sides. Needs `tcp-reset` of
   * requirements.ts.
   */
  async reset(): Promise<void> {
    await this.#end("reset");
  }

  /** Stops listening: who connects now is refused. Connections stay. */
  async refuse(): Promise<void> {
    this.#listener?.close();
    this.#listener = undefined;
    await this.#listening;
  }

  /** Listens again, on the same port. */
  accept(): void {
    if (this.#listener) return;
    const listener = Deno.listen({ hostname: this.host, port: this.#port });
    this.#listener = listener;
    this.#port = listener.addr.port;
    this.#listening = this.#acceptAll(listener);
  }

  /** Stops listening and ends all connections. */
  async stop(): Promise<void> {
    await this.refuse();
    await this.cut();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #acceptAll(listener: Deno.TcpListener): Promise<void> {
    for await (const client of listener) {
      this.accepted++;
      const opened = this.#open(client);
      this.#opening.add(opened);
      opened.finally(() => this.#opening.delete(opened));
    }
  }

  async #open(client: Deno.TcpConn): Promise<void> {
    const { host: hostname, port } = this.#to;
    let server: Deno.TcpConn;
    try {
      server = await Deno.connect({ hostname, port });
    } catch {
      await reset(client).catch(() => {});
      close(client);
      return;
    }
    client.setNoDelay(true);
    server.setNoDelay(true);
    const { bytes } = this;
    const pair = new Pair(client, server, [
      new Direction(client, server, this.#timing, (n) => bytes.sent += n),
      new Direction(server, client, this.#timing, (n) => bytes.received += n),
    ]);
    if (this.#stalled) pair.directions.forEach((d) => d.stall());
    pair.directions[1]!.stallAfter(this.#stallAfter);
    this.#pairs.add(pair);
    pair.done.finally(() => this.#pairs.delete(pair));
  }

  #eachDirection(change: (direction: Direction) => void): void {
    for (const pair of this.#pairs) pair.directions.forEach(change);
  }

  async #end(how: "orderly" | "reset"): Promise<void> {
    await Promise.all(this.#opening);
    await Promise.all([...this.#pairs].map((pair) => pair.end(how)));
  }
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // Closed already.
  }
}

/**
 * Resets one end of a connection. Deno has no way to do it, but the system does
 * it if root asks (ss(8)).
 */
export async function reset(
  { localAddr, remoteAddr }: Pick<Deno.TcpConn, "localAddr" | "remoteAddr">,
): Promise<void> {
  const address = ({ hostname, port }: Deno.NetAddr) =>
    hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
  await execute("ss", [
    ...["--kill", "--no-header", "--tcp"],
    `src ${address(localAddr)} dst ${address(remoteAddr)}`,
  ]);
}

/**
 * An SSH server that only notes what it is asked for, for answers that sshd
 * does not give at will.
 *
 * @module
 */

import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { Forward } from "../../src/forward/address.ts";
import { createForward } from "../../src/forward/create.ts";
import type { ForwardOptions } from "../../src/forward/running_forward.ts";
import type { Connection } from "../../src/ssh/connection.ts";
import { generateKeyPair } from "../../src/ssh/key_pair.ts";
import { Server } from "../../src/ssh/ssh2_server.ts";
import { forwardOptions, logIn, portOf } from "./setup.ts";

/** RFC 4254 §7.2, as it came over the wire. */
export interface Asked {
  destIP: string;
  destPort: number;
  srcIP: string;
  srcPort: number;
}

/** The server's side of a channel, as far as tests need it. */
export interface ServerChannel {
  write(data: Uint8Array | string): boolean;
  on(event: string, listener: (data: Uint8Array) => void): this;
  resume(): this;
  /** EOF, then CLOSE. */
  end(): void;
  /** CLOSE alone. */
  close(): void;
}

export interface StubServer extends AsyncDisposable {
  /** Every direct-tcpip channel it was asked for. */
  asked: Asked[];
  connect(): Promise<Connection>;
}

export type AnswerChannel = (
  accept: () => ServerChannel,
  reject: () => void,
) => void;

/**
 * @param answer what it does about each channel it is asked for
 * @param isSilent whether it answers no other question
 */
export async function startStubServer(
  answer: AnswerChannel,
  isSilent = false,
): Promise<StubServer> {
  const asked: Asked[] = [];
  const connections: Connection[] = [];
  const { privateText } = await generateKeyPair("ed25519", "test", "");
  const server = new Server(
    { hostKeys: [privateText] },
    (client) => {
      client.on("error", () => {});
      client.on("authentication", (context) => context.accept());
      if (isSilent) silence(client);
      client.on("ready", () => {
        client.on("tcpip", (accept, reject, details) => {
          asked.push({ ...details });
          answer(accept as unknown as () => ServerChannel, reject);
        });
      });
    },
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    asked,
    connect: async () => {
      const connection = await logIn({
        host: "127.0.0.1",
        port,
        username: "anyone",
      });
      connections.push(connection);
      return connection;
    },
    [Symbol.asyncDispose]: async () => {
      for (const connection of connections) {
        connection.destroy();
        await connection.closed;
      }
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** ssh2 answers requests that it does not know, such as whether it is there. */
function silence(client: object): void {
  const { _protocol } = client as { _protocol: { requestFailure(): void } };
  _protocol.requestFailure = () => {};
}

/**
 * A forward that is open, over a stub server.
 *
 * @param answer what the server does about each channel it is asked for
 */
export async function startStubForward(
  forward: Forward,
  answer: AnswerChannel,
  { isSilent, ...options }: Partial<ForwardOptions> & { isSilent?: boolean } =
    {},
) {
  const server = await startStubServer(answer, isSilent);
  const log: string[] = [];
  /** The last one counts. */
  const connections = [await server.connect()];
  const running = createForward(forward, {
    ...forwardOptions(connections[0]!, log),
    connection: () => Promise.resolve(connections.at(-1)!),
    ...options,
  });
  await running.open();
  await running.attach(connections[0]!);
  const port = portOf(running);
  return {
    ...{ server, asked: server.asked, log, connections },
    traffic: running.traffic,
    close: () => running.close(),
    ...{ port, proxy: `127.0.0.1:${port}` },
    [Symbol.asyncDispose]: async () => {
      running.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

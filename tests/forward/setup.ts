/**
 * What tests of forwards begin with: a real server, a connection to it, a
 * forward over it, and programs at both ends.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { I2ptunError } from "../../src/errors.ts";
import type { Forward } from "../../src/forward/address.ts";
import { createForward } from "../../src/forward/create.ts";
import type {
  ForwardOptions,
  RunningForward,
} from "../../src/forward/running_forward.ts";
import { algorithmOffer } from "../../src/ssh/algorithms.ts";
import { Connection } from "../../src/ssh/connection.ts";
import { Client } from "../../src/ssh/ssh2.ts";
import { systemClock } from "../../src/tunnel/clock.ts";
import { execute, makeScratchDir, removeDir } from "../support/scratch.ts";
import { type Sshd, type SshdOptions, startSshd } from "../support/sshd.ts";

/** A server and a connection to it that is logged in. */
export interface Link extends AsyncDisposable {
  sshd: Sshd;
  connection: Connection;
  /** A folder of its own. */
  dir: string;
  /** What forwards have logged. */
  log: string[];
  /** Another connection to the same server. */
  connect(): Promise<Connection>;
  /** Opens a forward over the connection; it is closed with the link. */
  open(
    forward: Forward,
    options?: Partial<ForwardOptions>,
  ): Promise<RunningForward>;
}

/** @param via where to connect instead, such as a relay in front of the server */
export async function startLink(
  { sshd: settings = {}, server, via }: {
    sshd?: SshdOptions;
    /** One that runs already, instead. */
    server?: Sshd;
    via?: (sshd: Sshd) => { host: string; port: number };
  } = {},
): Promise<Link> {
  const stack = new AsyncDisposableStack();
  try {
    const dir = await makeScratchDir();
    stack.defer(() => removeDir(dir));
    const sshd = server ?? stack.use(await startSshd(settings));
    const key = `${dir}/key`;
    await execute("ssh-keygen", ["-qt", "ed25519", "-N", "", "-f", key]);
    await sshd.authorize(await Deno.readTextFile(`${key}.pub`));
    const privateKey = await Deno.readTextFile(key);
    const log: string[] = [];

    const connect = async () => {
      const { host, port } = via ? via(sshd) : sshd;
      const username = sshd.user;
      const connection = await logIn({ host, port, username, privateKey });
      stack.defer(async () => {
        connection.destroy();
        await connection.closed;
      });
      return connection;
    };
    const connection = await connect();
    const open: Link["open"] = async (forward, options = {}) => {
      const running = createForward(forward, {
        ...forwardOptions(connection, log),
        ...options,
      });
      stack.defer(() => running.close());
      await running.open();
      await running.attach(connection);
      return running;
    };
    return {
      ...{ sshd, connection, dir, log, open, connect },
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

/** What every forward needs. @param log where its messages go */
export function forwardOptions(
  connection: Connection,
  log: string[],
): ForwardOptions {
  return {
    connection: () => Promise.resolve(connection),
    connectTimeoutMs: 10_000,
    sleep: systemClock.sleep,
    portOwner: () => Promise.resolve(undefined),
    log: (_level, message) => log.push(message),
  };
}

/** How to log in is no matter here, so this leaves out src/ssh's way of it. */
export async function logIn(
  { host, port, ...login }: {
    host: string;
    port: number;
    username: string;
    privateKey?: string;
  },
): Promise<Connection> {
  const transport = connect({ host, port, noDelay: true });
  await once(transport, "connect");
  const client = new Client();
  const closed = new Promise<I2ptunError>((resolve) =>
    client.once("close", () => resolve(new I2ptunError("unreachable", "lost")))
  );
  client.on("error", () => {});
  const ready = once(client, "ready");
  client.connect({
    ...login,
    sock: transport,
    algorithms: algorithmOffer() as never,
  });
  await ready;
  return Connection.adopt(client, transport, closed);
}

/** The port that a forward listens on, here or on the server. */
export function portOf(forward: RunningForward): number {
  return Number(/:(\d+)$/.exec(forward.addresses[0] ?? "")?.[1]);
}

/** A program that listens; disposing of it ends its connections too. */
export interface Program extends AsyncDisposable {
  port: number;
  host: string;
  /** Every connection it has accepted. */
  sockets: Socket[];
  /** The `n`th connection, from 0, as soon as it is there. */
  accepted(n: number): Promise<Socket>;
}

/** @param at the path of a Unix socket, or a host */
export async function startProgram(
  serve: (socket: Socket) => void = () => {},
  at = "127.0.0.1",
): Promise<Program> {
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    sockets.push(socket);
    serve(socket);
    server.emit("accepted");
  });
  server.listen(at.startsWith("/") ? { path: at } : { host: at, port: 0 });
  await once(server, "listening");
  const address = server.address() as AddressInfo | string;
  return {
    host: at,
    port: typeof address === "string" ? 0 : address.port,
    sockets,
    accepted: async (n) => {
      while (sockets.length <= n) await once(server, "accepted");
      return sockets[n]!;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Answers with what it is sent, and ends when its client does. */
export function echo(socket: Socket): void {
  socket.pipe(socket);
}

/** Connects to a port (of 127.0.0.1) or a Unix socket, half-open allowed. */
export async function dialTo(
  where: number | string | { host: string; port: number },
): Promise<Socket> {
  const socket = connect({
    ...(typeof where === "string"
      ? { path: where }
      : typeof where === "number"
      ? { port: where, host: "127.0.0.1" }
      : where),
    allowHalfOpen: true,
  });
  socket.on("error", () => {});
  await Promise.race([once(socket, "connect"), once(socket, "close")]);
  assert.equal(socket.destroyed, false, `cannot connect to ${where}`);
  return socket;
}

/** All that a socket gives until it ends. @throws if it does not end orderly */
export async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  const ended = await new Promise<boolean>((resolve) => {
    socket.once("end", () => resolve(true));
    socket.once("close", () => resolve(false));
  });
  if (!ended) throw new Error(`broken after ${Buffer.concat(chunks).length}`);
  return Buffer.concat(chunks);
}

/** Reads until there are `length` bytes; what follows stays unread. */
export async function readExactly(
  socket: Socket,
  length: number,
): Promise<Buffer> {
  let bytes = Buffer.alloc(0);
  while (bytes.length < length) {
    const chunk: Buffer | null = socket.read();
    if (chunk) bytes = Buffer.concat([bytes, chunk]);
    else if (socket.readableEnded || socket.destroyed) break;
    else {
      await new Promise<void>((resolve) => {
        for (const event of ["readable", "end", "close"]) {
          socket.once(event, () => resolve());
        }
      });
    }
  }
  if (bytes.length > length) socket.unshift(bytes.subarray(length));
  return bytes.subarray(0, length);
}

/** Resolves when a socket is closed, with whether that was a failure. */
export function closed(socket: Socket): Promise<boolean> {
  socket.resume();
  return new Promise((resolve) =>
    socket.once("close", () => resolve(!socket.readableEnded)).once(
      "end",
      () => socket.end(),
    )
  );
}

/** Waits until something holds that no event tells. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!holds()) {
    assert(performance.now() < deadline, `waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export const random = (length: number): Buffer => randomBytes(length);

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Runs curl. @returns its output and exit code */
export async function curl(
  ...args: string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command("curl", {
    args: ["-sS", "--max-time", "10", ...args],
    // its own settings for proxies must not count
    clearEnv: true,
    env: { PATH: Deno.env.get("PATH") ?? "" },
  }).output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

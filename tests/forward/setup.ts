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
import { I2ptunError } from "../../src/errors.ts";
import type { Forward } from "../../src/forward/address.ts";
import { createForward } from "../../src/forward/create.ts";
import { Socket } from "../../src/forward/socket.ts";
import type {
  ForwardOptions,
  RunningForward,
} from "../../src/forward/running_forward.ts";
import { algorithmOffer } from "../../src/ssh/algorithms.ts";
import { Connection } from "../../src/ssh/connection.ts";
import { dial } from "../../src/ssh/dial.ts";
import { Channels } from "../../src/ssh/channels.ts";
import { Client } from "../../src/ssh/ssh2.ts";
import { systemClock } from "../../src/tunnel/clock.ts";
import { execute, makeScratchDir, removeDir } from "../support/scratch.ts";
import { testWith } from "../support/requirements.ts";
import { type Sshd, type SshdOptions, startSshd } from "../support/sshd.ts";

/**
 * {@link testWith} for what logs in within the test: ciphers count as open until
 * their end, which ssh2 never comes to, and so do writes to who does not read.
 */
export const testLink: typeof testWith = (requirements, name, fn) =>
  testWith(requirements, name, fn, {
    sanitizeOps: false,
    sanitizeResources: false,
  });

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
    via?: (sshd: Sshd) => Promise<{ host: string; port: number }>;
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
      const { host, port } = via ? await via(sshd) : sshd;
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
  const { signal } = new AbortController();
  const transport = await dial({ host, port, signal });
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
  const channels = new Channels(client, transport);
  await ready;
  return new Connection(client, channels, closed);
}

/** The port that a forward listens on, here or on the server. */
export function portOf(forward: RunningForward): number {
  return Number(/:(\d+)$/.exec(forward.addresses[0] ?? "")?.[1]);
}

/** A program that listens; disposing of it ends its connections too. */
export interface Program extends AsyncDisposable {
  /** 0 for a Unix socket. */
  port: number;
  /** The `n`th connection, from 0, as soon as it is there. */
  accepted(n: number): Promise<Socket>;
}

/** @param at the path of a Unix socket, or an address */
export function startProgram(
  serve: (socket: Socket) => void = () => {},
  at = "127.0.0.1",
): Program {
  const sockets: Socket[] = [];
  const isUnix = at.startsWith("/");
  const listener = isUnix
    ? Deno.listen({ transport: "unix", path: at })
    : Deno.listen({ hostname: at, port: 0 });
  let waiting = Promise.withResolvers<void>();
  const accepting = (async () => {
    for await (const conn of listener) {
      const socket = new Socket(conn);
      sockets.push(socket);
      serve(socket);
      waiting.resolve();
      waiting = Promise.withResolvers();
    }
  })();
  return {
    port: isUnix ? 0 : (listener.addr as Deno.NetAddr).port,
    accepted: async (n) => {
      while (sockets.length <= n) await waiting.promise;
      return sockets[n]!;
    },
    [Symbol.asyncDispose]: async () => {
      listener.close();
      await accepting;
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Answers with what it is sent, and ends when its client does. */
export function echo(socket: Socket): void {
  socket.pipe(socket);
}

/** Connects to a port (of 127.0.0.1) or a Unix socket. */
export async function dialTo(
  where: number | string | { hostname: string; port: number },
): Promise<Socket> {
  return new Socket(
    typeof where === "string"
      ? await Deno.connect({ transport: "unix", path: where })
      : typeof where === "number"
      ? await Deno.connect({ hostname: "127.0.0.1", port: where })
      : await Deno.connect(where),
  );
}

/** All that a socket gives until it ends. @throws if it does not end orderly */
export async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.resume();
  const ended = await new Promise<boolean>((resolve) => {
    socket.once("end", () => resolve(true));
    if (socket.closed) resolve(false);
    else socket.once("close", () => resolve(false));
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

/** Resolves when the other side has let go, be it orderly or not. */
export async function released(socket: Socket): Promise<void> {
  await readAll(socket).catch(() => {});
  socket.destroy();
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

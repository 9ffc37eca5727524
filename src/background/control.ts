/**
 * How other commands talk to a running profile: a Unix socket in a folder of
 * this user's only, on Windows a named pipe. One JSON request a connection, one
 * JSON answer.
 *
 * A named pipe stands in no folder, and Windows lets everybody see its name and
 * open it for reading. So each request carries a token from the profile's
 * record, which only this user can read.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { randomBytes, timingSafeEqual } from "node:crypto";
import { connect, createServer, type Server, type Socket } from "node:net";
import { basename, dirname, join } from "node:path";
import type { System } from "../platform/paths.ts";
import type { TunnelStatus } from "../tunnel/status.ts";

export type ControlRequest =
  | { command: "status" }
  /** Answered when the tunnel is up or has ended. */
  | { command: "wait" }
  /** Answered when everything is closed. */
  | { command: "stop" };

/** How to reach a running profile; whoever knows it may stop it. */
export interface ControlAddress {
  /** The socket's path, or the name of the pipe. */
  control: string;
  /** Every request must carry it. */
  token: string;
}

export interface ControlServer {
  address: ControlAddress;
  /** Takes no more requests; those that came are still answered. */
  stopListening(): Promise<void>;
  /** Resolves when the last answer is sent. */
  close(): Promise<void>;
}

/** Longest request; all there are fit many times. */
const MAX_REQUEST_BYTES = 1024;

/** How long a client may take to close the connection that it has its answer on. */
const CLOSE_MS = 1000;

/** Longest path of a Unix socket everywhere (macOS: 104 bytes with the NUL). */
const MAX_SOCKET_PATH_BYTES = 103;

/**
 * Where the control socket of a profile is. A folder whose path is too long for
 * a socket is stood in for by a private one for temporary files. A pipe's name
 * cannot be guessed, so that nobody else can have made one of that name before.
 */
async function controlAddress(
  folder: string,
  name: string,
  system: System,
): Promise<string> {
  if (system === "windows") {
    return `${PIPES}i2ptun-${crypto.randomUUID()}`;
  }
  const address = join(folder, `${name}.sock`);
  if (isShort(address)) return address;
  const temporary = await Deno.makeTempDir({ prefix: STAND_IN });
  const short = join(temporary, "control.sock");
  if (isShort(short)) return short;
  await Deno.remove(temporary);
  return join(
    await Deno.makeTempDir({ dir: "/tmp", prefix: STAND_IN }),
    "control.sock",
  );
}

const PIPES = "\\\\.\\pipe\\";

/** How the names of folders begin that stand in for one with a long path. */
const STAND_IN = "i2ptun-";

function isShort(path: string): boolean {
  return new TextEncoder().encode(path).length <= MAX_SOCKET_PATH_BYTES;
}

/** Removes a socket that nobody listens at any more. */
export async function removeControl(
  address: string,
  folder: string,
): Promise<void> {
  // a pipe goes with its process
  if (address.startsWith(PIPES)) return;
  await Deno.remove(address).catch(() => {});
  const parent = dirname(address);
  if (parent !== folder && basename(parent).startsWith(STAND_IN)) {
    await Deno.remove(parent).catch(() => {});
  }
}

/**
 * Opens the control socket. Only the holder of the profile's lock may call
 * this: a socket that is in the way is one that a killed process left.
 */
export async function openControl(
  options: {
    folder: string;
    name: string;
    system: System;
    answer: (request: ControlRequest) => Promise<TunnelStatus>;
  },
): Promise<ControlServer> {
  const { folder, name, system, answer } = options;
  const address = await controlAddress(folder, name, system);
  if (dirname(address) === folder) await removeControl(address, folder);
  const token = randomBytes(32).toString("base64url");
  const sockets = new Set<Socket>();
  const answering = new Set<Promise<void>>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    onRequest(socket, token, async (request) => {
      const answered = answer(request).then((status) => reply(socket, status));
      answering.add(answered);
      await answered;
      answering.delete(answered);
    });
  });
  await listening(server, address);
  if (system !== "windows") await Deno.chmod(address, 0o600);
  let closed: Promise<unknown> | undefined;
  const stopListening = async () => {
    closed ??= new Promise((resolve) => server.close(resolve));
    await removeControl(address, folder);
  };
  return {
    address: { control: address, token },
    stopListening,
    close: async () => {
      await stopListening();
      await Promise.all(answering);
      for (const socket of sockets) socket.destroySoon();
      await closed;
    },
  };
}

function listening(server: Server, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(address, () => {
      server.removeListener("error", reject);
      server.on("error", () => {});
      resolve();
    });
  });
}

/**
 * Answers, and leaves it to the client to close: a pipe that is closed while
 * the other side begins to read makes Deno there end with a panic
 * (https://github.com/tokio-rs/mio/issues/1819).
 */
function reply(socket: Socket, status: TunnelStatus): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) return resolve();
    const timer = setTimeout(() => socket.destroySoon(), CLOSE_MS);
    socket.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
    socket.write(JSON.stringify(status) + "\n");
  });
}

/** Calls back with the one request of a connection, if it is one. */
function onRequest(
  socket: Socket,
  token: string,
  handle: (request: ControlRequest) => void,
): void {
  let received = "";
  socket.setEncoding("utf8");
  socket.on("error", () => socket.destroy());
  socket.on("data", (text: string) => {
    received += text;
    if (received.length > MAX_REQUEST_BYTES) return socket.destroy();
    const end = received.indexOf("\n");
    if (end < 0) return;
    socket.removeAllListeners("data");
    const request = parse(received.slice(0, end), token);
    if (request === undefined) socket.destroy();
    else handle(request);
  });
}

/** The request on a line; undefined if it is none or the token is not ours. */
function parse(line: string, token: string): ControlRequest | undefined {
  try {
    const request = JSON.parse(line);
    return ["status", "wait", "stop"].includes(request?.command) &&
        isSame(request.token, token)
      ? { command: request.command }
      : undefined;
  } catch {
    return undefined;
  }
}

/** Compares in a time that does not tell where the two differ. */
function isSame(given: unknown, token: string): boolean {
  if (typeof given !== "string") return false;
  const [a, b] = [Buffer.from(given), Buffer.from(token)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/**
 * Asks a running profile.
 *
 * @param signal ends the wait for an answer; its reason is thrown
 * @returns its status; undefined if no process answers there
 */
export function askControl(
  { control, token }: ControlAddress,
  request: ControlRequest,
  signal?: AbortSignal,
): Promise<TunnelStatus | undefined> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    let received = "";
    const socket = connect(control);
    signal?.addEventListener("abort", () => {
      reject(signal.reason);
      socket.destroy();
    }, { once: true });
    socket.setEncoding("utf8");
    socket.on(
      "connect",
      () => socket.write(JSON.stringify({ ...request, token }) + "\n"),
    );
    socket.on("data", (text: string) => {
      received += text;
      if (received.endsWith("\n")) socket.destroy();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      try {
        resolve(JSON.parse(received));
      } catch {
        resolve(undefined);
      }
    });
  });
}

/**
 * How other commands talk to a running profile: a Unix socket in a folder of
 * this user's only, on Windows a named pipe. One JSON request a connection, one
 * JSON answer.
 *
 * @module
 */

import { createHash } from "node:crypto";
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

export interface ControlServer {
  /** What clients connect to. */
  address: string;
  /** Takes no more requests; those that came are still answered. */
  stopListening(): Promise<void>;
  /** Resolves when the last answer is sent. */
  close(): Promise<void>;
}

/** Longest request; all there are fit many times. */
const MAX_REQUEST_BYTES = 1024;

/** How long a client may take for its request, in milliseconds. */
const REQUEST_MS = 10_000;

/**
 * How many may wait to be let in; Deno 2.7 lets no more in than that at all,
 * and would be shut by some hundred that say nothing.
 */
const BACKLOG = 4096;

/** Longest path of a Unix socket everywhere (macOS: 104 bytes with the NUL). */
const MAX_SOCKET_PATH_BYTES = 103;

/**
 * Where the control socket of a profile is. A folder whose path is too long for
 * a socket is stood in for by a private one for temporary files.
 */
async function controlAddress(
  folder: string,
  name: string,
  system: System,
): Promise<string> {
  if (system === "windows") {
    const hash = createHash("sha256").update(folder).digest("hex").slice(0, 16);
    return `\\\\.\\pipe\\i2ptun-${hash}-${name}`;
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
  if (address.startsWith("\\\\.\\pipe\\")) return;
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
  const sockets = new Set<Socket>();
  const answering = new Set<Promise<void>>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    onRequest(socket, async (request) => {
      const answered = answer(request).then((status) => {
        if (!socket.destroyed) socket.end(JSON.stringify(status) + "\n");
      });
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
    address,
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
    server.listen({ path: address, backlog: BACKLOG }, () => {
      server.removeListener("error", reject);
      server.on("error", () => {});
      resolve();
    });
  });
}

/** Calls back with the one request of a connection, if it is one. */
function onRequest(
  socket: Socket,
  handle: (request: ControlRequest) => void,
): void {
  let received = "";
  const timer = setTimeout(() => socket.destroy(), REQUEST_MS);
  socket.once("close", () => clearTimeout(timer));
  socket.setEncoding("utf8");
  socket.on("error", () => socket.destroy());
  socket.on("data", (text: string) => {
    received += text;
    if (received.length > MAX_REQUEST_BYTES) return socket.destroy();
    const end = received.indexOf("\n");
    if (end < 0) return;
    clearTimeout(timer);
    socket.removeAllListeners("data");
    const request = parse(received.slice(0, end));
    if (request === undefined) socket.destroy();
    else handle(request);
  });
}

function parse(line: string): ControlRequest | undefined {
  try {
    const request = JSON.parse(line);
    return ["status", "wait", "stop"].includes(request?.command)
      ? request
      : undefined;
  } catch {
    return undefined;
  }
}

/** How soon a busy process is asked again, in milliseconds. */
const ASK_AGAIN_MS = 20;

/**
 * Asks a running profile.
 *
 * @param signal ends the wait for an answer; its reason is thrown
 * @returns its status; undefined if no process answers at `address`
 */
export async function askControl(
  address: string,
  request: ControlRequest,
  signal?: AbortSignal,
): Promise<TunnelStatus | undefined> {
  for (;;) {
    const answer = await askOnce(address, request, signal);
    if (answer !== "busy") return answer;
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
  }
}

/** @returns `busy` if too many others wait to be let in (EAGAIN, unix(7)) */
function askOnce(
  address: string,
  request: ControlRequest,
  signal: AbortSignal | undefined,
): Promise<TunnelStatus | undefined | "busy"> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    let received = "";
    let isBusy = false;
    const socket = connect(address);
    signal?.addEventListener("abort", () => {
      reject(signal.reason);
      socket.destroy();
    }, { once: true });
    socket.setEncoding("utf8");
    socket.on("connect", () => socket.write(JSON.stringify(request) + "\n"));
    socket.on("data", (text: string) => received += text);
    socket.on("error", (error: Error & { code?: string }) => {
      isBusy = error.code === "EAGAIN";
    });
    socket.on("close", () => {
      if (isBusy) return resolve("busy");
      try {
        resolve(JSON.parse(received));
      } catch {
        resolve(undefined);
      }
    });
  });
}

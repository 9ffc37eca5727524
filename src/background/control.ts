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
import type { Environment, System } from "../platform/paths.ts";
import { PIPES } from "../platform/permissions.ts";
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
    return `${PIPES}i2ptun-${hash}-${name}`;
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

/** Where control sockets are, of the profiles of a folder for records. */
export function controlFolders(
  folder: string,
  { system, variable }: Pick<Environment, "system" | "variable">,
): string[] {
  if (system === "windows") return [PIPES];
  if (isShort(join(folder, "x.sock"))) return [];
  return [variable("TMPDIR") ?? "/tmp", "/tmp"];
}

/** What {@link removeControl} removes. */
export function controlFiles(address: string, folder: string): string[] {
  const parent = dirname(address);
  return isStandIn(parent, folder) ? [address, parent] : [address];
}

function isStandIn(parent: string, folder: string): boolean {
  return parent !== folder && basename(parent).startsWith(STAND_IN);
}

/** Removes a socket that nobody listens at any more. */
export async function removeControl(
  address: string,
  folder: string,
): Promise<void> {
  // a pipe goes with its process
  if (address.startsWith(PIPES)) return;
  for (const path of controlFiles(address, folder)) {
    await Deno.remove(path).catch(() => {});
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
    server.listen(address, () => {
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
  socket.setEncoding("utf8");
  socket.on("error", () => socket.destroy());
  socket.on("data", (text: string) => {
    received += text;
    if (received.length > MAX_REQUEST_BYTES) return socket.destroy();
    const end = received.indexOf("\n");
    if (end < 0) return;
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

/**
 * Asks a running profile.
 *
 * @param signal ends the wait for an answer; its reason is thrown
 * @returns its status; undefined if no process answers at `address`
 */
export function askControl(
  address: string,
  request: ControlRequest,
  signal?: AbortSignal,
): Promise<TunnelStatus | undefined> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    let received = "";
    const socket = connect(address);
    signal?.addEventListener("abort", () => {
      reject(signal.reason);
      socket.destroy();
    }, { once: true });
    socket.setEncoding("utf8");
    socket.on("connect", () => socket.write(JSON.stringify(request) + "\n"));
    socket.on("data", (text: string) => received += text);
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

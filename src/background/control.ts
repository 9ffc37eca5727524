/**
 * How other commands talk to a running profile: a Unix socket in a folder of
 * this user's only, on Windows a named pipe. One JSON request a connection, one
 * JSON answer.
 *
 * A named pipe stands in no folder, and Windows lets everybody see its name and
 * open it for reading. So each request to one carries a token from the profile's
 * record, which only this user can read.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { randomBytes, timingSafeEqual } from "node:crypto";
import { connect } from "node:net";
import { dirname } from "node:path";
import type { Duplex } from "node:stream";
import type { System } from "../platform/paths.ts";
import type { TunnelStatus } from "../tunnel/status.ts";
import {
  controlAddress,
  isPipe,
  listenControl,
  removeControl,
} from "./control_socket.ts";

export type ControlRequest =
  | { command: "status" }
  /**
   * Answered when the tunnel is up, keeps trying to be, or has ended and closed
   * everything.
   */
  | { command: "wait" }
  /** Answered when everything is closed. */
  | { command: "stop" };

/** How to reach a running profile. */
export interface ControlAddress {
  /** The socket's path, or the name of the pipe. */
  control: string;
  /** Of a pipe: every request must carry it. */
  token?: string;
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

/** How long a client may take to say what it wants. */
const REQUEST_MS = 5000;

/** How long a client may take to close the connection that it has its answer on. */
const CLOSE_MS = 1000;

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
  const token = isPipe(address)
    ? randomBytes(32).toString("base64url")
    : undefined;
  const sockets = new Set<Duplex>();
  const answering = new Set<Promise<void>>();
  const close = await listenControl(address, (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    onRequest(socket, token, async (request) => {
      const answered = answer(request).then((status) => reply(socket, status));
      answering.add(answered);
      await answered;
      answering.delete(answered);
    });
  });
  let removed: Promise<void> | undefined;
  const stopListening = () => {
    if (!removed) close();
    // once, since the next process may listen at the same path by now
    return removed ??= removeControl(address, folder);
  };
  return {
    address: { control: address, ...(token === undefined ? {} : { token }) },
    stopListening,
    close: async () => {
      await stopListening();
      await Promise.all(answering);
      for (const socket of sockets) socket.destroy();
    },
  };
}

/**
 * Answers, and leaves it to the client to close: a pipe that is closed while
 * the other side begins to read makes Deno there end with a panic
 * (https://github.com/tokio-rs/mio/issues/1819).
 */
function reply(socket: Duplex, status: TunnelStatus): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) return resolve();
    const timer = setTimeout(() => socket.destroy(), CLOSE_MS);
    socket.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
    socket.write(JSON.stringify(status) + "\n");
  });
}

/** Calls back with the one request of a connection, if it is one. */
function onRequest(
  socket: Duplex,
  token: string | undefined,
  handle: (request: ControlRequest) => void,
): void {
  let received = "";
  let heard = false;
  const timer = setTimeout(() => socket.destroy(), REQUEST_MS);
  socket.once("close", () => clearTimeout(timer));
  socket.setEncoding("utf8");
  socket.on("error", () => socket.destroy());
  socket.on("end", () => socket.destroy());
  socket.on("data", (text: string) => {
    if (heard) return;
    received += text;
    if (received.length > MAX_REQUEST_BYTES) return socket.destroy();
    const end = received.indexOf("\n");
    if (end < 0) return;
    heard = true;
    clearTimeout(timer);
    const request = parse(received.slice(0, end), token);
    if (request === undefined) socket.destroy();
    else handle(request);
  });
}

/** The request on a line; undefined if it is none or lacks the token. */
function parse(
  line: string,
  token: string | undefined,
): ControlRequest | undefined {
  try {
    const request = JSON.parse(line);
    return ["status", "wait", "stop"].includes(request?.command) &&
        (token === undefined || isSame(request.token, token))
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
 * How often a pipe is tried, and how long between: for a moment after each
 * client there is none to connect to, and Deno does not tell that from no pipe.
 */
const PIPE_ATTEMPTS = 10;
const PIPE_PAUSE_MS = 30;

/** How soon a busy process is asked again, in milliseconds. */
const ASK_AGAIN_MS = 20;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Asks a running profile.
 *
 * @param signal ends the wait for an answer; its reason is thrown
 * @returns its status; undefined if no process answers there
 */
export async function askControl(
  address: ControlAddress,
  request: ControlRequest,
  signal?: AbortSignal,
): Promise<TunnelStatus | undefined> {
  let left = isPipe(address.control) ? PIPE_ATTEMPTS : 1;
  for (;;) {
    const answer = await askOnce(address, request, signal);
    if (answer === "busy") await pause(ASK_AGAIN_MS);
    else if (answer !== undefined || --left === 0) return answer;
    else await pause(PIPE_PAUSE_MS);
  }
}

/** @returns `busy` if too many others wait to be let in (EAGAIN, unix(7)) */
function askOnce(
  { control, token }: ControlAddress,
  request: ControlRequest,
  signal: AbortSignal | undefined,
): Promise<TunnelStatus | undefined | "busy"> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    let received = "";
    let isBusy = false;
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

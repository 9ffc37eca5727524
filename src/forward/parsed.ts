/**
 * Reading the messages with which a proxy's client says what it wants: parsers
 * over the bytes so far, and what feeds them.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";

/**
 * What the bytes so far amount to. A parser decides as soon as it can and stays
 * with it: more bytes never change what is not `incomplete`.
 */
export type Parsed<T> =
  | { state: "incomplete" }
  /** `length` bytes belong to the message, the rest follows it. */
  | { state: "complete"; message: T; length: number }
  | Malformed;

/** The bytes are no such message; `reply`, which may be empty, says so. */
export interface Malformed {
  state: "malformed";
  why: string;
  reply: Uint8Array;
}

/** A complete or malformed message, or a client that gave none. */
export type Received<T> =
  | { state: "complete"; message: T }
  | Malformed
  | { state: "gone" };

export const INCOMPLETE = { state: "incomplete" } as const;

export function malformed(why: string, reply: Uint8Array): Malformed {
  return { state: "malformed", why, reply };
}

/**
 * Reads one message off a paused stream, leaving it paused and what follows the
 * message unread.
 *
 * @param signal ends the wait, as if the client had gone
 */
export function receive<T>(
  stream: Duplex,
  parse: (bytes: Uint8Array) => Parsed<T>,
  signal: AbortSignal,
): Promise<Received<T>> {
  return new Promise((resolve) => {
    let bytes = Buffer.alloc(0);
    const settle = (received: Received<T>) => {
      stream.pause();
      stream.off("data", onData);
      for (const event of GONE) stream.off(event, onGone);
      signal.removeEventListener("abort", onGone);
      resolve(received);
    };
    const onData = (chunk: Uint8Array) => {
      bytes = Buffer.concat([bytes, chunk]);
      const parsed = parse(bytes);
      if (parsed.state === "incomplete") return;
      settle(parsed);
      if (parsed.state === "complete" && parsed.length < bytes.length) {
        stream.unshift(bytes.subarray(parsed.length));
      }
    };
    const onGone = () => settle({ state: "gone" });
    if (signal.aborted) return onGone();
    signal.addEventListener("abort", onGone, { once: true });
    for (const event of GONE) stream.on(event, onGone);
    stream.on("data", onData);
    stream.resume();
  });
}

const GONE = ["end", "error", "close"] as const;

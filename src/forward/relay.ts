/**
 * Bytes between a socket on this machine and a channel, both ways, each way
 * ending on its own.
 *
 * @module
 */

import { nextTick } from "node:process";
import { ByteQueue } from "../ssh/byte_queue.ts";
import type { Channel } from "../ssh/channel.ts";
import type { Body } from "./http_body.ts";
import { giveBackReadBuffer, takeReadBuffer } from "./read_buffer.ts";
import { LARGEST_READ, type Released, type Socket } from "./socket.ts";
import type { Traffic } from "./traffic.ts";

/**
 * How long a socket whose channel is closed may still be sending before it is
 * cut off: closing it at once would make its system discard the end of the
 * answer that is on its way to it (RFC 1122 §4.2.2.13).
 */
const LINGER_MS = 2000;

/** Ends a socket so that all that was written to it arrives. */
export function hangUp(socket: Socket): void {
  if (socket.destroyed) return;
  socket.resume();
  const linger = () => {
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once("close", () => clearTimeout(timer));
  };
  socket.end();
  if (socket.writableFinished) linger();
  else socket.once("finish", linger);
}

/** A connection of this machine. */
interface Releasable {
  release(): Released;
  once(event: "close", callBack: () => void): unknown;
  destroy(): unknown;
}

export interface RelayOptions {
  traffic: Traffic;
  /** What of the socket's bytes is passed on; undefined: all. */
  body?: Body | undefined;
  /** Goes to the server before anything else. */
  head?: Uint8Array;
  /** What was received over the channel, and consumed, before. */
  early?: Uint8Array;
  /** Called when the socket has said all it will say. */
  onSaidAll?: () => void;
}

/**
 * Relays until both directions have ended or either side has failed, and leaves
 * the socket destroyed.
 *
 * @param socket one that nobody reads and that has nothing left to write
 * @param channel one that nobody receives
 */
export function relay(
  socket: Releasable,
  channel: Channel,
  options: RelayOptions,
): void {
  new Relay(socket, channel, options).start();
}

class Relay {
  readonly #socket: Releasable;
  readonly #channel: Channel;
  readonly #traffic: Traffic["bytes"];
  readonly #body: Body | undefined;
  readonly #onSaidAll: (() => void) | undefined;
  readonly #conn: Deno.Conn;
  readonly #reading: Released["reading"];
  /** Goes to the server before what is read. */
  readonly #first: Uint8Array[] = [];
  /** What has come from the server and is not written yet. */
  readonly #queue = new ByteQueue();
  /** How much of the queue the channel counts as consumed. */
  #consumed: number;
  #isWriting = false;
  /** What the server has said about what comes: no more, or how it is over. */
  #incoming: "open" | "ended" | "closed" | "cut" = "open";
  #hasReadAll = false;
  #hasEndedSocket = false;
  #isOver = false;
  #lingering: ReturnType<typeof setTimeout> | undefined;

  constructor(
    socket: Releasable,
    channel: Channel,
    { traffic, body, head, early, onSaidAll }: RelayOptions,
  ) {
    const { conn, rest, reading } = socket.release();
    this.#socket = socket;
    this.#channel = channel;
    this.#traffic = traffic.bytes;
    this.#body = body;
    this.#onSaidAll = onSaidAll;
    this.#conn = conn;
    this.#reading = reading;
    if (head) this.#first.push(head);
    if (rest.length > 0) this.#first.push(this.#ours(rest));
    if (early) this.#queue.append(early);
    this.#consumed = this.#queue.length;
  }

  start(): void {
    this.#socket.once("close", () => this.#close());
    this.#channel.receive({
      data: (bytes) => {
        if (this.#isOver) return this.#channel.consumed(bytes.length);
        this.#queue.append(bytes);
        this.#write();
      },
      end: () => {
        this.#incoming = "ended";
        this.#write();
      },
      closed: (isCut) => {
        this.#incoming = isCut ? "cut" : "closed";
        this.#write();
      },
    });
    this.#write();
    this.#readAll().catch(() => this.#close());
  }

  /** From the socket to the server. */
  async #readAll(): Promise<void> {
    for (const bytes of this.#first) await this.#send(bytes);
    if (this.#reading) {
      const bytes = await this.#reading;
      if (bytes === null) return this.#endSending();
      const full = this.#send(this.#ours(bytes));
      if (full) await full;
      giveBackReadBuffer(new Uint8Array(bytes.buffer));
    }
    let buffer = takeReadBuffer();
    for (;;) {
      const length = await this.#conn.read(buffer);
      if (length === null) {
        giveBackReadBuffer(buffer);
        return this.#endSending();
      }
      const full = this.#send(this.#ours(buffer.subarray(0, length)));
      if (full) await full;
      if (length === buffer.length && length < LARGEST_READ) {
        buffer = new Uint8Array(2 * length);
      }
    }
  }

  #ours(bytes: Uint8Array): Uint8Array {
    return this.#body ? this.#body.take(bytes) : bytes;
  }

  /** @returns if not all can be sent at once: resolves when it is */
  #send(bytes: Uint8Array): Promise<void> | undefined {
    const rest = this.#sendSome(bytes);
    return rest.length > 0 ? this.#sendRest(rest) : undefined;
  }

  /** Waits until the server may be sent more; what it refuses is dropped. */
  async #sendRest(bytes: Uint8Array): Promise<void> {
    while (bytes.length > 0 && !this.#channel.isClosed) {
      await this.#channel.ready();
      bytes = this.#sendSome(bytes);
    }
  }

  /** @returns what could not be sent */
  #sendSome(bytes: Uint8Array): Uint8Array {
    const sent = this.#channel.send(bytes);
    this.#traffic.sent += sent;
    return bytes.subarray(sent);
  }

  #endSending(): void {
    this.#hasReadAll = true;
    this.#onSaidAll?.();
    this.#channel.sendEnd();
    if (this.#hasEndedSocket) this.#close();
  }

  /** From the server to the socket, with all that comes in the same turn. */
  #write(): void {
    if (this.#isWriting || this.#isOver) return;
    this.#isWriting = true;
    queueMicrotask(() => this.#writeAll().catch(() => this.#close()));
  }

  async #writeAll(): Promise<void> {
    while (this.#queue.length > 0) {
      const length = await this.#conn.write(this.#queue.peek());
      if (this.#isOver) return;
      this.#queue.consume(length);
      this.#traffic.received += length;
      const consumed = Math.min(length, this.#consumed);
      this.#consumed -= consumed;
      this.#channel.consumed(length - consumed);
    }
    this.#isWriting = false;
    if (this.#incoming === "cut") this.#close();
    else if (this.#incoming !== "open") await this.#endSocket();
  }

  async #endSocket(): Promise<void> {
    // RFC 4254 §5.3: who has sent and received an end closes the channel
    if (this.#hasReadAll) return this.#close();
    if (this.#incoming === "closed" && this.#lingering === undefined) {
      this.#lingering = setTimeout(() => this.#close(), LINGER_MS);
    }
    if (this.#hasEndedSocket) return;
    this.#hasEndedSocket = true;
    await this.#conn.closeWrite();
  }

  #close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#lingering);
    this.#queue.clear();
    this.#channel.close();
    // others of this turn wait for what they send
    nextTick(() => this.#socket.destroy());
  }
}

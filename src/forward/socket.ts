/**
 * A connection of this machine as a half-open stream.
 *
 * Not a `node:net` socket: with those, Deno (2.7.11 and 2.9.6) drops what is
 * still to be written when the other side ends its sending meanwhile. A slow
 * reader that half-closes would lose megabytes of its answer, and not notice.
 *
 * A `Deno.Conn` cannot be reset: closing it sends a FIN before anything else, so
 * that who reads at the other end sees an orderly end, also of what was cut off.
 *
 * @module
 */

import { Duplex } from "node:stream";
import { readRest } from "../ssh/channel_stream.ts";
import { FIRST_READ } from "./read_buffer.ts";

/** An address to listen at or connect to. */
export type SocketAddress = { host: string; port: number } | { path: string };

export interface Listening {
  /** 0 for a Unix socket. */
  port: number;
  /**
   * Resolves when the address is free: Deno keeps a listener until it has noticed
   * that nobody waits for a connection any more.
   */
  close(): Promise<void>;
}

/**
 * Takes a connection.
 *
 * @returns if there are enough for now: resolves when others may come, which
 *   wait until they are accepted
 */
export type OnConnection = (conn: Deno.Conn) => Promise<void> | void;

/** Connections that may wait to be accepted: a browser's burst, many times. */
const TCP_BACKLOG = 4096;

/** How long to wait when accept(2) fails, mostly for want of descriptors. */
const ACCEPT_AGAIN_MS = 100;

/**
 * Listens at one address.
 *
 * @throws {Error} with the system's `code`
 */
export function listenAt(
  at: SocketAddress,
  onConnection: OnConnection,
): Listening {
  const listener = "path" in at ? listenUnix(at.path) : Deno.listen({
    ...{ hostname: at.host, port: at.port },
    tcpBacklog: TCP_BACKLOG,
  });
  let open = true;
  let goOn: (() => void) | undefined;
  const accept = async () => {
    while (open) {
      try {
        const room = onConnection(await listener.accept());
        if (!room) continue;
        await new Promise<void>((resolve) => {
          goOn = resolve;
          room.then(resolve);
        });
      } catch {
        if (!open) return;
        await new Promise((resolve) => setTimeout(resolve, ACCEPT_AGAIN_MS));
      }
    }
  };
  const accepting = accept();
  const { addr } = listener;
  return {
    port: addr.transport === "tcp" ? addr.port : 0,
    close: () => {
      open = false;
      listener.close();
      goOn?.();
      return accepting;
    },
  };
}

/** At a socket that only this user can connect to, as StreamLocalBindMask has it. */
function listenUnix(path: string): Deno.UnixListener {
  const listener = Deno.listen({ transport: "unix", path });
  try {
    Deno.chmodSync(path, 0o600);
    return listener;
  } catch (error) {
    listener.close();
    throw error;
  }
}

/**
 * Connects to the first of the addresses that answers.
 *
 * @param addresses of IP; at least one
 * @throws {Error} the system's, about the last address
 */
export async function connectTcp(
  addresses: string[],
  port: number,
  signal: AbortSignal,
): Promise<Socket> {
  let failure: unknown;
  for (const hostname of addresses) {
    try {
      return new Socket(await Deno.connect({ hostname, port, signal }));
    } catch (error) {
      signal.throwIfAborted();
      failure = error;
    }
  }
  throw failure;
}

/** Connects to a Unix socket. @throws {Error} the system's */
export async function connectUnix(path: string): Promise<Socket> {
  return new Socket(await Deno.connect({ transport: "unix", path }));
}

/** Resolves when the bytes are written, or cannot be any more. */
export function writeTo(stream: Duplex, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => stream.write(bytes, () => resolve()));
}

/** What a read takes at most; more and more while reads come full; bytes. */
export const LARGEST_READ: number = 128 * 1024;

/** A bare connection, and what was read of it and by nobody else. */
export interface Released {
  conn: Deno.Conn;
  /** What has come first. */
  rest: Uint8Array;
  /** If a read is under way, what it brings; null for the end. */
  reading: Promise<Uint8Array<ArrayBuffer> | null> | undefined;
}

/** Who is at the other end; undefined for a Unix socket. */
export function peerOf(
  { remoteAddr }: Deno.Conn,
): { address: string; port: number } | undefined {
  return remoteAddr.transport === "tcp"
    ? { address: remoteAddr.hostname, port: remoteAddr.port }
    : undefined;
}

/** Turns Nagle's algorithm off, where there is TCP. */
export function sendAtOnce(conn: Deno.Conn): void {
  try {
    if ("setNoDelay" in conn) (conn as Deno.TcpConn).setNoDelay(true);
  } catch {
    // macOS: EINVAL if the other side has reset it, which reading will tell
  }
}

/** So much may wait in each direction before the other side has to, in bytes. */
const BUFFER_LIMIT = 64 * 1024;

/**
 * Unread until asked. How it failed, if it did, is in `errored` once it has
 * emitted `close`; an `error` that nobody listens to is no exception.
 */
export class Socket extends Duplex {
  readonly #conn: Deno.Conn;
  #buffer = new Uint8Array(FIRST_READ);
  #reading: Released["reading"];
  #isReleased = false;

  constructor(conn: Deno.Conn) {
    super({ highWaterMark: BUFFER_LIMIT });
    this.#conn = conn;
    this.on("error", () => {});
    sendAtOnce(conn);
  }

  /** Who is at the other end; undefined for a Unix socket. */
  get peer(): { address: string; port: number } | undefined {
    return peerOf(this.#conn);
  }

  /**
   * Ends the stream, which has nothing left to write, and gives the bare
   * connection. {@link destroy} still closes it, and `close` tells that.
   */
  release(): Released {
    this.#isReleased = true;
    const rest = readRest(this);
    const hasEnded = this.readableEnded ||
      (this as unknown as { _readableState: { ended: boolean } })._readableState
        .ended;
    const reading = hasEnded ? Promise.resolve(null) : this.#reading;
    return { conn: this.#conn, rest, reading };
  }

  override _read(): void {
    const reading = this.#conn.read(this.#buffer).then((length) => {
      if (length === null) return null;
      // a copy, or a byte that waits would hold on to the whole buffer
      const bytes = this.#buffer.slice(0, length);
      if (length === this.#buffer.length && length < LARGEST_READ) {
        this.#buffer = new Uint8Array(2 * length);
      }
      return bytes;
    });
    this.#reading = reading;
    reading.then((bytes) => {
      if (this.#isReleased) return;
      this.#reading = undefined;
      this.push(bytes);
    }, (error) => {
      if (!this.#isReleased) this.destroy(error);
    });
  }

  override _write(
    chunk: Uint8Array,
    _encoding: string,
    done: (error?: Error | null) => void,
  ): void {
    this.#writeAll(chunk).then(() => done(), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    // fails only if the connection has, which reading tells
    this.#conn.closeWrite().then(() => done(), () => done());
  }

  override _destroy(
    error: Error | null,
    done: (error?: Error | null) => void,
  ): void {
    try {
      this.#conn.close();
    } catch {
      // closed by its failure
    }
    done(error);
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      at += await this.#conn.write(at === 0 ? bytes : bytes.subarray(at));
    }
  }
}

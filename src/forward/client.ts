/**
 * A connection that a forward has accepted, without a stream around it: what its
 * client says goes straight to a channel.
 *
 * @module
 */

import { takeReadBuffer } from "./read_buffer.ts";
import { peerOf, type Released, sendAtOnce } from "./socket.ts";

export class Client {
  destroyed = false;
  readonly #conn: Deno.Conn;
  readonly #onClose: (() => void)[] = [];
  #reading: Released["reading"];

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  /** Who it is; undefined at a Unix socket. */
  get peer(): { address: string; port: number } | undefined {
    return peerOf(this.#conn);
  }

  /** Calls back when it is destroyed. */
  once(_event: "close", callBack: () => void): void {
    this.#onClose.push(callBack);
  }

  /**
   * Reads what it says first, to have it when there is a channel.
   *
   * @returns a view that may be looked at when it comes, and not later; null if
   *   it says nothing, or is gone
   */
  readAhead(): Promise<Uint8Array | null> {
    const buffer = takeReadBuffer();
    this.#reading = this.#conn.read(buffer).then((length) =>
      length === null ? null : buffer.subarray(0, length)
    );
    // who relays sees why
    return this.#reading.catch(() => null);
  }

  /** As {@link Socket.release}. */
  release(): Released {
    const conn = this.#conn;
    // nothing was written before, and asking for a channel comes first
    sendAtOnce(conn);
    return { conn, rest: NOTHING, reading: this.#reading };
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    try {
      this.#conn.close();
    } catch {
      // closed by its failure
    }
    for (const callBack of this.#onClose) callBack();
  }
}

const NOTHING = new Uint8Array();

/**
 * Keeps what channels send in step with the link.
 *
 * ssh2 passes a channel's data on as far as the channel's window allows, at
 * once and however slow the link is: 2 MiB a channel would pile up in front of
 * it, and whoever writes a single byte would wait behind all of them.
 *
 * @module
 */

import type { Duplex } from "node:stream";
import type { ClientChannel } from "./ssh2.ts";

/** So much may wait for the link before channels wait in turn, in bytes. */
const LINK_LIMIT = 256 * 1024;

/** So much may wait in one channel before it asks its writer to wait, in bytes. */
const CHANNEL_LIMIT = 256 * 1024;

type Done = (error?: Error | null) => void;

/** ssh2 and node:stream internals this relies on. */
interface WriteInternals {
  _write(chunk: unknown, encoding: unknown, done: Done): void;
  _writableState: { highWaterMark: number };
}

/** The channels of one connection, waiting for its link in turn. */
export class Backpressure {
  readonly #link: Duplex;
  readonly #waiting: Done[] = [];

  /** @param link what the connection runs over */
  constructor(link: Duplex) {
    this.#link = link;
    link.on("drain", () => {
      while (!this.#full) {
        const next = this.#waiting.shift();
        if (!next) return;
        next();
      }
    });
  }

  get #full(): boolean {
    return this.#link.writableLength >= LINK_LIMIT;
  }

  /** Makes a channel wait for the link. Call before anything is written to it. */
  apply(channel: ClientChannel): void {
    const internals = channel as unknown as WriteInternals;
    const write = internals._write;
    internals._write = (chunk, encoding, done) =>
      write.call(channel, chunk, encoding, (error) => {
        if (!error && this.#full) this.#waiting.push(done);
        else done(error);
      });
    internals._writableState.highWaterMark = CHANNEL_LIMIT;
  }
}

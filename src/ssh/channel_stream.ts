/**
 * A channel as a Node stream: for a connection through a jump host, and for
 * what is said before a relay begins.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import type { Channel } from "./channel.ts";

export class ChannelStream extends Duplex {
  readonly #channel: Channel;
  /** What has come since the stream last asked for more, in bytes. */
  #held = 0;
  #hasEnd = false;

  /** @param channel one that nobody receives yet */
  constructor(channel: Channel) {
    super();
    this.#channel = channel;
    this.on("error", () => {});
    channel.receive({
      data: (bytes) => {
        this.#held += bytes.length;
        this.push(Buffer.from(bytes));
      },
      end: () => this.#endReading(),
      closed: (isCut) => {
        if (isCut) {
          return void this.destroy(new Error("the connection was lost"));
        }
        if (this.readableEnded) return void this.destroy();
        this.once("end", () => this.destroy());
        this.#endReading();
      },
    });
  }

  /**
   * Ends the stream and gives back the channel, which nobody receives then, and
   * what has come and was not read; the channel counts that as consumed.
   */
  release(): { channel: Channel; rest: Uint8Array } {
    const rest = readRest(this);
    this.#channel.receive(undefined);
    this.#channel.consumed(this.#held);
    return { channel: this.#channel, rest };
  }

  override _read(): void {
    this.#channel.consumed(this.#held);
    this.#held = 0;
  }

  override _write(
    chunk: Uint8Array,
    _encoding: string,
    done: () => void,
  ): void {
    this.#sendAll(chunk).then(done);
  }

  override _final(done: () => void): void {
    this.#channel.sendEnd();
    done();
  }

  override _destroy(
    error: Error | null,
    done: (error?: Error | null) => void,
  ): void {
    this.#channel.close();
    done(error);
  }

  #endReading(): void {
    if (this.#hasEnd) return;
    this.#hasEnd = true;
    this.push(null);
  }

  /** What a closed channel does not take is dropped: there is still to read. */
  async #sendAll(chunk: Uint8Array): Promise<void> {
    let rest = chunk;
    while (!this.#channel.isClosed) {
      rest = rest.subarray(this.#channel.send(rest));
      if (rest.length === 0) return;
      await this.#channel.ready();
    }
  }
}

/** What a paused stream holds already. */
export function readRest(stream: Duplex): Uint8Array {
  const chunks: Buffer[] = [];
  // each call may give no more than one
  for (let chunk; (chunk = stream.read() as Buffer | null);) chunks.push(chunk);
  return Buffer.concat(chunks);
}

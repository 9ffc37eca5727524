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
      end: () => this.push(null),
      closed: (isCut) => {
        if (isCut) this.destroy(new Error("the connection was lost"));
        else {
          this.push(null);
          this.destroy();
        }
      },
    });
  }

  /**
   * Ends the stream and gives back the channel, which nobody receives then, and
   * what has come and was not read.
   */
  release(): { channel: Channel; rest: Uint8Array } {
    const rest = this.read() as Buffer | null;
    this.#channel.receive(undefined);
    this.#channel.consumed(this.#held);
    return { channel: this.#channel, rest: rest ?? new Uint8Array() };
  }

  override _read(): void {
    this.#channel.consumed(this.#held);
    this.#held = 0;
  }

  override _write(
    chunk: Uint8Array,
    _encoding: string,
    done: (error?: Error) => void,
  ): void {
    this.#sendAll(chunk).then(
      (isSent) => isSent ? done() : done(new Error("the channel is closed")),
    );
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

  async #sendAll(chunk: Uint8Array): Promise<boolean> {
    let rest = chunk;
    while (!this.#channel.isClosed) {
      rest = rest.subarray(this.#channel.send(rest));
      if (rest.length === 0) return true;
      await this.#channel.ready();
    }
    return false;
  }
}

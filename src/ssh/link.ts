/**
 * The TCP connection to a server as a stream, which is what ssh2 wants.
 *
 * Not a `node:net` socket: those read 64 KiB at a time into new memory and write
 * each piece by itself.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { nextTick } from "node:process";
import { Duplex } from "node:stream";
import { ByteQueue } from "./byte_queue.ts";
import type { PromptAck } from "./prompt_ack.ts";
import type { ReadCoalescing } from "./read_coalescing.ts";

/** A read takes as much at most, in bytes. */
const READ_BYTES = 512 * 1024;

export class Link extends Duplex {
  /**
   * Whether listeners to `data` need no Buffer, and are done with it when they
   * return.
   */
  copiesData = false;
  /** Called whenever some of what waits was written. */
  onWritten: (() => void) | undefined;
  /** Told what comes and goes. */
  promptAck: PromptAck | undefined;
  /** Told how much reads bring, and asked before each. */
  coalescing: ReadCoalescing | undefined;
  readonly #conn: Deno.TcpConn;
  readonly #buffer = new Uint8Array(READ_BYTES);
  readonly #queue = new ByteQueue();
  #writing = false;
  /** Whether writing begins at the end of the turn. */
  #isDue = false;
  #ending: (() => void) | undefined;

  constructor(conn: Deno.TcpConn) {
    // nobody answers a server that has ended
    super({ allowHalfOpen: false });
    this.#conn = conn;
    conn.setNoDelay(true);
  }

  /** This machine's address. */
  get localAddress(): string {
    return (this.#conn.localAddr as Deno.NetAddr).hostname;
  }

  /** The server's address. */
  get remoteAddress(): string {
    return (this.#conn.remoteAddr as Deno.NetAddr).hostname;
  }

  /** How many bytes wait to be written. */
  get queued(): number {
    return this.#queue.length;
  }

  /**
   * Sends a copy of `bytes`, at the end of the turn with all else sent in it: a
   * server that is woken twice takes longer.
   */
  send(bytes: Uint8Array): void {
    if (this.destroyed) return;
    this.promptAck?.sent();
    this.#queue.append(bytes);
    if (this.#writing) return;
    this.#writing = this.#isDue = true;
    nextTick(() => this.flush());
  }

  /** Sends at once what is to be sent at the end of the turn. */
  flush(): void {
    if (!this.#isDue) return;
    this.#isDue = false;
    this.#writeAll();
  }

  /** The server waits for no acknowledgements. */
  acknowledgeLess(): void {
    this.promptAck?.stop();
    this.promptAck = undefined;
  }

  override _read(): void {
    this.coalescing?.wait();
    this.#conn.read(this.#buffer).then(this.#onRead, this.#onFailure);
  }

  readonly #readOn = () => {
    if (!this.destroyed) this._read();
  };

  readonly #onFailure = (error: Error) => void this.destroy(error);

  readonly #onRead = (length: number | null) => {
    if (length === null) return void this.push(null);
    this.promptAck?.received();
    this.coalescing?.received(length);
    const bytes = this.#buffer.subarray(0, length);
    if (this.copiesData && this.readableFlowing && this.readableLength === 0) {
      // what push() does at last, after much that has to wake up, too
      this.emit("data", bytes);
      // what is sent because of it goes first
      nextTick(this.#readOn);
    } else this.push(Buffer.from(bytes));
  };

  override _write(
    chunk: Uint8Array,
    _encoding: string,
    done: () => void,
  ): void {
    // never waits, or what is sent past the stream would overtake it
    this.send(chunk);
    done();
  }

  override _final(done: () => void): void {
    this.#ending = done;
    if (!this.#writing) this.#end();
  }

  override _destroy(
    error: Error | null,
    done: (error?: Error | null) => void,
  ): void {
    this.#queue.clear();
    this.promptAck?.stop();
    try {
      this.#conn.close();
    } catch {
      // closed by its failure
    }
    done(error);
  }

  async #writeAll(): Promise<void> {
    try {
      while (this.#queue.length > 0) {
        const length = await this.#conn.write(this.#queue.peek());
        if (this.destroyed) return;
        this.#queue.consume(length);
        this.onWritten?.();
      }
      this.#writing = false;
      if (this.#ending) this.#end();
    } catch (error) {
      this.destroy(error as Error);
    }
  }

  #end(): void {
    const done = this.#ending!;
    // fails only if the connection has, which reading tells
    this.#conn.closeWrite().then(() => done(), () => done());
  }
}

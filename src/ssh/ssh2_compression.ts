/**
 * Compressed packets (RFC 4253 §6.2). ssh2 has them by way of what is inside
 * Node's zlib, which Deno 2.9 has otherwise; so its readers and writers are
 * replaced by these before anything else of it is loaded. What does the work is
 * loaded by {@link loadCompression}.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type * as Pako from "pako";
import zlib from "ssh2/lib/protocol/zlib.js";

const CHUNK_BYTES = 16 * 1024;

/** As OpenSSH's PACKET_MAX_SIZE: a small packet must not become a huge one. */
const MAX_PAYLOAD_BYTES = 256 * 1024;

/** zlib's own default, and OpenSSH's. */
const LEVEL = 6;

type Step = typeof Pako.zlibDeflate | typeof Pako.zlibInflate;

let pako: typeof Pako;

/** To be awaited before a connection that may compress is opened. */
export async function loadCompression(): Promise<void> {
  pako = await import("pako");
}

/** Takes all of `input`. @returns what comes of it, to its last byte */
function run(
  stream: Pako.ZStream,
  step: Step,
  input: Uint8Array,
  limit: number,
): Buffer {
  stream.input = input;
  stream.next_in = 0;
  stream.avail_in = input.length;
  const chunks: Uint8Array[] = [];
  let length = 0;
  do {
    stream.output = new Uint8Array(CHUNK_BYTES);
    stream.next_out = 0;
    stream.avail_out = CHUNK_BYTES;
    const status = step(stream, pako.Z_PARTIAL_FLUSH);
    // Z_BUF_ERROR: the last chunk was full and there is no more
    if (status !== pako.Z_OK && status !== pako.Z_BUF_ERROR) {
      throw new Error(`a compressed packet is damaged (zlib says ${status})`);
    }
    chunks.push(stream.output.subarray(0, stream.next_out));
    length += stream.next_out;
    if (length > limit) throw new Error("a compressed packet is too long");
  } while (stream.avail_out === 0);
  return Buffer.concat(chunks, length);
}

class CompressedReader {
  readonly #stream = new pako.ZStream();

  constructor() {
    pako.zlibInflateInit(this.#stream);
  }

  read(packet: Uint8Array): Buffer {
    return run(this.#stream, pako.zlibInflate, packet, MAX_PAYLOAD_BYTES);
  }

  cleanup(): void {}
}

interface Protocol {
  /** There while keys are exchanged: packets wait then, as they are. */
  _kexinit: unknown;
  /** `allocPacket` leaves 5 bytes for the lengths of packet and padding. */
  _cipher: { allocPacket(payloadBytes: number): Buffer };
}

class CompressedWriter {
  readonly allocStart = 0;
  readonly allocStartKEX = 0;
  readonly #protocol: Protocol;
  readonly #stream = new pako.ZStream();

  constructor(protocol: Protocol) {
    this.#protocol = protocol;
    pako.zlibDeflateInit(this.#stream, LEVEL);
  }

  alloc(payloadBytes: number): Buffer {
    return Buffer.allocUnsafe(payloadBytes);
  }

  finalize(payload: Buffer, force?: boolean): Buffer {
    if (this.#protocol._kexinit !== undefined && !force) return payload;
    const output = run(this.#stream, pako.zlibDeflate, payload, Infinity);
    const packet = this.#protocol._cipher.allocPacket(output.length);
    packet.set(output, 5);
    return packet;
  }

  cleanup(): void {}
}

Object.assign(zlib, {
  ZlibPacketReader: CompressedReader,
  ZlibPacketWriter: CompressedWriter,
});

/** Whether packets are compressed by this one of ssh2's packet reader or writer. */
export function isCompressed(side: object): boolean {
  return side instanceof CompressedReader || side instanceof CompressedWriter;
}

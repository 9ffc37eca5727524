/**
 * chacha20-poly1305@openssh.com (OpenSSH's PROTOCOL.chacha20poly1305): a packet
 * at a time, in place, in WebAssembly.
 *
 * @module
 */

import { LAYOUT, MODULE } from "./chacha20_poly1305_wasm.ts";

/** The most a packet may take, its length field and tag left out; in bytes. */
export const LARGEST_PACKET = 256 * 1024;

/** Of a packet's length field, which is encrypted by itself. */
export const LENGTH_BYTES = 4;

/** Of the Poly1305 tag that follows a packet. */
export const TAG_BYTES = 16;

interface Functions {
  memory: WebAssembly.Memory;
  start(nonce: number): void;
  mac(key: number, at: number, length: number): void;
  cipher(at: number, length: number): void;
}

let compiled: WebAssembly.Module | undefined;

/** Compiles the cipher, some milliseconds, if that was not done yet. */
export function compileCipher(): WebAssembly.Module {
  return compiled ??= new WebAssembly.Module(
    Uint8Array.from(atob(MODULE), (character) => character.charCodeAt(0)),
  );
}

/** "expand 32-byte k" (RFC 8439 §2.3). */
const CONSTANTS = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574];

/** How many blocks are computed at once. */
const BLOCKS = 8;

/** One direction of a connection. */
export class ChaCha20Poly1305 {
  /** A packet, from its length field on; {@link LARGEST_PACKET} long and more. */
  readonly packet: Uint8Array;
  readonly #functions: Functions;
  readonly #bytes: Uint8Array;

  /** @param key see {@link useKey} */
  constructor(key: Uint8Array) {
    this.#functions = new WebAssembly.Instance(compileCipher())
      .exports as unknown as Functions;
    this.#bytes = new Uint8Array(this.#functions.memory.buffer);
    this.packet = this.#bytes.subarray(LAYOUT.data);
    this.useKey(key);
  }

  /**
   * Takes the place of the key there was.
   *
   * @param key 64 bytes: the packets' key, then that of their lengths
   */
  useKey(key: Uint8Array): void {
    const words = new Uint32Array(this.#bytes.buffer);
    const view = new DataView(key.buffer, key.byteOffset, 64);
    for (let i = 0; i < 16; i++) {
      words[LAYOUT.keys / 4 + (i + 8) % 16] = view.getUint32(4 * i, true);
    }
    const initial = [
      ...CONSTANTS,
      ...Array.from({ length: 8 }, (_, i) => view.getUint32(4 * i, true)),
    ];
    initial.forEach((word, i) => {
      const at = LAYOUT.state / 4 + BLOCKS * i;
      words.fill(word, at, at + BLOCKS);
    });
  }

  /**
   * Begins a packet.
   *
   * @param number of the packet, from 0 up (RFC 4253 §6.4)
   */
  start(number: number): void {
    // a 64-bit nonce, big-endian, whose upper half is always 0
    this.#functions.start(
      (number << 24) | (number << 8 & 0xff0000) | (number >>> 8 & 0xff00) |
        number >>> 24,
    );
  }

  /** The length in the four encrypted bytes that are at `packet`. */
  length(): number {
    const { packet } = this;
    const key = LAYOUT.stream;
    const bytes = this.#bytes;
    return ((packet[0]! ^ bytes[key]!) << 24 |
      (packet[1]! ^ bytes[key + 1]!) << 16 |
      (packet[2]! ^ bytes[key + 2]!) << 8 |
      (packet[3]! ^ bytes[key + 3]!)) >>> 0;
  }

  /**
   * Checks the packet and decrypts it; its length field stays as it is.
   *
   * @param length of the packet, without its length field and tag
   * @returns false if it is not what was sent
   */
  open(length: number): boolean {
    this.#functions.mac(LAYOUT.macKey, LAYOUT.data, LENGTH_BYTES + length);
    const { packet } = this;
    const tagAt = LENGTH_BYTES + length;
    let difference = 0;
    for (let i = 0; i < TAG_BYTES; i++) {
      difference |= packet[tagAt + i]! ^ this.#bytes[LAYOUT.tag + i]!;
    }
    if (difference !== 0) return false;
    this.#functions.cipher(LAYOUT.data + LENGTH_BYTES, length);
    return true;
  }

  /**
   * Encrypts the packet with its length field, and appends the tag.
   *
   * @param length of the packet, without its length field
   */
  seal(length: number): void {
    const { packet } = this;
    for (let i = 0; i < LENGTH_BYTES; i++) {
      packet[i]! ^= this.#bytes[LAYOUT.stream + i]!;
    }
    this.#functions.cipher(LAYOUT.data + LENGTH_BYTES, length);
    this.#functions.mac(LAYOUT.macKey, LAYOUT.data, LENGTH_BYTES + length);
    packet.set(
      this.#bytes.subarray(LAYOUT.tag, LAYOUT.tag + TAG_BYTES),
      LENGTH_BYTES + length,
    );
  }
}

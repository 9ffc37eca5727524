/**
 * The packets of a connection with chacha20-poly1305 (RFC 4253 §6), in the
 * shape in which ssh2 wants a cipher: it hands over what came from the link and
 * what is to be sent, and both sides of its own ciphers are replaced by these.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import {
  CHANNEL_MESSAGE,
  DATA_HEADER_BYTES,
  setUint32At,
} from "./channel_messages.ts";
import {
  ChaCha20Poly1305,
  LARGEST_PACKET,
  LENGTH_BYTES,
  TAG_BYTES,
} from "./chacha20_poly1305.ts";

/** Of a packet, before its payload: the length of the padding. */
const PADDING_LENGTH_BYTES = 1;
const PAYLOAD_AT = LENGTH_BYTES + PADDING_LENGTH_BYTES;

/** chacha20-poly1305 pads to this, and with four bytes at least (RFC 4253 §6). */
const BLOCK_BYTES = 8;
const LEAST_PADDING = 4;

/** A handler of payloads: a number or false ends the decryption, see ssh2. */
export type OnPayload = (payload: Uint8Array) => number | false | undefined;

/**
 * Takes a payload, before ssh2 does: what is in `packet` `at` to `end`, which is
 * overwritten after the call.
 *
 * @returns false if it leaves it to ssh2
 */
export type TakePayload = (
  packet: Uint8Array,
  at: number,
  end: number,
) => boolean;

/** What came from the link, decrypted. */
export class PacketReader {
  /** The number of the next packet; ssh2 sets it to 0 for strict key exchange. */
  inSeqno: number;
  readonly #cipher: ChaCha20Poly1305;
  /** Takes payloads; ssh2 sets another one during a key exchange. */
  _onPayload: OnPayload;
  readonly #take: TakePayload;
  /** How much of the packet is in the cipher's memory. */
  #have = 0;
  /** Without its length field and tag; -1 while unknown. */
  #length = -1;

  constructor(
    key: Uint8Array,
    firstNumber: number,
    onPayload: OnPayload,
    take: TakePayload,
  ) {
    this.inSeqno = firstNumber;
    this.#cipher = new ChaCha20Poly1305(key);
    this._onPayload = onPayload;
    this.#take = take;
  }

  /**
   * Goes on behind SSH_MSG_NEWKEYS, after {@link free}. For a new reader, with a
   * module of its own, V8 would have to compile this code again.
   */
  rekey(key: Uint8Array, onPayload: OnPayload): void {
    this.#cipher.useKey(key);
    this._onPayload = onPayload;
  }

  /**
   * Takes bytes `at` to `end` of what the link has brought.
   *
   * @returns where it stopped, if the handler of a payload wanted it to
   * @throws {Error} if it is not what was sent
   */
  decrypt(bytes: Uint8Array, at: number, end: number): number | undefined {
    const { packet } = this.#cipher;
    while (at < end) {
      const whole = this.#length < 0
        ? LENGTH_BYTES
        : LENGTH_BYTES + this.#length + TAG_BYTES;
      const taken = Math.min(whole - this.#have, end - at);
      copy(bytes, at, taken, packet, this.#have);
      this.#have += taken;
      at += taken;
      if (this.#have < whole) return;
      if (this.#length < 0) {
        this.#cipher.start(this.inSeqno);
        this.#length = this.#cipher.length();
        if (
          this.#length > LARGEST_PACKET || this.#length < BLOCK_BYTES ||
          this.#length % BLOCK_BYTES !== 0
        ) throw new Error("Bad packet length");
        continue;
      }
      if (!this.#cipher.open(this.#length)) throw new Error("Invalid MAC");
      this.inSeqno = (this.inSeqno + 1) >>> 0;
      const stop = this.#deliver(this.#length);
      this.#have = 0;
      this.#length = -1;
      if (stop !== undefined) return stop === false ? at : stop;
    }
  }

  free(): void {}

  #deliver(length: number): number | false | undefined {
    const { packet } = this.#cipher;
    const end = LENGTH_BYTES + length - packet[LENGTH_BYTES]!;
    if (end < PAYLOAD_AT) throw new Error("Bad padding length");
    if (this.#take(packet, PAYLOAD_AT, end)) return;
    // ssh2 keeps parts of it
    return this._onPayload(Buffer.from(packet.subarray(PAYLOAD_AT, end)));
  }
}

/** What is to be sent, encrypted. */
export class PacketWriter {
  /** The number of the next packet; ssh2 sets it to 0 for strict key exchange. */
  outSeqno: number;
  readonly #cipher: ChaCha20Poly1305;
  readonly #send: (bytes: Uint8Array) => void;
  readonly #padding = new Uint8Array(4096);
  #paddingAt = this.#padding.length;
  #dead = false;

  /** @param send takes a packet as a view that is overwritten after the call */
  constructor(
    key: Uint8Array,
    firstNumber: number,
    send: (bytes: Uint8Array) => void,
  ) {
    this.outSeqno = firstNumber;
    this.#cipher = new ChaCha20Poly1305(key);
    this.#send = send;
  }

  /** Goes on behind SSH_MSG_NEWKEYS, as {@link PacketReader.rekey} does. */
  rekey(key: Uint8Array): void {
    this.#cipher.useKey(key);
    this.#dead = false;
  }

  /** A packet for ssh2 to put a payload of that length into, at byte 5. */
  allocPacket(payloadBytes: number): Buffer {
    const padding = paddingFor(payloadBytes);
    const length = PADDING_LENGTH_BYTES + payloadBytes + padding;
    const packet = Buffer.allocUnsafe(LENGTH_BYTES + length);
    packet.writeUInt32BE(length);
    packet[LENGTH_BYTES] = padding;
    this.#pad(packet, packet.length - padding, padding);
    return packet;
  }

  /** Sends a packet of {@link allocPacket}. */
  encrypt(packet: Uint8Array): void {
    if (this.#dead) return;
    this.#cipher.packet.set(packet);
    this.#seal(packet.length - LENGTH_BYTES);
  }

  /** Sends `data` on a channel (RFC 4254 §5.2); it fits into one packet. */
  sendData(channel: number, data: Uint8Array): void {
    const { packet } = this.#cipher;
    packet[PAYLOAD_AT] = CHANNEL_MESSAGE.DATA;
    setUint32At(packet, PAYLOAD_AT + 1, channel);
    setUint32At(packet, PAYLOAD_AT + 5, data.length);
    packet.set(data, PAYLOAD_AT + DATA_HEADER_BYTES);
    this.#sendPacket(DATA_HEADER_BYTES + data.length);
  }

  /** Sends a message about a channel, with a second number or without. */
  sendNumbers(type: number, channel: number, second?: number): void {
    const { packet } = this.#cipher;
    packet[PAYLOAD_AT] = type;
    setUint32At(packet, PAYLOAD_AT + 1, channel);
    if (second !== undefined) setUint32At(packet, PAYLOAD_AT + 5, second);
    this.#sendPacket(second === undefined ? 5 : 9);
  }

  /** Sends a message; it fits into one packet. */
  sendPayload(payload: Uint8Array): void {
    this.#cipher.packet.set(payload, PAYLOAD_AT);
    this.#sendPacket(payload.length);
  }

  free(): void {
    this.#dead = true;
  }

  /** Sends the payload that is in the packet. */
  #sendPacket(payloadBytes: number): void {
    if (this.#dead) return;
    const { packet } = this.#cipher;
    const padding = paddingFor(payloadBytes);
    const length = PADDING_LENGTH_BYTES + payloadBytes + padding;
    setUint32At(packet, 0, length);
    packet[LENGTH_BYTES] = padding;
    this.#pad(packet, PAYLOAD_AT + payloadBytes, padding);
    this.#seal(length);
  }

  #seal(length: number): void {
    this.#cipher.start(this.outSeqno);
    this.#cipher.seal(length);
    this.outSeqno = (this.outSeqno + 1) >>> 0;
    this.#send(
      this.#cipher.packet.subarray(0, LENGTH_BYTES + length + TAG_BYTES),
    );
  }

  /** Random bytes (RFC 4253 §6), made many at a time. */
  #pad(packet: Uint8Array, at: number, length: number): void {
    if (this.#paddingAt + length > this.#padding.length) {
      crypto.getRandomValues(this.#padding);
      this.#paddingAt = 0;
    }
    copy(this.#padding, this.#paddingAt, length, packet, at);
    this.#paddingAt += length;
  }
}

/** Up to so many bytes are copied sooner than a view of them is made. */
const FEW_BYTES = 128;

function copy(
  from: Uint8Array,
  at: number,
  length: number,
  to: Uint8Array,
  toAt: number,
): void {
  if (length > FEW_BYTES) to.set(from.subarray(at, at + length), toAt);
  else for (let i = 0; i < length; i++) to[toAt + i] = from[at + i]!;
}

function paddingFor(payloadBytes: number): number {
  const over = (PADDING_LENGTH_BYTES + payloadBytes) % BLOCK_BYTES;
  const padding = BLOCK_BYTES - over;
  return padding < LEAST_PADDING ? padding + BLOCK_BYTES : padding;
}

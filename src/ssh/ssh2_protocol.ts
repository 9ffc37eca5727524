/**
 * The parts of ssh2's protocol object that `ssh2_internals.ts` and
 * `ssh2_channels.ts` reach into, and nobody else.
 *
 * @module
 */

import type { Buffer } from "node:buffer";
import type { OnPayload, PacketReader, PacketWriter } from "./packets.ts";
import type { ParsedKey, SshClient } from "./ssh2.ts";

/** Told what to sign, and whom to give the signature. */
export type Sign = (data: Buffer, done: (signature: Buffer) => void) => void;

/** ssh2's `ChaChaPolyCipherNative`: 64 bytes of key, cut in two. */
export interface NativeCipher {
  outSeqno: number;
  encrypt(packet: Buffer): void;
  _encKeyMain?: Uint8Array;
  _encKeyPktLen?: Uint8Array;
}

/** ssh2's `ChaChaPolyDecipherNative`. */
export interface NativeDecipher {
  inSeqno: number;
  _decKeyMain?: Uint8Array;
  _decKeyPktLen?: Uint8Array;
  _onPayload: OnPayload;
}

/** What ssh2 does about messages from the server. */
interface Handlers {
  DEBUG?: (protocol: Protocol, display: boolean, message: string) => void;
  GLOBAL_REQUEST(
    protocol: Protocol,
    name: string,
    wantReply: boolean,
    data: unknown,
  ): void;
  SERVICE_ACCEPT(protocol: Protocol, name: string): void;
  USERAUTH_PK_OK(protocol: Protocol): void;
  USERAUTH_FAILURE(
    protocol: Protocol,
    methods: string[],
    partial: boolean,
  ): void;
  CHANNEL_OPEN(
    protocol: Protocol,
    info: {
      type: string;
      sender: number;
      window: number;
      packetSize: number;
      data: {
        destIP: string;
        destPort: number;
        srcIP: string;
        srcPort: number;
        socketPath: string;
      };
    },
  ): void;
  CHANNEL_OPEN_CONFIRMATION(
    protocol: Protocol,
    info: {
      recipient: number;
      sender: number;
      window: number;
      packetSize: number;
    },
  ): void;
  CHANNEL_OPEN_FAILURE(
    protocol: Protocol,
    channel: number,
    reason: number,
    description: string,
  ): void;
  CHANNEL_WINDOW_ADJUST(
    protocol: Protocol,
    channel: number,
    bytes: number,
  ): void;
  CHANNEL_DATA(protocol: Protocol, channel: number, data: Uint8Array): void;
  CHANNEL_EOF(protocol: Protocol, channel: number): void;
  CHANNEL_CLOSE(protocol: Protocol, channel: number): void;
  CHANNEL_REQUEST(
    protocol: Protocol,
    channel: number,
    type: string,
    wantReply: boolean,
    data: unknown,
  ): void;
}

/** ssh2's side of a connection. */
export interface Protocol {
  service(name: string): void;
  authPK(user: string, key: ParsedKey, algorithm?: string, sign?: Sign): void;
  /** What the server has not answered yet. */
  _authsQueue: string[];
  _kex: { sessionID: Buffer };
  _packetRW: {
    read: object;
    write: {
      allocStart: number;
      alloc(payloadBytes: number): Buffer;
      finalize(packet: Buffer): Buffer;
    };
  };
  ping(): void;
  _handlers: Handlers;
  /** Peculiarities of the server, bit by bit. */
  _compatFlags: number;
  _cipher: NativeCipher | PacketWriter;
  _decipher: NativeDecipher | PacketReader;
  /** Set during a key exchange, when ssh2 queues what is sent. */
  _kexinit: unknown;
  channelOpenConfirm(
    to: number,
    id: number,
    window: number,
    packetBytes: number,
  ): void;
  channelOpenFail(to: number, reason: number, description: string): void;
  channelWindowAdjust(to: number, bytes: number): void;
  channelData(to: number, data: Buffer): void;
  channelEOF(to: number): void;
  channelClose(to: number): void;
  channelFailure(to: number): void;
  directTcpip(
    id: number,
    window: number,
    packetBytes: number,
    where: { dstIP: string; dstPort: number; srcIP: string; srcPort: number },
  ): void;
  openssh_directStreamLocal(
    id: number,
    window: number,
    packetBytes: number,
    where: { socketPath: string },
  ): void;
}

/** @param client one whose `connect` has been called */
export function protocolOf(client: SshClient): Protocol {
  return (client as unknown as { _protocol: Protocol })._protocol;
}

/**
 * Channels of our own beside ssh2's, in the same connection.
 *
 * `tests/ssh/ssh2_internals_test.ts` sees whether it still fits ssh2.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { TargetAddress } from "../forward/address.ts";
import { LARGEST_PACKET } from "./chacha20_poly1305.ts";
import type { Peer } from "./channel.ts";
import {
  CHANNEL_MESSAGE,
  encodeOpen,
  type Handlers,
  takeMessage,
} from "./channel_messages.ts";
import { PacketReader, PacketWriter, type TakePayload } from "./packets.ts";
import type { SshClient } from "./ssh2.ts";
import { isCompressed } from "./ssh2_compression.ts";
import {
  type NativeCipher,
  type NativeDecipher,
  type Protocol,
  protocolOf,
} from "./ssh2_protocol.ts";

/** A channel that the server opens. */
export interface ChannelOpen {
  peer: Peer;
  /** The listener it came in at: `host:port`, or the path of a Unix socket. */
  listener: string;
  from: { address: string; port: number };
}

/** Messages about channels of ours, by our numbers from 0 up. */
export interface ChannelMessages extends Handlers {
  openFailed(id: number, reason: number, description: string): void;
  incoming(open: ChannelOpen): void;
  /** One that wants an answer, whatever it is. */
  request(id: number): void;
}

/** Our channels' numbers on the wire begin here, ssh2's own with 0. */
const FIRST_ID = 1 << 24;

/**
 * What ssh2's ciphers take: RFC 4253 §6.1's 35,000 bytes a packet.
 */
const SSH2_PACKET_BYTES = 32 * 1024;

/** Before the data in a packet, and the most padding after it. */
const PACKET_OVERHEAD = 64;

/**
 * Channels of our own beside ssh2's, in the same connection. With
 * chacha20-poly1305 what they say bypasses ssh2, and their data comes in larger
 * packets.
 */
export class ChannelProtocol {
  readonly #protocol: Protocol;

  /** @param client one whose `connect` has been called */
  constructor(
    client: SshClient,
    link: PacketLink,
    messages: ChannelMessages,
  ) {
    const protocol = protocolOf(client);
    this.#protocol = protocol;
    const handlers = protocol._handlers;
    const own = <Args extends unknown[]>(
      ssh2s: (protocol: Protocol, id: number, ...args: Args) => void,
      ours: (id: number, ...args: Args) => void,
    ) =>
    (p: Protocol, id: number, ...args: Args) => {
      if (id >= FIRST_ID) ours(id - FIRST_ID, ...args);
      else ssh2s(p, id, ...args);
    };
    handlers.CHANNEL_DATA = own(handlers.CHANNEL_DATA, messages.data);
    handlers.CHANNEL_EOF = own(handlers.CHANNEL_EOF, messages.eof);
    handlers.CHANNEL_CLOSE = own(handlers.CHANNEL_CLOSE, messages.close);
    handlers.CHANNEL_WINDOW_ADJUST = own(
      handlers.CHANNEL_WINDOW_ADJUST,
      messages.windowAdjust,
    );
    handlers.CHANNEL_OPEN_FAILURE = own(
      handlers.CHANNEL_OPEN_FAILURE,
      messages.openFailed,
    );
    const { CHANNEL_OPEN_CONFIRMATION: confirmed, CHANNEL_OPEN: opened } =
      handlers;
    handlers.CHANNEL_OPEN_CONFIRMATION = (p, info) => {
      const { recipient, sender: id, window, packetSize: packetBytes } = info;
      if (recipient < FIRST_ID) return confirmed(p, info);
      messages.opened(recipient - FIRST_ID, { id, window, packetBytes });
    };
    handlers.CHANNEL_OPEN = (p, info) => {
      const { type, data, sender: id, window, packetSize: packetBytes } = info;
      const peer = { id, window, packetBytes };
      if (type === "forwarded-tcpip") {
        messages.incoming({
          peer,
          listener: `${data.destIP}:${data.destPort}`,
          from: { address: data.srcIP, port: data.srcPort },
        });
      } else if (type === "forwarded-streamlocal@openssh.com") {
        messages.incoming({
          peer,
          listener: data.socketPath,
          from: { address: "", port: 0 },
        });
      } else opened(p, info);
    };
    handlers.CHANNEL_REQUEST = own(
      handlers.CHANNEL_REQUEST,
      // sshd's ClientAliveInterval asks so whether we are there
      (id, _type, wantReply) => wantReply && messages.request(id),
    );
    usePackets(
      protocol,
      link,
      (packet, at, end) =>
        !isCompressed(protocol._packetRW.read) &&
        takeMessage(messages, FIRST_ID, packet, at, end),
    );
  }

  /** Asks the server to connect to `target`. */
  open(
    id: number,
    window: number,
    target: TargetAddress,
    from: { address: string; port: number },
  ): void {
    const number = FIRST_ID + id;
    const packetBytes = this.#packetBytes;
    if (target.kind === "unix") {
      this.#protocol.openssh_directStreamLocal(number, window, packetBytes, {
        socketPath: target.path,
      });
      return;
    }
    const writer = this.#writer;
    if (writer) {
      writer.sendPayload(
        encodeOpen({ id: number, window, packetBytes }, target, from),
      );
    } else {
      this.#protocol.directTcpip(number, window, packetBytes, {
        dstIP: target.host,
        dstPort: target.port,
        srcIP: from.address,
        srcPort: from.port,
      });
    }
  }

  confirm(to: number, id: number, window: number): void {
    this.#protocol.channelOpenConfirm(
      to,
      FIRST_ID + id,
      window,
      this.#packetBytes,
    );
  }

  refuse(to: number, reason: number): void {
    this.#protocol.channelOpenFail(to, reason, "");
  }

  /** Whether data must wait; the client emits `handshake` when it need not. */
  get isExchangingKeys(): boolean {
    return this.#protocol._kexinit !== undefined;
  }

  data(to: number, bytes: Uint8Array): void {
    const writer = this.#writer;
    if (writer) writer.sendData(to, bytes);
    else this.#protocol.channelData(to, Buffer.from(bytes));
  }

  windowAdjust(to: number, bytes: number): void {
    const writer = this.#writer;
    if (writer) writer.sendNumbers(CHANNEL_MESSAGE.WINDOW_ADJUST, to, bytes);
    else this.#protocol.channelWindowAdjust(to, bytes);
  }

  eof(to: number): void {
    const writer = this.#writer;
    if (writer) writer.sendNumbers(CHANNEL_MESSAGE.EOF, to);
    else this.#protocol.channelEOF(to);
  }

  close(to: number): void {
    const writer = this.#writer;
    if (writer) writer.sendNumbers(CHANNEL_MESSAGE.CLOSE, to);
    else this.#protocol.channelClose(to);
  }

  requestFailed(to: number): void {
    this.#protocol.channelFailure(to);
  }

  /** What sends past ssh2, if that may be now: it queues while keys change. */
  get #writer(): PacketWriter | undefined {
    const { _cipher, _packetRW, _kexinit } = this.#protocol;
    return _cipher instanceof PacketWriter && _kexinit === undefined &&
        !isCompressed(_packetRW.write)
      ? _cipher
      : undefined;
  }

  /** The most the server may put into one packet. */
  get #packetBytes(): number {
    const { _decipher, _packetRW } = this.#protocol;
    // compressing can make a packet longer
    return _decipher instanceof PacketReader && !isCompressed(_packetRW.read)
      ? LARGEST_PACKET - PACKET_OVERHEAD
      : SSH2_PACKET_BYTES;
  }
}

/** What a connection's packets go over. */
export interface PacketLink {
  /** Takes a view that is overwritten after the call. */
  send(bytes: Uint8Array): void;
  /**
   * Whether listeners to its data need no Buffer, and are done with it when they
   * return.
   */
  copiesData: boolean;
}

/**
 * Replaces ssh2's chacha20-poly1305, now and after every key exchange, by
 * {@link PacketReader} and {@link PacketWriter}.
 */
function usePackets(
  protocol: Protocol,
  link: PacketLink,
  take: TakePayload,
): void {
  let writer: PacketWriter | undefined;
  replace(protocol, "_cipher", (cipher) => {
    const { _encKeyMain: main, _encKeyPktLen: length } = cipher as NativeCipher;
    if (!main || !length) {
      // it would not know how many packets there are meanwhile
      writer = undefined;
      return cipher;
    }
    const key = keyOf(main, length);
    writer?.rekey(key);
    return writer ??= new PacketWriter(
      key,
      cipher.outSeqno,
      (bytes) => link.send(bytes),
    );
  });
  let reader: PacketReader | undefined;
  replace(protocol, "_decipher", (decipher) => {
    const { _decKeyMain: main, _decKeyPktLen: length, _onPayload } =
      decipher as NativeDecipher;
    link.copiesData = main !== undefined;
    if (!main || !length) {
      reader = undefined;
      return decipher;
    }
    const key = keyOf(main, length);
    reader?.rekey(key, _onPayload);
    return reader ??= new PacketReader(
      key,
      decipher.inSeqno,
      _onPayload,
      take,
    );
  });
}

function keyOf(main: Uint8Array, length: Uint8Array): Uint8Array {
  const key = new Uint8Array(64);
  key.set(main);
  key.set(length, 32);
  return key;
}

/** Has each value that is set from now on go through `through`. */
function replace<K extends "_cipher" | "_decipher">(
  protocol: Protocol,
  name: K,
  through: (value: Protocol[K]) => Protocol[K],
): void {
  let value = protocol[name];
  Object.defineProperty(protocol, name, {
    get: () => value,
    set: (next: Protocol[K]) => value = next && through(next),
  });
}

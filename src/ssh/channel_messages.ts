/**
 * Messages about channels as they are on the wire (RFC 4254 §5), those that each
 * forwarded connection takes: for ssh2 every one is an object, a parser's state
 * and some buffers.
 *
 * @module
 */

import type { Peer } from "./channel.ts";

/** RFC 4254 §9. */
export const CHANNEL_MESSAGE = {
  OPEN: 90,
  OPEN_CONFIRMATION: 91,
  WINDOW_ADJUST: 93,
  DATA: 94,
  EOF: 96,
  CLOSE: 97,
} as const;

/** Before the data in SSH_MSG_CHANNEL_DATA: type, recipient and length. */
export const DATA_HEADER_BYTES = 9;

/** Told what messages say, by the number of the channel. */
export interface Handlers {
  opened(id: number, peer: Peer): void;
  /** `bytes` are overwritten after the call. */
  data(id: number, bytes: Uint8Array): void;
  windowAdjust(id: number, bytes: number): void;
  eof(id: number): void;
  close(id: number): void;
}

/**
 * Takes a message: what is in `bytes` `at` to `end`.
 *
 * @param firstId channels with lower numbers are not of `handlers`
 * @returns false if it is about no channel of theirs, or none of these, or too
 *   short
 */
export function takeMessage(
  handlers: Handlers,
  firstId: number,
  bytes: Uint8Array,
  at: number,
  end: number,
): boolean {
  if (end - at < 5) return false;
  const id = uint32At(bytes, at + 1) - firstId;
  if (id < 0) return false;
  switch (bytes[at]) {
    case CHANNEL_MESSAGE.DATA: {
      const dataAt = at + DATA_HEADER_BYTES;
      const dataEnd = dataAt + uint32At(bytes, at + 5);
      if (dataEnd > end) return false;
      handlers.data(id, bytes.subarray(dataAt, dataEnd));
      return true;
    }
    case CHANNEL_MESSAGE.WINDOW_ADJUST:
      if (end - at < 9) return false;
      handlers.windowAdjust(id, uint32At(bytes, at + 5));
      return true;
    case CHANNEL_MESSAGE.EOF:
      handlers.eof(id);
      return true;
    case CHANNEL_MESSAGE.CLOSE:
      handlers.close(id);
      return true;
    case CHANNEL_MESSAGE.OPEN_CONFIRMATION:
      if (end - at < 17) return false;
      handlers.opened(id, {
        id: uint32At(bytes, at + 5),
        window: uint32At(bytes, at + 9),
        packetBytes: uint32At(bytes, at + 13),
      });
      return true;
    default:
      return false;
  }
}

const encoder = new TextEncoder();
const DIRECT_TCPIP = encoder.encode("direct-tcpip");

/**
 * SSH_MSG_CHANNEL_OPEN of `direct-tcpip` (RFC 4254 §7.2).
 *
 * Not by `encodeWire` of `key_wire.ts`: its many small buffers take 4 to 9 µs,
 * up to a twentieth of opening a connection.
 */
export function encodeOpen(
  { id, window, packetBytes }: Peer,
  target: { host: string; port: number },
  from: { address: string; port: number },
): Uint8Array {
  const host = encoder.encode(target.host);
  const address = encoder.encode(from.address);
  const bytes = new Uint8Array(
    1 + 4 + DIRECT_TCPIP.length + 12 + 8 + host.length + 8 + address.length,
  );
  let at = 1;
  const number = (value: number) => {
    setUint32At(bytes, at, value);
    at += 4;
  };
  const string = (value: Uint8Array) => {
    number(value.length);
    bytes.set(value, at);
    at += value.length;
  };
  bytes[0] = CHANNEL_MESSAGE.OPEN;
  string(DIRECT_TCPIP);
  number(id);
  number(window);
  number(packetBytes);
  string(host);
  number(target.port);
  string(address);
  number(from.port);
  return bytes;
}

export function uint32At(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 |
    bytes[at + 3]!) >>> 0;
}

export function setUint32At(
  bytes: Uint8Array,
  at: number,
  value: number,
): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

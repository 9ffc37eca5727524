/**
 * What ssh2 knows but has no public way to tell or to set. Everything that
 * reaches into it is here, and `tests/ssh/ssh2_internals_test.ts` sees whether
 * it still fits.
 *
 * @module
 */

import {
  type OnChannelData,
  type OnPayload,
  PacketReader,
  PacketWriter,
} from "./packets.ts";
import type { SshClient } from "./ssh2.ts";

/** ssh2's `ChaChaPolyCipherNative`: 64 bytes of key, cut in two. */
interface NativeCipher {
  outSeqno: number;
  _encKeyMain?: Uint8Array;
  _encKeyPktLen?: Uint8Array;
}

/** ssh2's `ChaChaPolyDecipherNative`. */
interface NativeDecipher {
  inSeqno: number;
  _decKeyMain?: Uint8Array;
  _decKeyPktLen?: Uint8Array;
  _onPayload: OnPayload;
}

interface Handlers {
  USERAUTH_FAILURE(
    protocol: Protocol,
    methods: string[],
    partial: boolean,
  ): void;
}

interface Protocol {
  _handlers: Handlers;
  /** Peculiarities of the server, bit by bit. */
  _compatFlags: number;
  _cipher: NativeCipher | PacketWriter;
  _decipher: NativeDecipher | PacketReader;
}

/** Makes ssh2 sign with RSA keys as if the server had asked for SHA-2. */
const IMPLY_RSA_SHA2_SIGALGS = 1 << 4;

function protocolOf(client: SshClient): Protocol {
  return (client as unknown as { _protocol: Protocol })._protocol;
}

/**
 * Calls `listener` whenever the server refuses an attempt or wants another one
 * too (RFC 4252 §5.1), before ssh2 acts on it. ssh2 itself keeps the answer to
 * itself after keys that it took from an agent.
 *
 * @param client one whose `connect` has been called
 */
export function onUserauthFailure(
  client: SshClient,
  listener: (methods: string[], partial: boolean) => void,
): void {
  const handlers = protocolOf(client)._handlers;
  const original = handlers.USERAUTH_FAILURE;
  handlers.USERAUTH_FAILURE = (protocol, methods, partial) => {
    listener(methods, partial);
    original(protocol, methods, partial);
  };
}

/**
 * Has RSA keys sign with SHA-2 (RFC 8332) even if the server does not say that
 * it can: ssh2 would use SHA-1.
 *
 * @param client one that has just shaken hands
 */
export function signWithSha2Only(client: SshClient): void {
  protocolOf(client)._compatFlags |= IMPLY_RSA_SHA2_SIGALGS;
}

/**
 * Replaces ssh2's chacha20-poly1305, now and after every key exchange, by
 * {@link PacketReader} and {@link PacketWriter}.
 *
 * @param client one whose `connect` has been called
 * @param send takes a packet for the link
 */
export function usePackets(
  client: SshClient,
  send: (bytes: Uint8Array) => void,
  onChannelData: OnChannelData,
): void {
  const protocol = protocolOf(client);
  replace(protocol, "_cipher", (cipher) => {
    const { _encKeyMain: main, _encKeyPktLen: length } = cipher as NativeCipher;
    return main && length
      ? new PacketWriter(keyOf(main, length), cipher.outSeqno, send)
      : cipher;
  });
  replace(protocol, "_decipher", (decipher) => {
    const { _decKeyMain: main, _decKeyPktLen: length, _onPayload } =
      decipher as NativeDecipher;
    return main && length
      ? new PacketReader(
        keyOf(main, length),
        decipher.inSeqno,
        _onPayload,
        onChannelData,
      )
      : decipher;
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

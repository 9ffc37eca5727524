/**
 * What a server says before anything is encrypted: its version (RFC 4253 §4.2)
 * and the algorithms it offers (§7.1).
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { WireReader } from "./key_wire.ts";
import { protocolName } from "./protocol_name.ts";

/** Names of algorithms, in the server's order. */
export interface ServerOffer {
  kex: string[];
  serverHostKey: string[];
  cipher: string[];
  hmac: string[];
}

/** What has been heard of the server so far. */
export interface Greeting {
  /** Its first line, if it said anything. */
  said: string | undefined;
  /** What it looks like instead, if it is no SSH server. */
  protocol: string | undefined;
  /** Such as `OpenSSH_9.2p1 Debian-2`. */
  software: string | undefined;
  offer: ServerOffer | undefined;
}

/** RFC 4253 §6.1: what packets an implementation must be able to take. */
const MAX_BYTES = 64 * 1024;
const SSH_MSG_KEXINIT = 20;

/**
 * Listens to a transport that nothing has been read from yet, beside whoever
 * else does, until it has heard the greeting.
 *
 * @returns filled in as it is heard
 */
export function overhearGreeting(transport: Duplex): Greeting {
  const greeting = readGreeting(new Uint8Array());
  let heard = Buffer.alloc(0);
  const listen = (chunk: Uint8Array) => {
    heard = Buffer.concat([heard, chunk]);
    Object.assign(greeting, readGreeting(heard));
    if (greeting.offer || heard.length > MAX_BYTES) {
      transport.off("data", listen);
    }
  };
  transport.on("data", listen);
  return greeting;
}

/** Reads what a server has sent so far. */
export function readGreeting(bytes: Uint8Array): Greeting {
  const text = Buffer.from(bytes).toString("latin1");
  const said = bytes.length === 0
    ? undefined
    : printable(/^[^\r\n]*/.exec(text)![0]);
  const match = /(?:^|\n)SSH-[\d.]+-([^\r\n]*)\r?\n/.exec(text);
  if (!match) {
    const protocol = protocolName(text);
    return { said, protocol, software: undefined, offer: undefined };
  }
  const packet = bytes.subarray(match.index + match[0].length);
  const heard = { said, protocol: undefined, software: printable(match[1]!) };
  try {
    return { ...heard, offer: readKexInit(packet) };
  } catch {
    // not all of it is here yet, or it is none
    return { ...heard, offer: undefined };
  }
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?").slice(0, 80);
}

function readKexInit(packet: Uint8Array): ServerOffer | undefined {
  const reader = new WireReader(new WireReader(packet).string());
  reader.raw(1); // length of the padding
  if (reader.raw(1)[0] !== SSH_MSG_KEXINIT) return undefined;
  reader.raw(16); // cookie
  const names = () => reader.text().split(",").filter(Boolean);
  const kex = names();
  const serverHostKey = names();
  const cipher = names();
  names(); // from server to client; the same wherever it was seen
  return { kex, serverHostKey, cipher, hmac: names() };
}

/** Whether the server has strict key exchange, against the Terrapin attack. */
export function isStrict(offer: ServerOffer): boolean {
  return offer.kex.includes("kex-strict-s-v00@openssh.com");
}

/**
 * SOCKS as a server: versions 4 and 4a (the memos "SOCKS: A protocol for TCP
 * proxy across firewalls" and "SOCKS 4A"), and 5 (RFC 1928) without
 * authentication. CONNECT only.
 *
 * @module
 */

import type { Denial } from "./denial.ts";
import { INCOMPLETE, malformed, type Parsed } from "./parsed.ts";
import { proxyHost } from "./proxy_host.ts";

export interface SocksRequest {
  host: string;
  port: number;
}

const CONNECT = 1;

/** SOCKS 4 has one code for "granted" and one for everything else. */
const SOCKS4_GRANTED = 0x5a;
const SOCKS4_REJECTED = 0x5b;

/** So long may the user's name of SOCKS 4 be, and the host's of 4a, in bytes. */
const SOCKS4_TEXT_LIMIT = 255;

function socks4Reply(code: number): Uint8Array {
  return Uint8Array.of(0, code, 0, 0, 0, 0, 0, 0);
}

export const socks4Granted: Uint8Array = socks4Reply(SOCKS4_GRANTED);
export const socks4Rejected: Uint8Array = socks4Reply(SOCKS4_REJECTED);

/** Reads a request of version 4 or 4a. */
export function parseSocks4(bytes: Uint8Array): Parsed<SocksRequest> {
  const wrong = (why: string) => malformed(why, socks4Rejected);
  const [version, command, high, low, a, b, c, d] = bytes;
  if (version !== undefined && version !== 4) return wrong("no SOCKS 4");
  if (command !== undefined && command !== CONNECT) {
    return wrong("SOCKS 4: only CONNECT is supported");
  }
  if (d === undefined) return INCOMPLETE;
  const port = high! << 8 | low!;
  if (port === 0) return wrong("SOCKS 4: port 0");

  const user = textUntilNul(bytes, 8);
  if (user === "too long") return wrong("SOCKS 4: the user's name is too long");
  if (user === undefined) return INCOMPLETE;
  // 4a: the impossible address 0.0.0.x, x not 0, means that a name follows
  const isNamed = a === 0 && b === 0 && c === 0 && d !== 0;
  if (!isNamed) {
    return complete({ host: `${a}.${b}.${c}.${d}`, port }, user.end);
  }
  const name = textUntilNul(bytes, user.end);
  if (name === "too long") return wrong("SOCKS 4a: the name is too long");
  if (name === undefined) return INCOMPLETE;
  const host = proxyHost(name.text);
  if (host === undefined) return wrong("SOCKS 4a: that is no name of a host");
  return complete({ host, port }, name.end);
}

function textUntilNul(
  bytes: Uint8Array,
  start: number,
): { text: string; end: number } | "too long" | undefined {
  const nul = bytes.indexOf(0, start);
  const length = (nul < 0 ? bytes.length : nul) - start;
  if (length > SOCKS4_TEXT_LIMIT) return "too long";
  if (nul < 0) return undefined;
  const text = new TextDecoder().decode(bytes.subarray(start, nul));
  return { text, end: nul + 1 };
}

/** RFC 1928 §6. */
const SOCKS5_CODES: Record<Denial["kind"], number> = {
  "failed": 1,
  "forbidden": 2,
  "no-network": 3,
  "no-host": 4,
  "refused": 5,
  "timed-out": 6,
};
const SOCKS5_COMMAND_NOT_SUPPORTED = 7;
const SOCKS5_ADDRESS_TYPE_NOT_SUPPORTED = 8;

/** RFC 1928 §3: no authentication required, and no acceptable methods. */
const NO_AUTHENTICATION = 0;
const NO_METHOD = 0xff;

/** What a client is told that has greeted well: go on, without a password. */
export const socks5Welcome: Uint8Array = Uint8Array.of(5, NO_AUTHENTICATION);
export const socks5Granted: Uint8Array = socks5Reply(0);

export function socks5Denied(denial: Denial): Uint8Array {
  return socks5Reply(SOCKS5_CODES[denial.kind]);
}

/** The address bound on the server is not known: 0.0.0.0:0, as ssh(1) says too. */
function socks5Reply(code: number): Uint8Array {
  return Uint8Array.of(5, code, 0, 1, 0, 0, 0, 0, 0, 0);
}

/** Reads the greeting of version 5, RFC 1928 §3. */
export function parseSocks5Greeting(bytes: Uint8Array): Parsed<null> {
  const [version, count] = bytes;
  const wrong = (why: string) => malformed(why, Uint8Array.of(5, NO_METHOD));
  if (version !== undefined && version !== 5) return wrong("no SOCKS 5");
  if (count === undefined || bytes.length < 2 + count) return INCOMPLETE;
  return bytes.subarray(2, 2 + count).includes(NO_AUTHENTICATION)
    ? complete(null, 2 + count)
    : wrong("SOCKS 5: the client insists on a password");
}

/** Reads the request of version 5, RFC 1928 §4, which follows the greeting. */
export function parseSocks5Request(bytes: Uint8Array): Parsed<SocksRequest> {
  const wrong = (why: string, code = SOCKS5_CODES.failed) =>
    malformed(`SOCKS 5: ${why}`, socks5Reply(code));
  const [version, command, _reserved, type, nameLength] = bytes;
  if (version !== undefined && version !== 5) return wrong("no request");
  if (command !== undefined && command !== CONNECT) {
    return wrong("only CONNECT is supported", SOCKS5_COMMAND_NOT_SUPPORTED);
  }
  if (type === undefined) return INCOMPLETE;
  const isName = type === 3;
  if (!isName && type !== 1 && type !== 4) {
    return wrong("unknown address type", SOCKS5_ADDRESS_TYPE_NOT_SUPPORTED);
  }
  if (isName && nameLength === undefined) return INCOMPLETE;
  const start = isName ? 5 : 4;
  const length = isName ? nameLength! : type === 1 ? 4 : 16;
  const end = start + length;
  const [high, low] = bytes.subarray(end);
  if (low === undefined) return INCOMPLETE;
  const port = high! << 8 | low;
  if (port === 0) return wrong("port 0");
  const address = bytes.subarray(start, end);
  const host = isName
    ? proxyHost(new TextDecoder().decode(address))
    : type === 1
    ? address.join(".")
    : formatIPv6(address);
  return host === undefined
    ? wrong("that is no name of a host")
    : complete({ host, port }, end + 2);
}

function formatIPv6(bytes: Uint8Array): string {
  const groups = Array.from(
    { length: 8 },
    (_, i) => (bytes[2 * i]! << 8 | bytes[2 * i + 1]!).toString(16),
  );
  // the shortest form, RFC 5952
  return new URL(`http://[${groups.join(":")}]/`).hostname.slice(1, -1);
}

function complete<T>(message: T, length: number): Parsed<T> {
  return { state: "complete", message, length };
}

/**
 * An HTTP/1.1 proxy's side of one request (RFC 9110, RFC 9112): `CONNECT`, and
 * requests for `http://` pages, rewritten for the server of the page. Each
 * connection is one request.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Denial } from "./denial.ts";
import type { BodyLength } from "./http_body.ts";
import { INCOMPLETE, malformed, type Parsed } from "./parsed.ts";
import { proxyHost } from "./proxy_host.ts";

export interface HttpRequest {
  host: string;
  port: number;
  /**
   * Undefined for CONNECT; else what the page's server is sent: `head` and then
   * as much as `bodyLength` says, but nothing after it.
   */
  forward?: { head: Uint8Array; bodyLength: BodyLength };
}

/** The longest request line and headers together, in bytes. */
export const HEAD_LIMIT = 64 * 1024;

/**
 * Headers between a client and its proxy only (RFC 9110 §7.6.1 and what clients
 * send in practice), besides those that Connection names.
 */
const HOP_BY_HOP = new Set([
  "connection",
  "keep-alive",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "upgrade",
  // named anew from the request's target, RFC 9112 §3.2.2
  "host",
]);

const REASONS: Record<number, string> = {
  400: "Bad Request",
  405: "Method Not Allowed",
  431: "Request Header Fields Too Large",
  502: "Bad Gateway",
  504: "Gateway Timeout",
};

export const connectGranted: Uint8Array = Buffer.from(
  "HTTP/1.1 200 Connection established\r\n\r\n",
);

/** The response when the target cannot be had. */
export function httpDenied(denial: Denial): Uint8Array {
  return response(denial.kind === "timed-out" ? 504 : 502, denial.message);
}

function response(status: number, why: string, header = ""): Uint8Array {
  const body = Buffer.from(`i2ptun: ${why}\n`);
  return Buffer.concat([
    Buffer.from(
      `HTTP/1.1 ${status} ${REASONS[status]}\r\n` +
        "Content-Type: text/plain; charset=utf-8\r\n" +
        `Content-Length: ${body.length}\r\n${header}Connection: close\r\n\r\n`,
    ),
    body,
  ]);
}

/** Reads the head of a request: everything up to the empty line. */
export function parseHttpRequest(bytes: Uint8Array): Parsed<HttpRequest> {
  const end = endOfHead(bytes);
  if (end === undefined || end > HEAD_LIMIT) {
    return bytes.length > HEAD_LIMIT
      ? malformed("HTTP: head too long", response(431, "the head is too long"))
      : INCOMPLETE;
  }
  // one byte a character, so that any bytes in values come out as they were
  const text = Buffer.from(bytes.subarray(0, end)).toString("latin1");
  const lines = text.split(/\r?\n/).slice(0, -2);
  try {
    const message = readHead(lines[0] ?? "", lines.slice(1));
    return { state: "complete", message, length: end };
  } catch (error) {
    if (error instanceof BadRequest) return error.malformed;
    throw error;
  }
}

/** After CRLF CRLF, or LF LF (RFC 9112 §2.2). */
function endOfHead(bytes: Uint8Array): number | undefined {
  for (let at = 0;;) {
    const feed = bytes.indexOf(10, at);
    if (feed < 0) return undefined;
    if (bytes[feed + 1] === 10) return feed + 2;
    if (bytes[feed + 1] === 13 && bytes[feed + 2] === 10) return feed + 3;
    at = feed + 1;
  }
}

class BadRequest extends Error {
  readonly malformed;

  constructor(why: string, status = 400, header = "") {
    super(why);
    this.malformed = malformed(`HTTP: ${why}`, response(status, why, header));
  }
}

function readHead(requestLine: string, headerLines: string[]): HttpRequest {
  const [, method, target, version] =
    /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\x7e\x80-\xff]+) (HTTP\/1\.[01])$/
      .exec(requestLine) ?? bad("that is no HTTP/1.1 request");
  const headers = headerLines.map(readHeader);
  if (method === "CONNECT") return readAuthority(target!, undefined);

  const [, scheme, authority, rest] =
    /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*)([^#]*)/.exec(target!) ??
      bad("this is a proxy: set it up as one, instead of opening it as a page");
  if (scheme!.toLowerCase() !== "http") {
    bad(`use CONNECT for ${scheme}`, 405, "Allow: CONNECT\r\n");
  }
  const { host, port } = readAuthority(authority!, 80);
  const bodyLength = readBodyLength(headers);
  const path = rest === "" && method === "OPTIONS"
    ? "*" // RFC 9112 §3.2.4
    : rest!.startsWith("/")
    ? rest
    : `/${rest}`;
  const head = [
    `${method} ${path} ${version}`,
    `Host: ${authority}`,
    ...endToEnd(headers).map(({ name, value }) => `${name}: ${value}`),
    "Connection: close",
    "\r\n",
  ].join("\r\n");
  return {
    host,
    port,
    forward: { head: Buffer.from(head, "latin1"), bodyLength },
  };
}

interface Header {
  name: string;
  value: string;
}

function readHeader(line: string): Header {
  // no space before the colon, no folded lines: RFC 9112 §5.1 and §5.2
  const [, name, value] =
    /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\0]*)$/.exec(line) ??
      bad("a header is malformed");
  return { name: name!, value: value!.trimEnd() };
}

function endToEnd(headers: Header[]): Header[] {
  const named = valuesOf(headers, "connection").map((each) =>
    each.toLowerCase()
  );
  // a body without its length would end at once
  const dropped = new Set(named.filter((each) => !FRAMING.includes(each)));
  return headers.filter(({ name }) => {
    const lower = name.toLowerCase();
    return !HOP_BY_HOP.has(lower) && !dropped.has(lower);
  });
}

const FRAMING = ["content-length", "transfer-encoding"];

/** RFC 9112 §6.3; what servers could understand differently is refused. */
function readBodyLength(headers: Header[]): BodyLength {
  const encodings = valuesOf(headers, "transfer-encoding");
  const lengths = new Set(valuesOf(headers, "content-length"));
  if (encodings.length > 0) {
    if (lengths.size > 0) bad("both Transfer-Encoding and Content-Length");
    if (encodings.at(-1)!.toLowerCase() !== "chunked") {
      bad("the body's length is not known");
    }
    return "chunked";
  }
  if (lengths.size > 1) bad("more than one Content-Length");
  const [length = "0"] = lengths;
  if (!/^\d{1,15}$/.test(length)) bad("Content-Length is no number");
  return Number(length);
}

/** The members of a header that is a list, RFC 9110 §5.6.1. */
function valuesOf(headers: Header[], name: string): string[] {
  return headers.filter((each) => each.name.toLowerCase() === name)
    .flatMap((each) => each.value.split(","))
    .map((each) => each.trim())
    .filter((each) => each !== "");
}

function readAuthority(
  authority: string,
  defaultPort: number | undefined,
): { host: string; port: number } {
  const [, name, digits] = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/
    .exec(authority) ?? bad("that is no HOST:PORT");
  const host = proxyHost(name!) ?? bad("that is no name of a host");
  const port = digits === undefined ? defaultPort : Number(digits);
  if (port === undefined) return bad("the port is missing");
  if (port < 1 || port > 65535) return bad("that is no port");
  return { host, port };
}

function bad(why: string, status?: number, header?: string): never {
  throw new BadRequest(why, status, header);
}

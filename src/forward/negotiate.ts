/**
 * What a proxy's client asks for, in whichever language it speaks: SOCKS 4, 4a
 * or 5, or HTTP. Its first byte tells.
 *
 * @module
 */

import type { Duplex } from "node:stream";
import type { TargetAddress } from "./address.ts";
import type { Denial } from "./denial.ts";
import { type Body, bodyOf } from "./http_body.ts";
import {
  connectGranted,
  httpDenied,
  type HttpRequest,
  parseHttpRequest,
} from "./http_proxy.ts";
import {
  INCOMPLETE,
  malformed,
  type Parsed,
  receive,
  type Received,
} from "./parsed.ts";
import {
  parseSocks4,
  parseSocks5Greeting,
  parseSocks5Request,
  socks4Granted,
  socks4Rejected,
  socks5Denied,
  socks5Granted,
  socks5Welcome,
  type SocksRequest,
} from "./socks.ts";

/** A request and, in the client's language, the answers to it. */
export interface ProxyRequest {
  target: Extract<TargetAddress, { kind: "tcp" }>;
  granted: Uint8Array;
  denied(denial: Denial): Uint8Array;
  /** Goes to the target before anything else. */
  head: Uint8Array;
  /** What the client sends is passed on as far as it belongs to this. */
  body: Body | undefined;
}

type Opening =
  | ({ kind: "socks4" } & SocksRequest)
  | { kind: "socks5" }
  | ({ kind: "http" } & HttpRequest);

const NOTHING = new Uint8Array(0);

/**
 * Reads a client's request off its paused stream, and leaves the stream paused.
 *
 * @param languages `socks`, or `any` for HTTP too
 * @param signal ends the wait for the client
 */
export async function negotiate(
  client: Duplex,
  languages: "socks" | "any",
  signal: AbortSignal,
): Promise<Received<ProxyRequest>> {
  const opening = await receive(
    client,
    (bytes) => parseOpening(bytes, languages),
    signal,
  );
  if (opening.state !== "complete") return opening;
  const { message } = opening;
  if (message.kind === "socks4") {
    return complete(message, socks4Granted, () => socks4Rejected);
  }
  if (message.kind === "http") {
    const { forward } = message;
    return complete(message, forward ? NOTHING : connectGranted, httpDenied, {
      head: forward?.head ?? NOTHING,
      body: forward && bodyOf(forward.bodyLength),
    });
  }
  client.write(socks5Welcome);
  const request = await receive(client, parseSocks5Request, signal);
  if (request.state !== "complete") return request;
  return complete(request.message, socks5Granted, socks5Denied);
}

function complete(
  { host, port }: { host: string; port: number },
  granted: Uint8Array,
  denied: ProxyRequest["denied"],
  first: Pick<ProxyRequest, "head" | "body"> = {
    head: NOTHING,
    body: undefined,
  },
): Received<ProxyRequest> {
  const target = { kind: "tcp", host, port } as const;
  return { state: "complete", message: { target, granted, denied, ...first } };
}

function parseOpening(
  bytes: Uint8Array,
  languages: "socks" | "any",
): Parsed<Opening> {
  const [first] = bytes;
  if (first === undefined) return INCOMPLETE;
  if (first === 4) return as("socks4", parseSocks4(bytes));
  if (first === 5) return as("socks5", parseSocks5Greeting(bytes));
  if (languages === "any" && /[A-Za-z]/.test(String.fromCharCode(first))) {
    return as("http", parseHttpRequest(bytes));
  }
  const known = languages === "any" ? "SOCKS and HTTP" : "SOCKS";
  return malformed(`a client does not speak ${known}`, NOTHING);
}

function as<K extends Opening["kind"], T extends object>(
  kind: K,
  parsed: Parsed<T | null>,
): Parsed<{ kind: K } & T> {
  if (parsed.state !== "complete") return parsed;
  return { ...parsed, message: { kind, ...parsed.message } as { kind: K } & T };
}

/**
 * Finds out what answers at a port, by asking it.
 *
 * @module
 */

import type { Duplex } from "node:stream";
import { formatHostPort } from "../forward/address.ts";
import {
  type Answer,
  headerOf,
  I2CP_VERSION,
  type Identity,
  recognise,
} from "./recognise.ts";
import type { ServiceName } from "./services.ts";
import { overTls } from "./over_tls.ts";

/** Where a stream leads. */
export interface Place {
  host: string;
  port: number;
}

/**
 * Opens a stream of bytes to a place, as seen from the server.
 *
 * @throws {I2ptunError} `forward` if nothing listens there or the server
 *   forbids it
 */
export type OpenStream = (place: Place) => Promise<Duplex>;

export interface IdentifyOptions {
  open: OpenStream;
  place: Place;
  /** What it is hoped to be: that is asked first. */
  service?: ServiceName | undefined;
  signal: AbortSignal;
  /** How long to wait for an answer; default {@link PATIENCE_MS}. */
  patienceMs?: number | undefined;
  /** When all is told that is worth waiting for; see {@link identifyAll}. */
  enough?: Promise<unknown> | undefined;
  /** How long to wait then; default {@link LAST_WORD_MS}. */
  lastWordMs?: number | undefined;
}

/** Also for a server on the other side of the earth. */
export const PATIENCE_MS = 4000;

/** For an answer that will hardly come. */
export const LAST_WORD_MS = 1000;

/** No answer that is of interest is longer; bytes. */
const MAX_ANSWER = 256 * 1024;

type QuestionName = keyof typeof QUESTIONS;

/** What is sent right after connecting. HTTP/1.0, so that nothing is chunked. */
const QUESTIONS = {
  /** Some speak first. */
  listen: () => "",
  page: (place: Place) => get("/", place),
  securePage: (place: Place) => get("/", place),
  // Java I2P has this host in its proxy; i2pd says in an error page of its own
  // that it does not know it
  proxy: () =>
    "GET http://proxy.i2p/ HTTP/1.0\r\nHost: proxy.i2p\r\nConnection: close\r\n\r\n",
  // https://geti2p.net/en/docs/api/i2pcontrol
  control: ({ host, port }: Place) => {
    const body =
      '{"jsonrpc":"2.0","id":1,"method":"Echo","params":{"Echo":"i2ptun"}}';
    return `POST /jsonrpc HTTP/1.0\r\nHost: ${
      formatHostPort(host, port)
    }\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
  },
  // https://geti2p.net/en/docs/api/samv3
  sam: () => "HELLO VERSION\n",
  // RFC 1928 §3: version 5, one method, no authentication
  socks: () => "\x05\x01\x00",
  // https://geti2p.net/spec/i2cp: the protocol byte, then GetDate (32)
  i2cp: () => {
    const body = `${
      String.fromCharCode(I2CP_VERSION.length)
    }${I2CP_VERSION}\0\0`;
    return `\x2a\0\0\0${String.fromCharCode(body.length)}\x20${body}`;
  },
} as const satisfies Record<string, (place: Place) => string>;

function get(path: string, { host, port }: Place): string {
  // i2pd answers no other name than its address, and no request in pieces
  return `GET ${path} HTTP/1.0\r\nHost: ${
    formatHostPort(host, port)
  }\r\nUser-Agent: i2ptun\r\nConnection: close\r\n\r\n`;
}

const OVER_TLS = new Set<QuestionName>(["securePage", "control"]);

/** What each service answers. */
const FIRST: Record<ServiceName, QuestionName> = {
  "console": "page",
  "console-ssl": "securePage",
  "i2pd-console": "page",
  "http-proxy": "proxy",
  "https-proxy": "proxy",
  "socks-proxy": "socks",
  "irc": "listen",
  "smtp": "listen",
  "pop3": "listen",
  "sam": "sam",
  "i2cp": "i2cp",
  "i2pcontrol": "control",
  "site": "page",
  "bob": "listen",
};

/** Asked at once if the first question was not understood. */
const FURTHER: readonly QuestionName[] = ["page", "securePage", "sam", "socks"];

/**
 * Tunnels, which say nothing until their far side does: so that it does not take
 * twice as long, they are asked at the same time whether they are web servers,
 * and nothing else, since what they get they pass on.
 */
export function passesOn(service: ServiceName | undefined): boolean {
  return service === "irc" || service === "smtp" || service === "pop3";
}

/**
 * Says what answers at a place.
 *
 * @throws {I2ptunError} what `open` throws; the reason of `signal`
 */
export async function identify(options: IdentifyOptions): Promise<Identity> {
  const { service } = options;
  const first = service === undefined ? "page" : FIRST[service];
  const page = passesOn(service) ? ask("page", options) : undefined;
  page?.catch(() => {});
  const answer = await ask(first, options);
  // to a name that is not theirs, consoles say less than who they are
  const isMistaken = first === "proxy" && answer.kind === "web-server";
  if (isTelling(answer) && !isMistaken) return answer;
  const answers = await Promise.allSettled(
    page === undefined
      ? FURTHER.filter((each) => each !== first)
        .map((question) => ask(question, options))
      : [page],
  );
  options.signal.throwIfAborted();
  const told = answers.filter((each) => each.status === "fulfilled")
    .map((each) => each.value);
  return told.find(isTelling) ?? told.find(({ kind }) => kind === "tls") ??
    [answer, ...told].find(({ kind }) => kind === "unknown") ?? answer;
}

/** A place, and what it is hoped to be. */
export type Asked = Pick<IdentifyOptions, "place" | "service">;

/**
 * Says of several places at once what answers there. Tunnels may never say
 * anything, so they get no more than a moment beyond what the others take.
 *
 * @returns as {@link identify}, in the same order
 */
export function identifyAll(
  asked: readonly Asked[],
  options: Omit<IdentifyOptions, keyof Asked | "enough">,
): Promise<Identity>[] {
  const { promise: enough, resolve } = Promise.withResolvers<void>();
  const identities = asked.map((each) =>
    identify({
      ...options,
      ...each,
      ...(passesOn(each.service) ? { enough } : {}),
    })
  );
  const others = identities.filter((_, i) => !passesOn(asked[i]!.service));
  Promise.allSettled(others).then(() => resolve());
  // whoever waits for the first of them only is told of its error alone
  identities.forEach((each) => each.catch(() => {}));
  return identities;
}

/** Whether it can be told by this answer. */
function isTelling({ kind }: Identity): boolean {
  return kind !== "silent" && kind !== "closes" && kind !== "unknown" &&
    kind !== "tls";
}

async function ask(
  question: QuestionName,
  options: IdentifyOptions,
): Promise<Identity> {
  const answer = await exchange(
    QUESTIONS[question](options.place),
    question,
    options,
  );
  const elsewhere = redirection(answer.text);
  if (elsewhere === undefined) return recognise(answer);
  return recognise(
    await exchange(get(elsewhere, options.place), question, options),
  );
}

/** The path of the page that is shown instead, as Java I2P's `/home`. */
function redirection(text: string): string | undefined {
  if (!/^HTTP\/1\.[01] 30[1278]/.test(text)) return undefined;
  const location = headerOf(text, "Location") ?? "";
  return /^(?:https?:\/\/[^/]*)?(\/?[\w./-]*)/.exec(location)?.[1]
    ?.replace(/^\/?/, "/");
}

async function exchange(
  question: string,
  name: QuestionName,
  options: IdentifyOptions,
): Promise<Answer> {
  const { open, place, signal } = options;
  const { patienceMs = PATIENCE_MS, lastWordMs = LAST_WORD_MS } = options;
  signal.throwIfAborted();
  const tls = OVER_TLS.has(name);
  const stream = await open(place);
  const expired = new AbortController();
  let timer = setTimeout(() => expired.abort(), patienceMs);
  let isOver = false;
  options.enough?.then(() => {
    if (isOver) return;
    clearTimeout(timer);
    timer = setTimeout(() => expired.abort(), lastWordMs);
  });
  const patience = AbortSignal.any([signal, expired.signal]);
  try {
    const inner = tls ? await overTls(stream, patience) : stream;
    if (inner === undefined) {
      return { text: "", ended: !patience.aborted, tls };
    }
    try {
      return { ...await converse(inner, question, patience), tls };
    } finally {
      inner.destroy();
    }
  } finally {
    isOver = true;
    clearTimeout(timer);
    stream.destroy();
    signal.throwIfAborted();
  }
}

/** Sends a question and reads until the answer is whole, or long enough. */
function converse(
  stream: Duplex,
  question: string,
  signal: AbortSignal,
): Promise<Omit<Answer, "tls">> {
  return new Promise((resolve) => {
    let text = "";
    const finish = (ended: boolean) => {
      signal.removeEventListener("abort", onAbort);
      resolve({ text, ended });
    };
    const onAbort = () => finish(false);
    if (signal.aborted) return onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    stream.on("data", (chunk: Uint8Array) => {
      text += latin1(chunk);
      if (text.length > MAX_ANSWER || isWhole(text)) finish(false);
    });
    stream.on("error", () => finish(true));
    stream.on("end", () => finish(true));
    stream.on("close", () => finish(true));
    if (question !== "") stream.write(question, "latin1");
  });
}

function latin1(chunk: Uint8Array): string {
  let text = "";
  for (const byte of chunk) text += String.fromCharCode(byte);
  return text;
}

/** Whether nothing more is to be expected. */
function isWhole(text: string): boolean {
  if (!text.startsWith("HTTP/")) {
    return text.includes("\n") || recognise({ text, ended: false, tls: false })
          .kind !== "unknown";
  }
  const head = text.indexOf("\r\n\r\n");
  const length = headerOf(text, "Content-Length");
  return head >= 0 && length !== undefined &&
    text.length >= head + 4 + Number(length);
}

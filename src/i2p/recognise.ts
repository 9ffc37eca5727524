/**
 * What answers a port, by what it says: the services of I2P routers, and enough
 * of others to name them. Nothing here knows the port.
 *
 * The words of Java I2P are those of its source (apps/routerconsole, i2ptunnel,
 * sam, BOB), those of i2pd of its own (daemon/HTTPServer.cpp, HTTPProxy.cpp).
 * Its pages are translated, so they are told by what is the same in all
 * languages: paths, ids, realms.
 *
 * @module
 */

import { protocolName } from "../ssh/protocol_name.ts";

export type Kind =
  | "java-console"
  | "i2pd-console"
  | "http-proxy"
  | "connect-proxy"
  | "socks-proxy"
  | "sam"
  | "i2cp"
  | "bob"
  | "i2pcontrol"
  | "irc"
  | "smtp"
  | "pop3"
  | "web-server"
  | "tls"
  /** A protocol that no service of I2P has. */
  | "other"
  /** It speaks, but nothing that is known here. */
  | "unknown"
  /** It accepts connections and closes them without a word. */
  | "closes"
  /** It accepts connections and says nothing. */
  | "silent";

/** What answers somewhere. */
export interface Identity {
  kind: Kind;
  /** For people, such as `I2P router console (Java) 2.6.0`. */
  what: string;
  version?: string;
  /** Whether it was inside TLS. */
  tls: boolean;
  /** What its clock said, if it told. */
  date?: Date;
}

/** Everything a server has sent over one connection. */
export interface Answer {
  /** Bytes as latin1 text. */
  text: string;
  /** Whether the server ended it. */
  ended: boolean;
  tls: boolean;
}

/** The version that our own I2CP question names; i2pd repeats it. */
export const I2CP_VERSION = "0.9.20";

/** Says what gave an answer. */
export function recognise({ text, ended, tls }: Answer): Identity {
  const found = text === ""
    ? ended
      ? is("closes", "accepts connections and closes them without a word")
      : is("silent", "accepts connections and says nothing")
    : recogniseHttp(text) ?? recogniseLine(text) ?? recogniseBytes(text) ??
      another(text);
  return { ...found, tls };
}

type Found = Omit<Identity, "tls">;

function is(kind: Kind, name: string, version?: string): Found {
  return version === undefined
    ? { kind, what: name }
    : { kind, what: `${name} ${version}`, version };
}

function another(text: string): Found {
  const name = protocolName(text);
  if (name) return is(name.startsWith("a TLS") ? "tls" : "other", name);
  const said = firstLine(text);
  const quoted = /^[\x20-\x7e]+$/.test(said) ? ` (it says "${said}")` : "";
  return is("unknown", `a program that is not known here${quoted}`);
}

function firstLine(text: string): string {
  return text.split(/[\r\n]/, 1)[0]!.slice(0, 60);
}

function recogniseHttp(text: string): Found | undefined {
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1];
  if (status === undefined) return undefined;
  const date = Date.parse(headerOf(text, "Date") ?? "");
  return {
    ...recognisePage(Number(status), text),
    ...(Number.isNaN(date) ? {} : { date: new Date(date) }),
  };
}

function recognisePage(status: number, text: string): Found {
  const asks = headerOf(text, "WWW-Authenticate") ??
    headerOf(text, "Proxy-Authenticate") ?? "";
  if (text.includes('"jsonrpc"')) return is("i2pcontrol", "I2PControl");

  // the pages of Java I2P's proxies have their pictures from proxy.i2p
  const javaProxy = /http:\/\/proxy\.i2p\/|<H1>I2P ERROR:/.test(text) ||
    /realm="I2P (HTTP|SSL) Proxy"/.test(asks);
  if (javaProxy) {
    return status === 405 || asks.includes("SSL")
      ? is("connect-proxy", "HTTPS proxy of I2P (Java)")
      : is("http-proxy", "HTTP proxy of I2P (Java)");
  }
  if (/<title>I2Pd HTTP proxy<\/title>/i.test(text)) {
    return is("http-proxy", "HTTP proxy of i2pd");
  }

  if (/<title>Purple I2P[^<]* Webconsole<\/title>/i.test(text)) {
    const version = /<b>Version:<\/b> ?([\w.-]+)/.exec(text)?.[1];
    return is("i2pd-console", "i2pd webconsole", version);
  }
  if (status === 401 && /realm="WebAdmin"/.test(asks)) {
    return is("i2pd-console", "i2pd webconsole (asks for a password)");
  }
  if (
    /\/themes\/console\/[^"'> ]*console\.css/.test(text) ||
    /<title>I2P Router Console\b/.test(text)
  ) {
    return is("java-console", "I2P router console (Java)", javaVersion(text));
  }
  if (status === 401 && /realm="i2prouter"/.test(asks)) {
    return is("java-console", "I2P router console (Java, asks for a password)");
  }

  const software = headerOf(text, "Server")?.slice(0, 60);
  const title = /<title>\s*([^<]{1,60})/i.exec(text)?.[1]?.trim();
  const named = software ?? (title ? `"${title}"` : undefined);
  return is("web-server", `a web server${named ? ` (${plain(named)})` : ""}`);
}

/**
 * In the summary bar, first row of its table, whose words are translated; every
 * page has it as the version of its style sheet, too.
 */
function javaVersion(text: string): string | undefined {
  const row = /id="?sb_(?:short)?general"?[\s\S]*?<td[^>]*>[\s\S]*?<td[^>]*>/
    .exec(text);
  const cell = row && text.slice(row.index + row[0].length);
  return /^\s*(\d+\.\d+[\w.+-]*)/.exec(cell ?? "")?.[1] ??
    /console\.css\?(\d+\.\d+[\w.+-]*)/.exec(text)?.[1];
}

/** The value of a header field; undefined if it is not there. */
export function headerOf(text: string, name: string): string | undefined {
  const [head = ""] = text.split("\r\n\r\n", 1);
  return new RegExp(`^${name}:[ \t]*(.*?)[ \t]*$`, "im").exec(
    head.replaceAll("\r", ""),
  )?.[1];
}

/** Protocols of lines: SAM v3, BOB, IRC (RFC 2812), SMTP, POP3. */
function recogniseLine(text: string): Found | undefined {
  const sam = /^HELLO REPLY RESULT=\w+(?:.* VERSION=([\d.]+))?/.exec(text);
  if (sam) return is("sam", "SAM bridge", sam[1]);
  const bob = /^BOB (\d[\d.]*)/.exec(text);
  if (bob) return is("bob", "BOB bridge", bob[1]);
  if (/^(:\S+ )?(NOTICE|PING|ERROR|\d{3}) /.test(text) && !/^\d/.test(text)) {
    return is("irc", "IRC server");
  }
  if (/^220[ -](?!.*\bFTP)/i.test(text)) {
    return is("smtp", "mail server (SMTP)");
  }
  if (/^\+OK/.test(text)) return is("pop3", "mail server (POP3)");
  return undefined;
}

const I2CP_DISCONNECT = 30;
const I2CP_SET_DATE = 33;

/** Protocols of bytes: SOCKS 5 (RFC 1928 §3), I2CP. */
function recogniseBytes(text: string): Found | undefined {
  // deno-lint-ignore no-control-regex
  if (/^\x05[\x00-\x02\xff]$/.test(text)) {
    return is("socks-proxy", "SOCKS 5 proxy");
  }
  // length of the body, type, body; SetDate is a date and a version
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  if (bytes.length < 5) return undefined;
  const length = new DataView(bytes.buffer).getUint32(0);
  if (length !== bytes.length - 5) return undefined;
  if (bytes[4] === I2CP_DISCONNECT) return is("i2cp", "I2CP");
  if (bytes[4] !== I2CP_SET_DATE) return undefined;
  const version = text.slice(14);
  return version === I2CP_VERSION || !/^\d[\d.]*$/.test(version)
    ? is("i2cp", "I2CP")
    : is("i2cp", "I2CP", version);
}

/** Without what could not be shown. */
function plain(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, "?");
}

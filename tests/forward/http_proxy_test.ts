import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { bodyOf } from "../../src/forward/http_body.ts";
import {
  HEAD_LIMIT,
  httpDenied,
  type HttpRequest,
  parseHttpRequest,
} from "../../src/forward/http_proxy.ts";
import { assertDecidesOnce, chunked } from "./fragments.ts";

const lines = (...all: string[]) => Buffer.from([...all, "", ""].join("\r\n"));

function request(...all: string[]): HttpRequest {
  const parsed = parseHttpRequest(lines(...all));
  assert.equal(parsed.state, "complete", JSON.stringify(parsed));
  return parsed.message;
}

/** The status and body of the response to a request that is wrong. */
function refusal(bytes: Uint8Array): [status: number, text: string] {
  const parsed = parseHttpRequest(bytes);
  assert.equal(parsed.state, "malformed", JSON.stringify(parsed));
  return readResponse(parsed.reply);
}

function readResponse(bytes: Uint8Array): [status: number, text: string] {
  const [head, body] = Buffer.from(bytes).toString().split("\r\n\r\n");
  const [, status] = /^HTTP\/1\.1 (\d{3}) \S/.exec(head!)!;
  const [, length] = /^Content-Length: (\d+)$/m.exec(head!)!;
  assert.equal(Number(length), Buffer.byteLength(body!));
  assert.match(body!, /^.+\n$/);
  return [Number(status), body!];
}

const headOf = ({ forward }: HttpRequest) =>
  Buffer.from(forward!.head).toString("latin1");

Deno.test("CONNECT names host and port, IPv6 in brackets", () => {
  for (
    const [target, host, port] of [
      ["stats.i2p:443", "stats.i2p", 443],
      ["10.0.0.1:80", "10.0.0.1", 80],
      ["[2001:db8::7]:443", "2001:db8::7", 443],
    ]
  ) {
    const wanted = { host, port };
    assert.deepEqual(
      request(`CONNECT ${target} HTTP/1.1`, `Host: ${target}`),
      wanted,
    );
    assert.deepEqual(request(`CONNECT ${target} HTTP/1.0`), wanted);
  }
});

Deno.test("a page's request is rewritten for its server", () => {
  const message = request(
    "GET http://Stats.I2P:8080/a%20b?q=http://x/ HTTP/1.1",
    "host: elsewhere",
    "Proxy-Connection: keep-alive",
    "Proxy-Authorization: Basic c2VjcmV0",
    "Connection: keep-alive, X-Mine",
    "Keep-Alive: 5",
    "X-Mine: 1",
    "Upgrade: h2c",
    "TE: trailers",
    "Accept: */*",
    "X-Bytes: \xe4\xff",
    "Cookie: a=b;  c=d ",
  );
  // what is no ASCII was sent as UTF-8 here, and must come out as it was
  assert.equal(
    headOf(message),
    [
      "GET /a%20b?q=http://x/ HTTP/1.1",
      "Host: Stats.I2P:8080",
      "Accept: */*",
      `X-Bytes: ${Buffer.from("\xe4\xff").toString("latin1")}`,
      "Cookie: a=b;  c=d",
      "Connection: close",
      "",
      "",
    ].join("\r\n"),
  );
  assert.deepEqual([message.host, message.port], ["Stats.I2P", 8080]);
  assert.equal(message.forward!.bodyLength, 0);
});

Deno.test("the path is never empty, and the version stays", () => {
  for (
    const [line, host, port, first] of [
      ["GET http://a.i2p HTTP/1.1", "a.i2p", 80, "GET / HTTP/1.1"],
      ["GET http://a.i2p?x HTTP/1.0", "a.i2p", 80, "GET /?x HTTP/1.0"],
      ["OPTIONS http://a.i2p HTTP/1.1", "a.i2p", 80, "OPTIONS * HTTP/1.1"],
      ["GET HTTP://[::1]:81/# HTTP/1.1", "::1", 81, "GET / HTTP/1.1"],
    ] as const
  ) {
    const message = request(line);
    assert.deepEqual([message.host, message.port], [host, port]);
    assert.equal(headOf(message).split("\r\n")[0], first);
  }
});

Deno.test("a body is as long as the headers say", () => {
  const post = "POST http://a.i2p/ HTTP/1.1";
  const lengthOf = (...headers: string[]) =>
    request(post, ...headers).forward!.bodyLength;
  assert.equal(lengthOf("Content-Length: 12"), 12);
  assert.equal(lengthOf("Content-Length: 12", "content-length: 12"), 12);
  assert.equal(lengthOf("Transfer-Encoding: gzip, Chunked"), "chunked");
  assert.equal(lengthOf("Connection: content-length", "Content-Length: 3"), 3);
  for (
    const headers of [
      ["Content-Length: 1", "Content-Length: 2"],
      ["Content-Length: -1"],
      ["Content-Length: 1", "Transfer-Encoding: chunked"],
      ["Transfer-Encoding: gzip"],
    ]
  ) {
    assert.equal(refusal(lines(post, ...headers))[0], 400, headers.join());
  }
});

Deno.test("what is no proxy's request is told so", () => {
  const cases: [number, RegExp, string[]][] = [
    [400, /this is a proxy/, ["GET / HTTP/1.1", "Host: localhost:1080"]],
    [405, /use CONNECT for https/, ["GET https://a.i2p/ HTTP/1.1"]],
    [400, /no HTTP/, ["GET http://a.i2p/"]],
    [400, /no HTTP/, ["GET http://a.i2p/ HTTP/2.0"]],
    [400, /no HTTP/, ["EHLO example.org"]],
    [400, /port is missing/, ["CONNECT a.i2p HTTP/1.1"]],
    [400, /no port/, ["CONNECT a.i2p:0 HTTP/1.1"]],
    [400, /no port/, ["CONNECT a.i2p:65536 HTTP/1.1"]],
    [400, /no name/, ["GET http:///path HTTP/1.1"]],
    [400, /no name|HOST:PORT/, ["GET http://me:secret@a.i2p/ HTTP/1.1"]],
    [400, /no name/, ["CONNECT [nonsense]:80 HTTP/1.1"]],
    [400, /header/, ["GET http://a.i2p/ HTTP/1.1", "No colon"]],
    [400, /header/, ["GET http://a.i2p/ HTTP/1.1", "Space : 1"]],
    [400, /header/, ["GET http://a.i2p/ HTTP/1.1", "A: 1", " folded"]],
    [400, /header/, ["GET http://a.i2p/ HTTP/1.1", "A: 1\rB: 2"]],
  ];
  for (const [status, text, head] of cases) {
    const [actual, said] = refusal(lines(...head));
    assert.equal(actual, status, head.join());
    assert.match(said, text, head.join());
  }
});

Deno.test("a head may have 64 KiB and no more", () => {
  const start = "GET http://a.i2p/ HTTP/1.1\r\nX: ";
  const fits = `${start}${"x".repeat(HEAD_LIMIT - start.length - 4)}\r\n\r\n`;
  assert.equal(parseHttpRequest(Buffer.from(fits)).state, "complete");
  assert.equal(
    refusal(Buffer.from(`${start}${"x".repeat(HEAD_LIMIT)}`))[0],
    431,
  );
  assert.equal(
    parseHttpRequest(Buffer.from(fits).subarray(0, -1)).state,
    "incomplete",
  );
});

Deno.test("a target that cannot be had is a gateway's error", () => {
  const message = "a.i2p:80: nothing answers there";
  const [status, text] = readResponse(httpDenied({ kind: "refused", message }));
  assert.deepEqual([status, text], [502, `i2ptun: ${message}\n`]);
  assert.equal(
    readResponse(httpDenied({ kind: "timed-out", message }))[0],
    504,
  );
});

Deno.test("whatever an HTTP client sends, in whatever pieces, nothing throws and the result is one", () => {
  const word = fc.constantFrom(
    ...["GET ", "CONNECT ", "http://", "a.i2p", ":80", "/", " HTTP/1.1", "["],
    ...["\r\n", "\n", "\r", "\r\n\r\n", "Host: a", "Content-Length: 5", ": "],
    ...["Transfer-Encoding: chunked", "Connection: x", " ", "\0", "\xff", "x"],
  );
  const alike = fc.array(word, { maxLength: 30 }).map((words) =>
    new Uint8Array(Buffer.from(words.join(""), "latin1"))
  );
  const noise = fc.uint8Array({ maxLength: 300 });
  fc.assert(fc.property(chunked(fc.oneof(alike, noise)), (pieces) => {
    assertDecidesOnce(parseHttpRequest, pieces);
  }));
});

Deno.test("a body ends where its length says", () => {
  const body = bodyOf(5);
  assert.equal(Buffer.from(body.take(Buffer.from("abc"))).toString(), "abc");
  assert.equal(Buffer.from(body.take(Buffer.from("deGET"))).toString(), "de");
  assert.equal(body.take(Buffer.from("GET")).length, 0);
});

Deno.test("a body of chunks ends with its trailers, in whatever pieces", () => {
  const chunk = fc.uint8Array({ minLength: 1, maxLength: 50 }).map((data) => {
    const extension = data.length % 2 ? ";name=value" : "";
    return Buffer.concat([
      Buffer.from(`${data.length.toString(16)}${extension}\r\n`),
      data,
      Buffer.from("\r\n"),
    ]);
  });
  const end = fc.constantFrom("0\r\n\r\n", "00\r\nTrailer: 1\r\n\r\n");
  fc.assert(fc.property(
    chunked(
      fc.tuple(fc.array(chunk, { maxLength: 5 }), end).map(([chunks, last]) =>
        new Uint8Array(Buffer.concat([...chunks, Buffer.from(last)]))
      ),
    ),
    (pieces) => {
      const all = Buffer.concat(pieces);
      const body = bodyOf("chunked");
      const next = Buffer.from("GET http://other.i2p/");
      const taken = pieces.slice(0, -1).map((piece) => body.take(piece));
      taken.push(body.take(Buffer.concat([pieces.at(-1)!, next])));
      assert.deepEqual(Buffer.concat(taken), all);
      assert.equal(body.take(next).length, 0);
    },
  ));
});

Deno.test("malformed chunks end a body", () => {
  for (
    const wrong of [
      "xyz\r\n",
      "-1\r\n",
      "\r\n",
      "3\r\nabcd\r\n",
      "1".repeat(9000),
    ]
  ) {
    const body = bodyOf("chunked");
    body.take(Buffer.from(wrong));
    assert.equal(body.take(Buffer.from("3\r\nabc\r\n")).length, 0, wrong);
  }
});

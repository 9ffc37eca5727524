import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import type { Parsed } from "../../src/forward/parsed.ts";
import {
  parseSocks4,
  parseSocks5Greeting,
  parseSocks5Request,
  socks5Denied,
  type SocksRequest,
} from "../../src/forward/socks.ts";
import { assertDecidesOnce, chunked } from "./fragments.ts";

const bytes = (...parts: (number | string)[]) =>
  Buffer.concat(
    parts.map((each) =>
      typeof each === "string" ? Buffer.from(each) : Buffer.of(each)
    ),
  );

function request(parsed: Parsed<SocksRequest>): SocksRequest {
  assert.equal(parsed.state, "complete", JSON.stringify(parsed));
  return parsed.message;
}

function reply(parsed: Parsed<unknown>): number[] {
  assert.equal(parsed.state, "malformed", JSON.stringify(parsed));
  return [...parsed.reply];
}

Deno.test("SOCKS 4 names an address, 4a a name", () => {
  const four = bytes(4, 1, 0x1f, 0x90, 127, 0, 0, 1, "me", 0);
  assert.deepEqual(request(parseSocks4(four)), {
    host: "127.0.0.1",
    port: 8080,
  });
  const named = bytes(4, 1, 0, 80, 0, 0, 0, 1, 0, "stats.i2p", 0, "GET");
  const parsed = parseSocks4(named);
  assert.deepEqual(request(parsed), { host: "stats.i2p", port: 80 });
  assert.equal(parsed.state === "complete" && parsed.length, named.length - 3);
});

Deno.test("SOCKS 4 knows no BIND, and its texts have limits", () => {
  const rejected = [0, 0x5b, 0, 0, 0, 0, 0, 0];
  assert.deepEqual(reply(parseSocks4(bytes(4, 2))), rejected);
  for (
    const rest of [
      bytes("u".repeat(256)),
      bytes(0, "n".repeat(256)),
      bytes(0, "two words", 0),
      bytes(0, 0),
    ]
  ) {
    const all = Buffer.concat([bytes(4, 1, 0, 80, 0, 0, 0, 9), rest]);
    assert.deepEqual(reply(parseSocks4(all)), rejected, rest.toString());
  }
});

Deno.test("SOCKS 5 goes on with a client that needs no password", () => {
  assert.equal(parseSocks5Greeting(bytes(5, 2, 2, 0)).state, "complete");
  assert.equal(parseSocks5Greeting(bytes(5, 2, 2)).state, "incomplete");
  assert.deepEqual(reply(parseSocks5Greeting(bytes(5, 1, 2))), [5, 0xff]);
  assert.deepEqual(reply(parseSocks5Greeting(bytes(5, 0))), [5, 0xff]);
});

Deno.test("SOCKS 5 takes names, IPv4 and IPv6", () => {
  const six = [0x20, 0x01, 0x0d, 0xb8, ...Array(11).fill(0), 7];
  for (
    const [address, host] of [
      [bytes(1, 10, 0, 0, 1), "10.0.0.1"],
      [bytes(3, 9, "stats.i2p"), "stats.i2p"],
      [bytes(3, 5, "[::1]"), "::1"],
      [bytes(3, 255, "n".repeat(255)), "n".repeat(255)],
      [bytes(4, ...six), "2001:db8::7"],
    ] as const
  ) {
    const all = Buffer.concat([bytes(5, 1, 0), address, bytes(1, 0xbb)]);
    assert.deepEqual(request(parseSocks5Request(all)), { host, port: 443 });
    for (let length = 0; length < all.length; length++) {
      const part = parseSocks5Request(all.subarray(0, length));
      assert.equal(part.state, "incomplete");
    }
  }
});

Deno.test("SOCKS 5 says what it cannot do", () => {
  for (
    const [said, code] of [
      [bytes(5, 2), 7], // BIND
      [bytes(5, 3), 7], // UDP ASSOCIATE
      [bytes(5, 1, 0, 9), 8], // address type
      [bytes(5, 1, 0, 3, 0, 0, 80), 1], // no name
      [bytes(5, 1, 0, 3, 4, "a\r\nb", 0, 80), 1],
      [bytes(5, 1, 0, 3, 1, 0xff, 0, 80), 1],
      [bytes(5, 1, 0, 1, 1, 2, 3, 4, 0, 0), 1], // port
    ] as const
  ) {
    const expected = [5, code, 0, 1, 0, 0, 0, 0, 0, 0];
    assert.deepEqual(reply(parseSocks5Request(said)), expected);
  }
});

Deno.test("SOCKS 5 has a code for each reason", () => {
  const kinds = [
    "failed",
    "forbidden",
    "no-network",
    "no-host",
    "refused",
    "timed-out",
  ] as const;
  const codes = kinds.map((kind) => socks5Denied({ kind, message: "" })[1]);
  assert.deepEqual(codes, [1, 2, 3, 4, 5, 6]);
});

Deno.test("whatever a SOCKS client sends, in whatever pieces, nothing throws and the result is one", () => {
  const noise = fc.uint8Array({ maxLength: 600 });
  const alike = noise.chain((rest) =>
    fc.constantFrom(
      [4, 1, 0, 80, 0, 0, 0, 1],
      [4, 1, 0, 80, 1, 2, 3, 4],
      [5, 1, 0, 3],
      [5, 1, 0, 4],
      [5, 2],
    ).map((start) => Uint8Array.from([...start, ...rest]))
  );
  for (
    const parse of [parseSocks4, parseSocks5Greeting, parseSocks5Request]
  ) {
    fc.assert(fc.property(chunked(fc.oneof(noise, alike)), (pieces) => {
      assertDecidesOnce<unknown>(parse, pieces);
    }));
  }
});

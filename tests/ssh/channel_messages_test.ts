import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  encodeOpen,
  type Handlers,
  takeMessage,
} from "../../src/ssh/channel_messages.ts";

/** Channels from here on are ours. */
const FIRST_ID = 1000;

function uint32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, i) => bytes.writeUInt32BE(value, 4 * i));
  return bytes;
}

/**
 * Whether a message is taken, and what the handlers are told.
 *
 * @param length of the message; what follows is left of another packet
 */
function take(message: Uint8Array, length = message.length): unknown[] {
  const told: unknown[] = [];
  const note = (name: string) => (...args: unknown[]) =>
    void told.push(name, ...args);
  const handlers: Handlers = {
    opened: note("opened"),
    data: (id, bytes) => told.push("data", id, Buffer.from(bytes).toString()),
    windowAdjust: note("windowAdjust"),
    eof: note("eof"),
    close: note("close"),
  };
  // it is somewhere in a packet
  const packet = Buffer.concat([Buffer.alloc(5, 90), message]);
  return [takeMessage(handlers, FIRST_ID, packet, 5, 5 + length), ...told];
}

const message = (type: number, ...rest: Uint8Array[]) =>
  Buffer.concat([Uint8Array.of(type), ...rest]);

/** One of each, and what it says (RFC 4254 §5). */
const MESSAGES: [Buffer, unknown[]][] = [
  [message(91, uint32(1007, 3, 4_000_000_000, 32768)), [
    "opened",
    7,
    { id: 3, window: 4_000_000_000, packetBytes: 32768 },
  ]],
  [message(93, uint32(1007, 4_000_000_000)), [
    "windowAdjust",
    7,
    4_000_000_000,
  ]],
  [message(94, uint32(1007, 5), Buffer.from("bytes")), ["data", 7, "bytes"]],
  [message(96, uint32(1000)), ["eof", 0]],
  [message(97, uint32(1007)), ["close", 7]],
];

Deno.test("messages about channels say what RFC 4254 lets them", () => {
  for (const [bytes, told] of MESSAGES) {
    assert.deepEqual(take(bytes), [true, ...told]);
  }
});

Deno.test("what is too short, of another channel or another kind is left", () => {
  for (const [bytes] of MESSAGES) {
    for (let length = 0; length < bytes.length; length++) {
      assert.deepEqual(take(bytes, length), [false], `${length}`);
    }
    const ofSsh2 = Buffer.from(bytes);
    ofSsh2.writeUInt32BE(FIRST_ID - 1, 1);
    assert.deepEqual(take(ofSsh2), [false]);
    for (const type of [92, 95, 98, 99, 100, 255]) {
      assert.deepEqual(take(message(type, bytes.subarray(1))), [false]);
    }
  }
});

Deno.test("a channel is asked for with lengths in bytes", () => {
  const string = (text: string) =>
    Buffer.concat([uint32(Buffer.byteLength(text)), Buffer.from(text)]);
  assert.deepEqual(
    Buffer.from(encodeOpen(
      { id: 16_777_216, window: 3_000_000_000, packetBytes: 262_080 },
      { host: "bücher.i2p", port: 65_535 },
      { address: "::1", port: 4444 },
    )),
    message(
      90,
      string("direct-tcpip"),
      uint32(16_777_216, 3_000_000_000, 262_080),
      string("bücher.i2p"),
      uint32(65_535),
      string("::1"),
      uint32(4444),
    ),
  );
});

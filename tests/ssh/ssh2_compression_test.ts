import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { constants, deflateSync, inflateSync } from "node:zlib";
import fc from "fast-check";
import "../../src/ssh/ssh2.ts";
import { loadCompression } from "../../src/ssh/ssh2_compression.ts";
import zlib from "ssh2/lib/protocol/zlib.js";

await loadCompression();

const { ZlibPacketReader, ZlibPacketWriter } = zlib;

/** A writer, with the 5 bytes that every packet begins with taken off. */
function startWriter(): (payload: Uint8Array) => Buffer {
  const writer = new ZlibPacketWriter({
    _kexinit: undefined,
    _cipher: { allocPacket: (bytes: number) => Buffer.alloc(5 + bytes) },
  });
  return (payload) => writer.finalize(payload).subarray(5);
}

/** A payload, half of it noise, so that packets end at any place in a chunk. */
const payload = fc.integer({ min: 1, max: 170_000 }).map((length) =>
  Buffer.concat([randomBytes(length), Buffer.alloc(length / 2)])
);

Deno.test("what is compressed packet by packet is the same again", () => {
  fc.assert(
    fc.property(
      fc.array(payload, { minLength: 1, maxLength: 5 }),
      (payloads) => {
        const write = startWriter();
        const reader = new ZlibPacketReader();
        for (const each of payloads) {
          assert(each.equals(reader.read(write(each))));
        }
      },
    ),
    { numRuns: 30 },
  );
});

Deno.test("zlib itself reads and writes the same", () => {
  const sent = [1, 16_384, 65_536, 100_000].map((length) =>
    Buffer.concat([randomBytes(length), Buffer.alloc(length)])
  );
  const written = Buffer.concat(sent.map(startWriter()));
  const read = inflateSync(written, { finishFlush: constants.Z_SYNC_FLUSH });
  assert(read.equals(Buffer.concat(sent)));
  for (const each of sent) {
    const finishFlush = constants.Z_PARTIAL_FLUSH;
    const packet = deflateSync(each, { finishFlush });
    assert(each.equals(new ZlibPacketReader().read(packet)));
  }
});

Deno.test("a damaged packet and one that would fill the memory are refused", () => {
  assert.throws(
    () => new ZlibPacketReader().read(randomBytes(100).fill(255, 0, 2)),
    /^Error: a compressed packet is damaged \(zlib says -3\)/,
  );
  const bomb = startWriter()(Buffer.alloc(100 * 1024 * 1024));
  assert(bomb.length < 200_000);
  assert.throws(
    () => new ZlibPacketReader().read(bomb),
    /a compressed packet is too long/,
  );
});

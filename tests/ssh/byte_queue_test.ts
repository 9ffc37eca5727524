import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { ByteQueue } from "../../src/ssh/byte_queue.ts";

/** Bytes that differ from their neighbours, wherever they are cut. */
function bytesFrom(first: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = ((first + i) * 2654435761) >>> 13;
  return bytes;
}

const sizes = fc.oneof(
  fc.nat({ max: 10 }),
  fc.constantFrom(4095, 4096, 4097, 131_071, 131_072, 131_073),
  fc.nat({ max: 300_000 }),
);

Deno.test("what goes in comes out, in order and once, however it is cut", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          append: sizes,
          consume: fc.double({ min: 0, max: 1, noNaN: true }),
        }),
        { maxLength: 20 },
      ),
      (steps) => {
        const queue = new ByteQueue();
        let [added, taken] = [0, 0];
        const take = (share: number) => {
          const shown = queue.peek();
          const length = Math.ceil(shown.length * share);
          assert(bytesFrom(taken, shown.length).equals(shown));
          if (length > 0) queue.consume(length);
          taken += length;
        };
        for (const { append, consume } of steps) {
          const bytes = bytesFrom(added, append);
          queue.append(bytes);
          bytes.fill(0); // it keeps a copy
          added += append;
          take(consume);
          assert.equal(queue.length, added - taken);
        }
        while (queue.length > 0) take(1);
        assert.equal(taken, added);
        assert.equal(queue.peek().length, 0);
      },
    ),
    { numRuns: 50 },
  );
});

Deno.test("what is being written stays as it is while more comes", () => {
  fc.assert(
    fc.property(sizes, sizes, (first, more) => {
      fc.pre(first > 0);
      const queue = new ByteQueue();
      queue.append(bytesFrom(0, first));
      const writing = queue.peek();
      queue.append(bytesFrom(first, more));
      // another connection's, which uses blocks again
      const other = new ByteQueue();
      other.append(Buffer.alloc(more, 0xff));
      assert(bytesFrom(0, writing.length).equals(writing));
      queue.consume(writing.length);
      const rest = queue.peek();
      assert(bytesFrom(writing.length, rest.length).equals(rest));
      assert.equal(queue.length, first + more - writing.length);
    }),
    { numRuns: 50 },
  );
});

Deno.test("a queue that is dropped while it is written does not spoil others", () => {
  const dropped = new ByteQueue();
  dropped.append(bytesFrom(0, 300_000));
  const writing = dropped.peek();
  dropped.clear();
  assert.deepEqual([dropped.length, dropped.peek().length], [0, 0]);
  const other = new ByteQueue();
  other.append(Buffer.alloc(1_000_000, 0xff));
  assert(bytesFrom(0, writing.length).equals(writing));
  dropped.append(Buffer.from("again"));
  assert.equal(Buffer.from(dropped.peek()).toString(), "again");
});

Deno.test("a queue that runs empty again and again makes no new memory", () => {
  const queue = new ByteQueue();
  const packet = Buffer.alloc(32 * 1024);
  const seen = new Set<ArrayBuffer>();
  for (let i = 0; i < 50; i++) {
    // more than a block, in parts as they come
    for (let k = 0; k < 8; k++) queue.append(packet);
    let writes = 0;
    for (; queue.length > 0; writes++) {
      const shown = queue.peek();
      seen.add(shown.buffer);
      queue.consume(shown.length);
    }
    // from the second time on as few blocks as can be
    if (i > 0) assert.equal(writes, 2);
  }
  assert.ok(seen.size <= 8, `${seen.size} blocks`);
});

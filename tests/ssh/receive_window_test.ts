import assert from "node:assert/strict";
import fc from "fast-check";
import {
  FIRST_WINDOW,
  ReceiveWindow,
  RoundTrip,
} from "../../src/ssh/receive_window.ts";

const MIB = 1024 * 1024;

/** A server this far away, in milliseconds, that sends as fast as it may. */
function start(roundTripMs = 100) {
  let now = 1;
  const roundTrip = new RoundTrip(() => now);
  const answered = roundTrip.start();
  now += roundTripMs;
  answered();
  let allowed = FIRST_WINDOW;
  const window = new ReceiveWindow((bytes) => {
    assert(bytes > 0);
    allowed += bytes;
  }, roundTrip);
  return {
    window,
    get allowed() {
      return allowed;
    },
    receive(length: number) {
      const isTaken = window.received(length);
      if (isTaken) allowed -= length;
      return isTaken;
    },
    /** So much comes, and is read as it comes. */
    flow(bytes: number, bytesPerMs: number) {
      for (let left = bytes; left > 0;) {
        const length = Math.min(left, 32 * 1024, allowed);
        assert(length > 0, "the server may go on");
        assert(this.receive(length));
        now += length / bytesPerMs;
        window.consumed(length);
        left -= length;
      }
    },
  };
}

Deno.test("a distant server may send more, as long as it is read", () => {
  const fast = start();
  fast.flow(200 * MIB, MIB);
  assert(fast.allowed > 20 * MIB, `${fast.allowed}`);
  assert(fast.allowed <= 32 * MIB);
  fast.window.close();
});

Deno.test("nearer it grows in steps", () => {
  const near = start(20);
  near.flow(FIRST_WINDOW, MIB);
  assert(near.allowed < 9 * MIB, `${near.allowed}`);
  near.flow(40 * MIB, MIB);
  assert(near.allowed > 20 * MIB, `${near.allowed}`);
  near.window.close();
});

Deno.test("most of it comes at once, and it is told of early", () => {
  const fast = start();
  fast.flow(FIRST_WINDOW, MIB);
  assert(fast.allowed > 20 * MIB, `${fast.allowed}`);
  fast.flow(40 * MIB, MIB);
  let least = Infinity;
  for (let i = 0; i < 1000; i++) {
    fast.flow(32 * 1024, MIB);
    least = Math.min(least, fast.allowed);
  }
  assert(least >= 27 * MIB, `${least}`);
  fast.window.close();
});

Deno.test("who reads less in a round trip keeps what is enough", () => {
  for (const [roundTripMs, bytesPerMs] of [[1, MIB / 2], [100, 10_000]]) {
    const each = start(roundTripMs);
    each.flow(100 * MIB, bytesPerMs!);
    assert(each.allowed <= FIRST_WINDOW, `${each.allowed}`);
  }
});

Deno.test("a reader that stops gets the first window and no more", () => {
  const slow = start();
  while (slow.receive(32 * 1024)) { /* until it is full */ }
  assert.equal(slow.allowed, 0);
  slow.window.consumed(FIRST_WINDOW);
  assert.equal(slow.allowed, FIRST_WINDOW);
  slow.window.close();
});

Deno.test("the first leaves something to the next", () => {
  const some = [start(), start(), start()];
  for (const each of some) {
    each.flow(FIRST_WINDOW, MIB);
    assert(each.allowed > 3 * FIRST_WINDOW, `${each.allowed}`);
  }
  for (const each of some) each.window.close();
});

Deno.test("all of them together have a limit, and who is over gives it back", () => {
  const many = Array.from({ length: 20 }, () => start());
  const extra = () =>
    many.reduce((sum, each) => sum + each.allowed - FIRST_WINDOW, 0);
  for (const each of many) each.flow(200 * MIB, MIB);
  const least = 20 * MIB; // less than all would get, were there no limit
  assert(extra() > least && extra() <= 48 * MIB, `${extra()}`);
  const late = start();
  late.flow(200 * MIB, MIB);
  assert(late.allowed <= FIRST_WINDOW);
  for (const each of many) {
    each.window.close();
    each.window.close();
    each.window.consumed(32 * MIB);
  }
  late.flow(200 * MIB, MIB);
  assert(late.allowed > 4 * FIRST_WINDOW);
  late.window.close();
  const last = Array.from({ length: 3 }, () => start());
  for (const each of last) each.flow(200 * MIB, MIB);
  const all = last.reduce((sum, { allowed }) => sum + allowed, 0);
  assert(all <= 48 * MIB + 3 * FIRST_WINDOW, `${all}`);
  for (const each of last) each.window.close();
});

Deno.test("more than was allowed is told, exactly", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          come: fc.nat({ max: 3 * MIB }),
          share: fc.double({ min: 0, max: 1, noNaN: true }),
        }),
      ),
      (steps) => {
        const each = start();
        let [waiting, total, consumed] = [0, 0, 0];
        for (const { come, share } of steps) {
          const { allowed } = each;
          const isTaken = each.receive(come);
          assert.equal(isTaken, come <= allowed);
          if (isTaken) [waiting, total] = [waiting + come, total + come];
          const read = Math.floor(waiting * share);
          each.window.consumed(read);
          [waiting, consumed] = [waiting - read, consumed + read];
          // what waits and what may still come is memory that we must have
          assert(waiting + each.allowed <= 32 * MIB);
        }
        each.window.close();
      },
    ),
  );
});

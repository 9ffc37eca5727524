import assert from "node:assert/strict";
import { Backoff } from "../../src/tunnel/backoff.ts";

Deno.test("the first attempt is at once, then the delay doubles to the maximum", () => {
  const backoff = new Backoff(30_000, () => 1);
  const delays = Array.from({ length: 8 }, () => backoff.next());
  assert.deepEqual(
    delays,
    [0, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000],
  );
});

Deno.test("jitter spreads over the whole delay", () => {
  let chance = 0;
  const backoff = new Backoff(30_000, () => chance);
  backoff.next();
  assert.equal(backoff.next(), 0);
  chance = 0.25;
  assert.equal(backoff.next(), 500);
});

Deno.test("a reset begins anew", () => {
  const backoff = new Backoff(30_000, () => 1);
  backoff.next();
  backoff.next();
  backoff.reset();
  assert.equal(backoff.next(), 0);
  assert.equal(backoff.next(), 1000);
});

Deno.test("a maximum below the first step holds from the start", () => {
  const backoff = new Backoff(200, () => 1);
  assert.deepEqual([backoff.next(), backoff.next(), backoff.next()], [
    0,
    200,
    200,
  ]);
});

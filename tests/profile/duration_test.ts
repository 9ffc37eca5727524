import assert from "node:assert/strict";
import { parseDuration } from "../../src/profile/duration.ts";

Deno.test("durations, a bare number being seconds", () => {
  const durations: [string | number, number][] = [
    ["500ms", 500],
    ["15s", 15_000],
    ["2m", 120_000],
    ["1h", 3_600_000],
    ["1h30m", 5_400_000],
    ["1.5s", 1500],
    ["15", 15_000],
    [15, 15_000],
    [0.5, 500],
    ["24h", 86_400_000],
  ];
  for (const [written, milliseconds] of durations) {
    assert.equal(parseDuration(written), milliseconds, `${written}`);
  }
});

Deno.test("what is no duration, or not a sane one, is refused", () => {
  for (const written of ["", "x", "15x", "s", "-1s", "1 s", "1e3", NaN]) {
    assert.throws(() => parseDuration(written), /is not a duration/);
  }
  for (const written of ["0", 0, "0s", "0.1ms", "25h", 86_401]) {
    assert.throws(() => parseDuration(written), /more than 0 and at most 24h/);
  }
});

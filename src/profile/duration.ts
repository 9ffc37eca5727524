/**
 * Durations as people write them: `500ms`, `15s`, `2m`, `1h`, `1h30m`.
 *
 * @module
 */

import { I2ptunError } from "../errors.ts";

const MILLISECONDS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** The longest duration accepted: 24 hours, in milliseconds. */
export const LONGEST_DURATION = 24 * MILLISECONDS.h;

/**
 * Reads a duration. A bare number, as text or not, is seconds, and units may
 * follow one another, both as in sshd_config(5) "TIME FORMATS".
 *
 * @returns milliseconds, a whole number from 1 to {@link LONGEST_DURATION}
 * @throws I2ptunError "usage" if it is not a duration or not in that range
 */
export function parseDuration(written: string | number): number {
  const text = String(written).trim();
  const milliseconds = Math.round(
    /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : sumOfUnits(text),
  );
  if (Number.isNaN(milliseconds)) {
    throw new I2ptunError("usage", `"${text}" is not a duration`, {
      remedy: "write it as 500ms, 15s, 2m or 1h",
    });
  }
  if (milliseconds < 1 || milliseconds > LONGEST_DURATION) {
    throw new I2ptunError(
      "usage",
      `duration "${text}" must be more than 0 and at most 24h`,
    );
  }
  return milliseconds;
}

function sumOfUnits(text: string): number {
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) return NaN;
  let sum = 0;
  for (const [, amount, unit] of text.matchAll(/([\d.]+)(ms|s|m|h)/g)) {
    sum += Number(amount) * MILLISECONDS[unit as keyof typeof MILLISECONDS];
  }
  return sum;
}

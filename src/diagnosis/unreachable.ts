/**
 * What a check would say of a server that could not be reached, for those who
 * only wanted to connect.
 *
 * @module
 */

import { I2ptunError } from "../errors.ts";
import { TimeLimit } from "../forward/time_limit.ts";
import { findAddresses } from "../ssh/dial.ts";
import type { Clock } from "../tunnel/clock.ts";
import type { FailedHop } from "../tunnel/connect.ts";
import type { Hop } from "../tunnel/route.ts";
import { ipv6Only } from "./explain.ts";
import { otherPort } from "./way.ts";

/** A name that was just looked up takes less. */
const LOOKUP_MS = 1500;

/**
 * Adds to an error what only shows by asking further: that the server has IPv6
 * only, or its SSH at another port.
 *
 * @throws the reason of `signal`
 */
export async function explainUnreachable(
  error: I2ptunError,
  { hop, via, signal }: FailedHop,
  clock: Clock,
): Promise<I2ptunError> {
  if (error.kind !== "unreachable" || via?.lost) return error;
  const { kind, message, why, details } = error;
  if (via === undefined) {
    const addresses = await lookUp(hop, signal, clock);
    if (addresses.length === 0) return error;
    const without = ipv6Only(addresses);
    if (without) {
      const { cause, try: remedy } = without;
      return new I2ptunError(kind, message, { why: cause, remedy, details });
    }
  }
  const other = await otherPort(hop, via, { clock, signal });
  return other === undefined
    ? error
    : new I2ptunError(kind, message, { why, remedy: other.try, details });
}

async function lookUp(
  { host, family }: Hop,
  signal: AbortSignal,
  { sleep }: Clock,
): Promise<string[]> {
  const late = new I2ptunError("unreachable", "the lookup took too long");
  using limit = new TimeLimit(sleep, LOOKUP_MS, late);
  const any = AbortSignal.any([signal, limit.signal]);
  const addresses = await findAddresses({ host, family, signal: any })
    .catch(() => []);
  signal.throwIfAborted();
  return addresses;
}

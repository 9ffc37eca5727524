/**
 * What a check would say of a server that could not be reached, for those who
 * only wanted to connect.
 *
 * @module
 */

import { I2ptunError } from "../errors.ts";
import { TimeLimit } from "../forward/time_limit.ts";
import { findAddresses } from "../ssh/dial.ts";
import type { Route } from "../tunnel/route.ts";
import { ipv6Only } from "./explain.ts";
import { otherPort, type WayOptions } from "./way.ts";

/** A name that was just looked up takes less. */
const LOOKUP_MS = 1500;

/**
 * Adds to an error what only shows by asking further: that the server has IPv6
 * only, or its SSH at another port. Behind a jump host nothing more is asked.
 *
 * @throws the reason of `signal`
 */
export async function explainUnreachable(
  error: I2ptunError,
  { hops: [hop, ...others] }: Route,
  options: Pick<WayOptions, "clock" | "signal">,
): Promise<I2ptunError> {
  if (error.kind !== "unreachable" || others.length > 0) return error;
  const { signal, clock } = options;
  const { kind, message, why, details } = error;
  const late = new I2ptunError("unreachable", "the lookup took too long");
  using limit = new TimeLimit(clock.sleep, LOOKUP_MS, late);
  const addresses = await findAddresses({
    host: hop.host,
    family: hop.family,
    signal: AbortSignal.any([signal, limit.signal]),
  }).catch(() => []);
  signal.throwIfAborted();
  if (addresses.length === 0) return error;
  const without = ipv6Only(addresses);
  if (without) {
    const { cause, try: remedy } = without;
    return new I2ptunError(kind, message, { why: cause, remedy, details });
  }
  const other = await otherPort(hop, undefined, options);
  return other === undefined
    ? error
    : new I2ptunError(kind, message, { why, remedy: other.try, details });
}

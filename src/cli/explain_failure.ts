import { systemClock } from "../tunnel/clock.ts";
import type { Explain } from "../tunnel/connect.ts";

/** Adds to an error what a check would find out besides. */
export const explainFailure: Explain = async (error, failed) => {
  if (error.kind !== "unreachable") return error;
  // what finds it out is loaded only then
  const { explainUnreachable } = await import("../diagnosis/unreachable.ts");
  return await explainUnreachable(error, failed, systemClock);
};

import { runInBackground } from "../../background/launch.ts";
import { explainFailure } from "../explain_failure.ts";
import type { Surroundings } from "../surroundings.ts";

/** The process that `profile start` starts; not for people. */
export async function background(surroundings: Surroundings): Promise<void> {
  await runInBackground(surroundings.environment, explainFailure);
}

/**
 * What every command needs: the user's surroundings and the global flags. Apart
 * from the rest of the context (`context.ts`), as some commands need nothing else and start sooner.
 *
 * @module
 */

import { resolve } from "node:path";
import {
  currentEnvironment,
  type Environment,
  type Paths,
  pathsOf,
} from "../platform/paths.ts";
import { useColour } from "./output.ts";

export interface GlobalFlags {
  config?: string | undefined;
  json?: boolean | undefined;
  debug?: boolean | undefined;
  color?: boolean | undefined;
}

export interface Surroundings {
  environment: Environment;
  paths: Paths;
  /** The profiles file, absolute. */
  config: string;
  json: boolean;
  debug: boolean;
}

export function openSurroundings(flags: GlobalFlags): Surroundings {
  useColour(flags.color ?? true);
  const environment = currentEnvironment();
  const paths = pathsOf(environment);
  return {
    environment,
    paths,
    config: resolve(flags.config ?? paths.profiles),
    json: flags.json ?? false,
    debug: flags.debug ?? false,
  };
}

/**
 * What every command needs: the user's surroundings and the global flags.
 *
 * @module
 */

import { resolve } from "node:path";
import { RunFolder } from "../background/records.ts";
import { runningStatus } from "../background/running.ts";
import {
  currentEnvironment,
  type Environment,
  type Paths,
  pathsOf,
} from "../platform/paths.ts";
import type { Profile } from "../profile/profile.ts";
import { formatServerAddress } from "../profile/server_address.ts";
import { ProfileStore } from "../profile/store.ts";
import { resolveRoute } from "../tunnel/route.ts";
import { stoppedStatus, type TunnelStatus } from "../tunnel/status.ts";
import { useColour } from "./output.ts";

export interface GlobalFlags {
  config?: string | undefined;
  json?: boolean | undefined;
  debug?: boolean | undefined;
  color?: boolean | undefined;
}

export interface Context {
  environment: Environment;
  paths: Paths;
  /** The profiles file, absolute. */
  config: string;
  store: ProfileStore;
  folder: RunFolder;
  json: boolean;
  debug: boolean;
}

export function openContext(flags: GlobalFlags): Context {
  useColour(flags.color ?? true);
  const environment = currentEnvironment();
  const paths = pathsOf(environment);
  const config = resolve(flags.config ?? paths.profiles);
  return {
    environment,
    paths,
    config,
    store: new ProfileStore(config),
    folder: new RunFolder(paths.run),
    json: flags.json ?? false,
    debug: flags.debug ?? false,
  };
}

/** The status of a profile, running or not. */
export async function statusOf(
  profile: Profile,
  context: Context,
): Promise<TunnelStatus> {
  return await runningStatus(context.folder, profile.name) ??
    stoppedStatus(profile, await serverOf(profile, context.environment));
}

/** `user@host:port`, as far as ssh_config can be read. */
async function serverOf(
  profile: Profile,
  environment: Environment,
): Promise<string> {
  try {
    return (await resolveRoute(profile, environment)).server.login;
  } catch {
    return formatServerAddress(profile.server);
  }
}

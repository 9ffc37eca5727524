/**
 * What most commands need: the profiles and those that run.
 *
 * @module
 */

import { RunFolder } from "../background/records.ts";
import { runningStatus } from "../background/running.ts";
import type { Environment } from "../platform/paths.ts";
import type { Profile } from "../profile/profile.ts";
import { formatServerAddress } from "../profile/server_address.ts";
import { ProfileStore } from "../profile/store.ts";
import { resolveRoute } from "../tunnel/route.ts";
import { stoppedStatus, type TunnelStatus } from "../tunnel/status.ts";
import {
  type GlobalFlags,
  openSurroundings,
  type Surroundings,
} from "./surroundings.ts";

export interface Context extends Surroundings {
  store: ProfileStore;
  folder: RunFolder;
}

export function openContext(flags: GlobalFlags): Context {
  const surroundings = openSurroundings(flags);
  return {
    ...surroundings,
    store: new ProfileStore(surroundings.config),
    folder: new RunFolder(surroundings.paths.run),
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

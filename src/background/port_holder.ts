/**
 * Who holds a port of this machine: a tunnel of this program, by its name, or
 * another program.
 *
 * @module
 */

import type { PortHolder } from "../forward/listener.ts";
import type { System } from "../platform/paths.ts";
import { portOwner } from "../platform/port_owner.ts";
import type { RunFolder } from "./records.ts";
import { runningStatus } from "./running.ts";

/**
 * Finds out who holds a port.
 *
 * @param except a profile that is not asked
 * @returns undefined if the system does not say
 */
export async function portHolder(
  port: number,
  folder: RunFolder,
  system: System,
  except?: string,
): Promise<PortHolder | undefined> {
  for (const name of await folder.names()) {
    if (name === except) continue;
    const status = await runningStatus(folder, name);
    if (status?.pid == null) continue;
    const holds = status.forwards.some(({ kind, listen }) =>
      kind !== "remote" && listen.some((at) => at.endsWith(`:${port}`))
    );
    if (holds) {
      return {
        name: `the profile ${name} (pid ${status.pid})`,
        stop: `i2ptun profile stop ${name}`,
      };
    }
  }
  const program = await portOwner(port, system);
  return program === undefined ? undefined : { name: program };
}

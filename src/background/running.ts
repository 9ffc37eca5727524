/**
 * The profiles that run now, as seen from any other process.
 *
 * @module
 */

import { I2ptunError } from "../errors.ts";
import type { TunnelStatus } from "../tunnel/status.ts";
import { askControl } from "./control.ts";
import { removeControl } from "./control_socket.ts";
import type { RunFolder } from "./records.ts";

/**
 * The status of a profile that runs or has failed; undefined if it is stopped.
 * A record that a killed process left counts as stopped.
 */
export async function runningStatus(
  folder: RunFolder,
  name: string,
): Promise<TunnelStatus | undefined> {
  const record = await folder.read(name);
  if (!record) return undefined;
  return record.failed ??
    await askControl(record, { command: "status" });
}

/** Whether a process runs the profile. */
export async function isRunning(
  folder: RunFolder,
  name: string,
): Promise<boolean> {
  const status = await runningStatus(folder, name);
  return status !== undefined && status.state !== "failed";
}

/**
 * Waits until a profile that another process starts is up, keeps trying to be,
 * or has ended.
 *
 * @param signal ends the wait; its reason is thrown
 * @returns its status; undefined if there is no such process (yet, or any more)
 */
export async function waitUntilSettled(
  folder: RunFolder,
  name: string,
  signal: AbortSignal,
): Promise<TunnelStatus | undefined> {
  const record = await folder.read(name);
  if (!record || record.failed) return undefined;
  return await askControl(record, { command: "wait" }, signal);
}

/**
 * Stops a profile and waits until its ports are free.
 *
 * @returns whether it ran
 */
export async function stopRunning(
  folder: RunFolder,
  name: string,
): Promise<boolean> {
  const record = await folder.read(name);
  if (!record) return false;
  if (record.failed) {
    await folder.remove(name);
    return false;
  }
  const answer = await askControl(record, { command: "stop" });
  // what a killed process left
  if (answer === undefined) {
    await removeControl(record.control, folder.path);
    await folder.remove(name);
  }
  return answer !== undefined;
}

/** Another process runs this profile, which is no failure of a `start`. */
export class AlreadyRunningError extends I2ptunError {
  constructor(name: string) {
    super("usage", `${name} is already running`, {
      remedy: `i2ptun profile status ${name}`,
    });
  }
}

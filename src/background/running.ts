/**
 * The profiles that run now, as seen from any other process.
 *
 * @module
 */

import { I2ptunError } from "../errors.ts";
import { killProcess } from "../platform/run.ts";
import type { TunnelStatus } from "../tunnel/status.ts";
import { askControl, type ControlRequest } from "./control.ts";
import { removeControl } from "./control_socket.ts";
import type { RunFolder, RunRecord } from "./records.ts";

/**
 * How long a process may take to answer, in milliseconds. One that is suspended
 * (Ctrl-Z) or hangs never does, though the system lets others connect to it.
 */
const ANSWER_MS = 5000;

/** How often is looked whether a killed process has ended, in milliseconds. */
const LOOK_AGAIN_MS = 20;
const MAX_LOOKS = 100;

/**
 * The status of a profile that runs or has failed; undefined if it is stopped.
 * A record that a killed process left counts as stopped, and a process that does
 * not answer as failed.
 */
export async function runningStatus(
  folder: RunFolder,
  name: string,
): Promise<TunnelStatus | undefined> {
  const record = await folder.read(name);
  if (!record) return undefined;
  if (record.failed) return record.failed;
  const answer = await askInTime(record, { command: "status" });
  return answer === "silent" ? silentStatus(record) : answer;
}

async function askInTime(
  record: RunRecord,
  request: ControlRequest,
): Promise<TunnelStatus | undefined | "silent"> {
  const signal = AbortSignal.timeout(ANSWER_MS);
  return await askControl(record, request, signal).catch((error) => {
    if (signal.aborted) return "silent";
    throw error;
  });
}

function silentStatus({ name, pid }: RunRecord): TunnelStatus {
  return {
    name,
    state: "failed",
    pid: pid ?? null,
    server: "",
    since: null,
    reconnects: 0,
    lastError: "its process does not answer",
    forwards: [],
  };
}

/** Whether a process runs the profile. */
export async function isRunning(
  folder: RunFolder,
  name: string,
): Promise<boolean> {
  const status = await runningStatus(folder, name);
  return status !== undefined &&
    (status.state !== "failed" || status.pid !== null);
}

/**
 * Waits until a profile that another process starts is up, keeps trying to be,
 * or has ended.
 *
 * @param signal ends the wait; its reason is thrown
 * @returns its status; undefined if there is no such process (yet, or any more)
 * @throws {I2ptunError} if the process does not answer
 */
export async function waitUntilSettled(
  folder: RunFolder,
  name: string,
  signal: AbortSignal,
): Promise<TunnelStatus | undefined> {
  const record = await folder.read(name);
  if (!record || record.failed) return undefined;
  if (await askInTime(record, { command: "status" }) === "silent") {
    throw new I2ptunError(
      "unforeseen",
      `${name} is running already, but its process does not answer`,
      { remedy: `i2ptun profile restart ${name}` },
    );
  }
  return await askControl(record, { command: "wait" }, signal);
}

/**
 * Stops a profile and waits until its ports are free. A process that does not
 * answer is killed.
 *
 * @returns whether it ran
 * @throws {I2ptunError} if it does not answer and cannot be killed
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
  const answer = await askInTime(record, { command: "stop" });
  if (answer === "silent") await kill(folder, record);
  if (answer === undefined) await forget(folder, record).catch(() => {});
  return answer !== undefined;
}

/** Ends a process that does not answer, and removes what it leaves. */
async function kill(folder: RunFolder, record: RunRecord): Promise<void> {
  const { name, pid } = record;
  const isKilled = pid !== undefined && killProcess(pid);
  for (let i = 0; isKilled && i < MAX_LOOKS; i++) {
    // the system frees its lock with the process
    if (await forget(folder, record)) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
  throw new I2ptunError(
    "unforeseen",
    `${name} does not answer, and its process${
      pid === undefined ? "" : ` (${pid})`
    } cannot be ended`,
    { remedy: "end it as its owner, or as root" },
  );
}

/**
 * Removes what a killed process has left, unless the next one runs already.
 *
 * @returns whether it did
 */
async function forget(folder: RunFolder, record: RunRecord): Promise<boolean> {
  const lock = await folder.lock(record.name);
  if (!lock) return false;
  await removeControl(record.control, folder.path);
  await folder.remove(record.name);
  lock.release();
  return true;
}

/** Another process runs this profile, which is no failure of a `start`. */
export class AlreadyRunningError extends I2ptunError {
  constructor(name: string) {
    super("usage", `${name} is already running`, {
      remedy: `i2ptun profile status ${name}`,
    });
  }
}

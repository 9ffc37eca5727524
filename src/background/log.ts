/**
 * The log of a profile: one line an event, rotated, never beyond its limit.
 *
 * @module
 */

import { join } from "node:path";
import { getRotatingFileSink } from "@logtape/file";
import type { Sink } from "@logtape/logtape";
import type { Log, LogLevel } from "../log.ts";

/** The log of a profile in the folder for logs. */
export function logPath(folder: string, name: string): string {
  return join(folder, `${name}.log`);
}

const MAX_BYTES = 1024 * 1024;
/** Besides the current file; `NAME.log.1` is the newest of them. */
const MAX_OLD_FILES = 3;

/** All files of the log at `path`: itself, and those it is rotated to. */
export function logFiles(path: string): string[] {
  const old = Array.from(
    { length: MAX_OLD_FILES },
    (_, i) => `${path}.${i + 1}`,
  );
  return [path, ...old];
}

/** `2026-11-21T10:00:00.000Z info    home is up` */
export function formatLine(time: Date, level: LogLevel, message: string) {
  // one event stays one line, and no terminal is steered by what a server sent
  // deno-lint-ignore no-control-regex
  const text = message.replace(/[\x00-\x1f\x7f-\x9f]+/g, " ");
  return `${time.toISOString()} ${level.padEnd(7)} ${text}`;
}

/** For this user only, as the sink does not make it, after a rotation either. */
function keepPrivate(path: string): void {
  const { isFile, mode } = Deno.lstatSync(path);
  if (isFile && (mode! & 0o077) !== 0) Deno.chmodSync(path, 0o600);
}

/**
 * Opens a profile's log for appending.
 *
 * @param least events below this level are left out
 * @returns a log that never throws: a full disk must not end a tunnel
 */
export function openLog(path: string, least: "debug" | "info"): Log {
  let sink: Sink | undefined;
  return (level, message) => {
    if (level === "debug" && least !== "debug") return;
    try {
      sink ??= getRotatingFileSink(path, {
        maxSize: MAX_BYTES,
        maxFiles: MAX_OLD_FILES,
        bufferSize: 0,
        formatter: (record) => `${record.rawMessage as string}\n`,
      });
      const line = formatLine(new Date(), level, message);
      sink({
        category: [],
        level: level === "warning" ? "warning" : level,
        message: [line],
        rawMessage: line,
        timestamp: Date.now(),
        properties: {},
      });
      if (Deno.build.os !== "windows") keepPrivate(path);
    } catch {
      // tried again with the next event
    }
  };
}

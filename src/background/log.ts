/**
 * The log of a profile: one line an event, rotated, never beyond its limit.
 *
 * @module
 */

import { join } from "node:path";
import type { Log, LogLevel } from "../log.ts";
import { RotatingFile } from "./rotating_file.ts";

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

/** An event as `profile logs --json` tells it. */
export interface LogEvent {
  /** ISO 8601. */
  time: string;
  level: LogLevel;
  message: string;
}

/** Reads a line that {@link formatLine} made; undefined if it is none. */
export function parseLine(line: string): LogEvent | undefined {
  const match = /^(\S+Z) (debug|info|warning|error) +(.*)$/.exec(line);
  if (!match) return undefined;
  const [, time, level, message] = match as unknown as [
    string,
    string,
    LogLevel,
    string,
  ];
  return { time, level, message };
}

/**
 * Opens a profile's log for appending.
 *
 * @param least events below this level are left out
 * @returns a log that never throws: a full disk must not end a tunnel. What it
 *   could not write it tells with the next event that it can.
 */
export function openLog(path: string, least: "debug" | "info"): Log {
  const file = new RotatingFile(path, {
    maxBytes: MAX_BYTES,
    maxOld: MAX_OLD_FILES,
  });
  let lost = 0;
  let why = "";
  return (level, message) => {
    if (level === "debug" && least !== "debug") return;
    const time = new Date();
    try {
      if (lost > 0) {
        const notice = `${lost} event${
          lost === 1 ? "" : "s"
        } could not be written here: ${why}`;
        file.append(lineEnd(path) + formatLine(time, "warning", notice));
        lost = 0;
      }
      file.append(formatLine(time, level, message));
    } catch (error) {
      // tried again with the next event
      lost++;
      why = String((error as Error).message).replace(/ \(os error.*/, "");
    }
  };
}

/** A disk that becomes full may have taken only the beginning of a line. */
function lineEnd(path: string): string {
  try {
    const text = Deno.readTextFileSync(path);
    return text === "" || text.endsWith("\n") ? "" : "\n";
  } catch {
    return "";
  }
}

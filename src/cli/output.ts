/**
 * Writing to the terminal: results to standard output; progress, warnings and
 * errors to standard error.
 *
 * @module
 */

import type { I2ptunError } from "../errors.ts";
import type { StateName } from "../tunnel/status.ts";
import { explainDenial } from "./permissions.ts";

const encoder = new TextEncoder();

function write(to: typeof Deno.stdout | typeof Deno.stderr, text: string) {
  erasePassing();
  let bytes: Uint8Array = encoder.encode(text);
  try {
    while (bytes.length > 0) bytes = bytes.subarray(to.writeSync(bytes));
  } catch (error) {
    // the reader of a pipe may have enough, as in `i2ptun … | head`
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

let passing = false;

/**
 * Shows a line on the terminal behind standard error that goes away without a
 * trace when {@link erasePassing} is called or anything else is written.
 *
 * @param line must fit the width of the screen
 */
export function showPassing(line: string): void {
  write(Deno.stderr, line);
  passing = true;
}

/** Takes away what {@link showPassing} has shown. */
export function erasePassing(): void {
  if (!passing) return;
  passing = false;
  write(Deno.stderr, "\r\x1b[K");
}

/** Whether there is a terminal behind it that can do more than print. */
export function canDraw(to: { isTerminal(): boolean }): boolean {
  return to.isTerminal() && Deno.env.get("TERM") !== "dumb";
}

/** Empties the terminal behind standard error. */
export function clearScreen(): void {
  write(Deno.stderr, "\x1b[2J\x1b[H");
}

/** The terminal's size in characters; 80 by 24 where it is not known. */
export function screenSize(): { columns: number; rows: number } {
  try {
    const { columns, rows } = Deno.consoleSize();
    // some terminals, such as those of containers, say 0 by 0
    if (columns > 0 && rows > 0) return { columns, rows };
  } catch {
    // no terminal
  }
  return { columns: 80, rows: 24 };
}

/** How wide a line of the result may be: a file and a pipe take any. */
export function resultColumns(): number {
  return Deno.stdout.isTerminal() ? screenSize().columns : Infinity;
}

/** A line of the result. */
export function print(line: string): void {
  write(Deno.stdout, line + "\n");
}

/** Text of the result, as it is. */
export function printRaw(text: string): void {
  write(Deno.stdout, text);
}

/** The result for programs. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, undefined, 2));
}

/** A line of progress. */
export function say(line: string): void {
  write(Deno.stderr, line + "\n");
}

/** A warning. */
export function warn(message: string): void {
  say(warning(message));
}

/** A warning as it looks. */
export function warning(message: string): string {
  return `${styles.yellow("warning:")} ${message}`;
}

/** An error as everyone gets to see it. */
export function sayError(thrown: I2ptunError, debug: boolean): void {
  const error = explainDenial(thrown);
  for (const line of error.details) say(line);
  const { message, why } = error;
  const whole = why === undefined ? message : `${message}: ${why}`;
  say(`${styles.red("error:")} ${oneLine(whole)}`);
  if (error.remedy !== undefined) {
    say(`${styles.bold("try:")} ${oneLine(error.remedy)}`);
  }
  if (debug) {
    say(error.stack ?? "");
    if (error.cause instanceof Error) say(`caused by ${error.cause.stack}`);
  }
}

function oneLine(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, "; ");
}

let colour = false;

/** Decides about colours: https://no-color.org, --no-color, a real terminal. */
export function useColour(wanted: boolean): void {
  colour = wanted && !Deno.env.get("NO_COLOR") && canDraw(Deno.stdout) &&
    canDraw(Deno.stderr);
}

/** Whether colours are shown; what is not for plain terminals depends on it. */
export function hasColour(): boolean {
  return colour;
}

const style = (code: number) => (text: string) =>
  colour ? `\x1b[${code}m${text}\x1b[0m` : text;

export const styles = {
  bold: style(1),
  dim: style(2),
  red: style(31),
  green: style(32),
  yellow: style(33),
};

/**
 * Marks. The fonts of Windows' old console have little more than WGL4; its new
 * terminal says that it is one.
 */
export const SIGNS = Deno.build.os === "windows" && !Deno.env.get("WT_SESSION")
  ? { half: "~", cross: "×", tick: "√", pointer: ">" }
  : { half: "◐", cross: "✗", tick: "✓", pointer: "❯" };

/** A state, marked by shape and by colour. */
export function showState(state: StateName): string {
  return {
    up: styles.green("● up"),
    connecting: styles.yellow(`${SIGNS.half} connecting`),
    reconnecting: styles.yellow(`${SIGNS.half} reconnecting`),
    failed: styles.red(`${SIGNS.cross} failed`),
    stopped: styles.dim("○ stopped"),
  }[state];
}

/** `1.2 MB`; powers of 1000, as ss(8) and browsers show them. */
export function showBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

/** How long ago, in its two largest units: `2 h 5 min`. */
export function showDuration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const parts: [number, string][] = [
    [Math.floor(seconds / 86400), "d"],
    [Math.floor(seconds / 3600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
  ];
  const first = parts.findIndex(([value]) => value > 0);
  if (first < 0) return "0 s";
  return parts.slice(first, first + 2).filter(([value]) => value > 0)
    .map(([value, unit]) => `${value} ${unit}`).join(" ");
}

/**
 * The Escape key while nothing is asked, as while it connects. Only in the menu:
 * it needs the terminal to pass on single keys, which takes Ctrl-Z and the like
 * away from the shell's jobs.
 *
 * @module
 */

import process from "node:process";
import { emitKeypressEvents, type Interface } from "node:readline";

/** Time for the rest of a key's sequence, which begins as Escape does. */
const ESCAPE_MS = 50;

/** Told of a key, the last first. */
const listeners: ((key: "escape" | "ctrl-c") => void)[] = [];
/** How many questions have the terminal for themselves. */
let asking = 0;

/** Turns what is typed into events; once is enough. */
export function readKeys(): void {
  // the first to call decides how long Escape takes
  emitKeypressEvents(
    process.stdin,
    { escapeCodeTimeout: ESCAPE_MS } as unknown as Interface,
  );
}

/**
 * Calls `pressed` for Escape and Ctrl-C, as long as the result is in use and
 * while no question is asked.
 */
export function onEscape(
  pressed: (key: "escape" | "ctrl-c") => void,
): Disposable {
  listeners.push(pressed);
  if (listeners.length === 1) begin();
  return {
    [Symbol.dispose]() {
      listeners.splice(listeners.indexOf(pressed), 1);
      if (listeners.length === 0) end();
    },
  };
}

/** Runs a question, which reads the keys itself. */
export async function withoutEscape<T>(ask: () => Promise<T>): Promise<T> {
  if (listeners.length > 0 && asking === 0) end();
  asking++;
  try {
    return await ask();
  } finally {
    asking--;
    if (listeners.length > 0 && asking === 0) begin();
  }
}

function begin(): void {
  readKeys();
  process.stdin.on("keypress", onKey);
  process.stdin.setRawMode(true);
  process.stdin.resume();
}

function end(): void {
  process.stdin.off("keypress", onKey);
  process.stdin.setRawMode(false);
  process.stdin.pause();
}

function onKey(_text: unknown, key?: { name?: string; ctrl?: boolean }): void {
  if (key?.name === "escape") listeners.at(-1)?.("escape");
  if (key?.name === "c" && key.ctrl) listeners.at(-1)?.("ctrl-c");
}

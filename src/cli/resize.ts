/**
 * Noticing that the window has another size.
 *
 * @module
 */

import { screenSize } from "./output.ts";

/** Windows sends no signal, so it is asked. */
const POLL_MS = 300;

/** In characters. */
export interface Size {
  columns: number;
  rows: number;
}

/**
 * Calls `changed` whenever the terminal has another size than before.
 *
 * @param known the size it had at first
 * @returns stops that
 */
export function onResize(
  known: Size,
  changed: (size: Size) => void,
): () => void {
  let { columns, rows } = known;
  const look = () => {
    const now = screenSize();
    if (now.columns === columns && now.rows === rows) return;
    ({ columns, rows } = now);
    changed(now);
  };
  if (Deno.build.os === "windows") {
    const timer = setInterval(look, POLL_MS);
    return () => clearInterval(timer);
  }
  Deno.addSignalListener("SIGWINCH", look);
  look(); // nobody was told before
  return () => Deno.removeSignalListener("SIGWINCH", look);
}

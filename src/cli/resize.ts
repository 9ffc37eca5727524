/**
 * Noticing that the window has another size.
 *
 * @module
 */

import { screenSize } from "./output.ts";

/** Windows sends no signal, so it is asked. */
const POLL_MS = 300;

/**
 * Calls `changed` whenever the terminal has another size.
 *
 * @returns stops that
 */
export function onResize(
  changed: (size: { columns: number; rows: number }) => void,
): () => void {
  let { columns, rows } = screenSize();
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
  return () => Deno.removeSignalListener("SIGWINCH", look);
}

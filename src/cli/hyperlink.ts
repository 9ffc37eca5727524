/**
 * Addresses that can be clicked, where the terminal can: OSC 8, as described at
 * https://gist.github.com/egmontkob/eb114294efbcd5adb1944c9f3cb5feda.
 *
 * @module
 */

import { createSupportsHyperlinks } from "supports-hyperlinks";
import { hasColour } from "./output.ts";

/** `text`, with the page behind it if the terminal shows such links. */
export function link(url: string, text: string = url): string {
  // a real terminal, and nobody who wants plain text
  const able = hasColour() && createSupportsHyperlinks({ isTTY: true });
  return able ? `\x1b]8;;${url}\x1b\\${text}\x1b]8;;\x1b\\` : text;
}

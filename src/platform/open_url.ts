/**
 * Opens a page in the user's browser.
 *
 * @module
 */

import type { System } from "./paths.ts";
import { output } from "./run.ts";

/**
 * By when an opener has said that it cannot. Where xdg-open(1) knows of no
 * desktop, it stays for as long as the browser that it starts.
 */
const PATIENCE_MS = 3000;

/** @returns whether the system knew how to */
export async function openUrl(url: string, system: System): Promise<boolean> {
  const { promise: patience, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(resolve, PATIENCE_MS, true);
  try {
    return await Promise.race([opener(url, system), patience]);
  } finally {
    clearTimeout(timer);
  }
}

async function opener(url: string, system: System): Promise<boolean> {
  switch (system) {
    case "linux":
      return await output("xdg-open", url) !== undefined;
    case "darwin":
      return await output("open", url) !== undefined;
    case "windows":
      return await output("rundll32", "url.dll,FileProtocolHandler", url) !==
        undefined;
  }
}

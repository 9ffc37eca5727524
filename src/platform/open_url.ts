/**
 * Opens a page in the user's browser.
 *
 * @module
 */

import type { System } from "./paths.ts";
import { output } from "./run.ts";

/** @returns whether the system knew how to */
export async function openUrl(url: string, system: System): Promise<boolean> {
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

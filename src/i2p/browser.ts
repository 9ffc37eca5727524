/**
 * The folder with which a browser of its own is started, whose only way out is
 * a tunnel's I2P proxy.
 *
 * @module
 */

import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { I2ptunError } from "../errors.ts";
import type { Browser } from "../platform/browsers.ts";
import type { Environment, Paths } from "../platform/paths.ts";
import {
  chromiumArguments,
  chromiumSettings,
  type Settings,
} from "./chromium.ts";
import { firefoxArguments, firefoxFiles } from "./firefox.ts";
import { type StartPage, startPage } from "./start_page.ts";

/** Where the browser's profile for a tunnel's profile is. */
export function browserFolder(
  name: string,
  browser: Browser,
  environment: Environment,
  paths: Paths,
): string {
  const parent = browser.snap === undefined
    ? join(paths.state, "browser")
    : join(environment.home, "snap", browser.snap, "common", "i2ptun");
  // absolute also if I2PTUN_STATE_DIR is not: the browser is told its path
  return resolve(parent, `${name}.${browser.name}`);
}

/**
 * Makes the folder, or brings it up to date, and gives the arguments to start
 * the browser with. What the browser keeps there, such as bookmarks, stays.
 *
 * @param url what to open; the start page if undefined
 * @throws {I2ptunError} if the folder cannot be written
 */
export async function prepareBrowser(
  browser: Browser,
  folder: string,
  page: StartPage,
  url?: string,
): Promise<string[]> {
  const startFile = join(folder, "start.html");
  const start = pathToFileURL(startFile).href;
  try {
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    if (Deno.build.os !== "windows") await Deno.chmod(folder, 0o700);
    await write(startFile, startPage(page));
    if (browser.family === "firefox") {
      const files = firefoxFiles(page, start);
      for (const [name, text] of Object.entries(files)) {
        await write(join(folder, name), text);
      }
      return firefoxArguments(folder, url ?? start);
    }
    for (const [name, settings] of Object.entries(chromiumSettings(start))) {
      await writeSettings(join(folder, name), settings);
    }
    return chromiumArguments(folder, url ?? start, page);
  } catch (cause) {
    throw new I2ptunError(
      "unforeseen",
      `cannot write the browser's profile ${folder}: ${
        cause instanceof Error ? cause.message : cause
      }`,
      { remedy: "make it writable, or set I2PTUN_STATE_DIR", cause },
    );
  }
}

async function write(path: string, text: string): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.new`;
  await Deno.writeTextFile(temporary, text, { mode: 0o600 });
  await Deno.rename(temporary, path);
}

/** Into what the browser has there; it starts anew from a file it cannot read. */
async function writeSettings(path: string, ours: Settings): Promise<void> {
  let theirs: unknown = {};
  try {
    theirs = JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    const fine = error instanceof Deno.errors.NotFound ||
      error instanceof SyntaxError;
    if (!fine) throw error;
  }
  await write(path, JSON.stringify(merged(theirs, ours)));
}

function merged(theirs: unknown, ours: Settings): Settings {
  const result: Settings = isSettings(theirs) ? { ...theirs } : {};
  for (const [name, value] of Object.entries(ours)) {
    result[name] = isSettings(value) ? merged(result[name], value) : value;
  }
  return result;
}

function isSettings(value: unknown): value is Settings {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

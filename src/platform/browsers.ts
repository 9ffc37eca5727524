/**
 * Finds a Firefox or Chromium, where each system has such programs.
 *
 * @module
 */

import { posix, win32 } from "node:path";
import type { Environment, System } from "./paths.ts";

/** Browsers of one family take the same arguments and settings. */
export type BrowserFamily = "firefox" | "chromium";

/** A browser that is installed. */
export interface Browser {
  name: string;
  /** For people. */
  title: string;
  family: BrowserFamily;
  /** The program, absolute. */
  program: string;
  /**
   * The snap it comes from. A snap sees nothing of hidden folders in the home
   * folder, only its own, `~/snap/SNAP/common` among them.
   */
  snap?: string;
}

interface KnownBrowser {
  name: string;
  title: string;
  family: BrowserFamily;
  /** On PATH, the first that is there. */
  commands: readonly string[];
  /** Below /Applications or ~/Applications. */
  darwin: string;
  /** Below a folder for programs. */
  windows: string;
}

/**
 * In the order of preference: in Firefox WebRTC can be switched off altogether.
 * Not Edge: parts of Windows ask Microsoft about its pages, by ways of their own.
 */
const BROWSERS: readonly KnownBrowser[] = [
  {
    name: "firefox",
    title: "Firefox",
    family: "firefox",
    commands: ["firefox", "firefox-esr"],
    darwin: "Firefox.app/Contents/MacOS/firefox",
    windows: "Mozilla Firefox\\firefox.exe",
  },
  {
    name: "librewolf",
    title: "LibreWolf",
    family: "firefox",
    commands: ["librewolf"],
    darwin: "LibreWolf.app/Contents/MacOS/librewolf",
    windows: "LibreWolf\\librewolf.exe",
  },
  {
    name: "chromium",
    title: "Chromium",
    family: "chromium",
    commands: ["chromium", "chromium-browser"],
    darwin: "Chromium.app/Contents/MacOS/Chromium",
    windows: "Chromium\\Application\\chrome.exe",
  },
  {
    name: "brave",
    title: "Brave",
    family: "chromium",
    commands: ["brave-browser", "brave"],
    darwin: "Brave Browser.app/Contents/MacOS/Brave Browser",
    windows: "BraveSoftware\\Brave-Browser\\Application\\brave.exe",
  },
  {
    name: "chrome",
    title: "Chrome",
    family: "chromium",
    commands: ["google-chrome", "google-chrome-stable"],
    darwin: "Google Chrome.app/Contents/MacOS/Google Chrome",
    windows: "Google\\Chrome\\Application\\chrome.exe",
  },
];

/** The names that {@link findBrowser} knows. */
export const BROWSER_NAMES: readonly string[] = BROWSERS.map(({ name }) =>
  name
);

/** What {@link findBrowser} looks at; a test has other files. */
export interface Files {
  isProgram(path: string): boolean;
  /** The beginning of a file, as text. */
  head(path: string): string;
}

/**
 * The first browser that is installed, or the one named.
 *
 * @param wanted one of {@link BROWSER_NAMES}
 * @returns undefined if there is none
 */
export function findBrowser(
  environment: Environment,
  wanted?: string,
  files: Files = REAL_FILES,
): Browser | undefined {
  for (const known of BROWSERS) {
    if (wanted !== undefined && known.name !== wanted) continue;
    const program = candidates(known, environment).find(files.isProgram);
    if (program === undefined) continue;
    const { name, title, family } = known;
    const snap = environment.system === "linux"
      ? snapOf(program, files)
      : undefined;
    return {
      name,
      title,
      family,
      program,
      ...(snap === undefined ? {} : { snap }),
    };
  }
}

function candidates(
  known: KnownBrowser,
  { system, home, variable }: Environment,
): string[] {
  const found: Record<System, () => string[]> = {
    linux: () => [],
    darwin: () =>
      ["/Applications", posix.join(home, "Applications")].map((folder) =>
        posix.join(folder, known.darwin)
      ),
    windows: () =>
      ["ProgramFiles", "ProgramFiles(x86)", "LOCALAPPDATA"].map(variable)
        .filter((folder) => folder !== undefined)
        .map((folder) => win32.join(folder, known.windows)),
  };
  return [...found[system](), ...onPath(known.commands, system, variable)];
}

function onPath(
  commands: readonly string[],
  system: System,
  variable: Environment["variable"],
): string[] {
  const { join, delimiter, isAbsolute } = system === "windows" ? win32 : posix;
  const folders = (variable("PATH") ?? "").split(delimiter)
    // never a program that lies in the folder one happens to be in
    .filter((folder) => isAbsolute(folder));
  const suffix = system === "windows" ? ".exe" : "";
  return commands.flatMap((command) =>
    folders.map((folder) => join(folder, command + suffix))
  );
}

/** Ubuntu's /usr/bin/firefox is a script that starts the snap. */
function snapOf(program: string, files: Files): string | undefined {
  const inSnap = /(?:^|[\s"'])\/snap\/bin\/([a-z0-9-]+)/;
  return inSnap.exec(program)?.[1] ?? inSnap.exec(files.head(program))?.[1];
}

const REAL_FILES: Files = {
  isProgram(path) {
    try {
      const { isFile, mode } = Deno.statSync(path);
      return isFile && (mode === null || (mode & 0o111) !== 0);
    } catch {
      return false;
    }
  },
  head(path) {
    try {
      using file = Deno.openSync(path);
      const bytes = new Uint8Array(4096);
      const length = file.readSync(bytes) ?? 0;
      const text = new TextDecoder().decode(bytes.subarray(0, length));
      return text.startsWith("#!") ? text : "";
    } catch {
      return "";
    }
  },
};

import assert from "node:assert/strict";
import {
  type Browser,
  BROWSER_NAMES,
  findBrowser,
} from "../../src/platform/browsers.ts";
import type { System } from "../../src/platform/paths.ts";

/** Finds on a machine with these files, by path, each with its beginning. */
function find(
  system: System,
  files: Record<string, string>,
  variables: Record<string, string> = {},
  wanted?: string,
): Browser | undefined {
  const environment = {
    system,
    home: "/home/me",
    userName: "me",
    variable: (name: string) => variables[name],
  };
  return findBrowser(environment, wanted, {
    isProgram: (path) => Object.hasOwn(files, path),
    head: (path) => files[path] ?? "",
  });
}

const PATH = { PATH: "/usr/bin:bin:/snap/bin" };

Deno.test("on Linux browsers are on PATH", () => {
  const files = { "/usr/bin/chromium": "", "/usr/bin/firefox-esr": "" };
  assert.deepEqual(find("linux", files, PATH), {
    name: "firefox",
    title: "Firefox",
    family: "firefox",
    program: "/usr/bin/firefox-esr",
  });
  assert.equal(
    find("linux", files, PATH, "chromium")?.program,
    "/usr/bin/chromium",
  );
  assert.equal(find("linux", files, PATH, "brave"), undefined);
  assert.equal(find("linux", { "/home/me/firefox": "" }, PATH), undefined);
  assert.equal(find("linux", { "bin/firefox": "" }, PATH), undefined);
});

Deno.test("a snap is known by its folder, or by the script that starts it", () => {
  const script =
    `#!/bin/sh\nif ! [ -x /snap/bin/firefox ]; then\nexit 1\nfi\n` +
    `exec /snap/bin/firefox "$@"\n`;
  assert.equal(
    find("linux", { "/usr/bin/firefox": script }, PATH)?.snap,
    "firefox",
  );
  assert.equal(
    find("linux", { "/snap/bin/chromium": "" }, PATH)?.snap,
    "chromium",
  );
});

Deno.test("on macOS browsers are applications", () => {
  const chrome =
    "/home/me/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";
  assert.deepEqual(find("darwin", { [chrome]: "" }), {
    name: "chrome",
    title: "Chrome",
    family: "chromium",
    program: chrome,
  });
});

Deno.test("on Windows browsers are below the folders for programs", () => {
  const firefox = "C:\\Program Files\\Mozilla Firefox\\firefox.exe";
  const chrome =
    "C:\\Users\\me\\AppData\\Local\\Google\\Chrome\\Application\\" +
    "chrome.exe";
  const variables = {
    "ProgramFiles": "C:\\Program Files",
    "LOCALAPPDATA": "C:\\Users\\me\\AppData\\Local",
  };
  const files = { [firefox]: "", [chrome]: "" };
  assert.equal(find("windows", files, variables)?.program, firefox);
  assert.equal(find("windows", files, variables, "chrome")?.program, chrome);
  assert.equal(find("windows", files), undefined);
});

Deno.test("every browser can be named", () => {
  const files = Object.fromEntries(
    ["firefox", "librewolf", "chromium", "brave", "google-chrome"].map(
      (command) => [`/usr/bin/${command}`, ""],
    ),
  );
  for (const name of BROWSER_NAMES) {
    assert.equal(find("linux", files, PATH, name)?.name, name);
  }
});

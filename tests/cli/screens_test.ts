/**
 * The screens in README.md and docs/ are what the program shows. What they have
 * in common with each other is one tunnel, `home`.
 */
import assert from "node:assert/strict";
import { listView, profileView } from "../../src/cli/menu_view.ts";
import { showStarted, showStatus } from "../../src/cli/status_view.ts";
import type { ForwardStatus, TunnelStatus } from "../../src/tunnel/status.ts";

const NOW = new Date("2026-11-22T12:05:00Z");
const SERVER = "i2p@20.228.143.58:22";

function text(file: string): string {
  return Deno.readTextFileSync(new URL(`../../${file}`, import.meta.url));
}

function forward(
  service: string,
  port: number,
  [open, total, sent, received] = [0, 0, 0, 0],
): ForwardStatus {
  return {
    ...{ name: service, service, kind: "local" },
    listen: [`127.0.0.1:${port}`, `[::1]:${port}`],
    target: `127.0.0.1:${port}`,
    connections: { open: open!, total: total! },
    bytes: { sent: sent!, received: received! },
  };
}

function home(
  since: string,
  forwards: ForwardStatus[],
): TunnelStatus {
  return {
    ...{ name: "home", state: "up", pid: 4242, server: SERVER, since },
    ...{ reconnects: 0, lastError: null, forwards },
  };
}

/** After two hours of use. */
const used = (console: ForwardStatus) =>
  home("2026-11-22T10:00:00Z", [
    console,
    forward("http-proxy", 4444, [3, 51, 74_200, 12_100_000]),
  ]);

const MENU = { inFile: true, atLogin: false, browser: "Firefox" };

/** As live_menu.ts puts them under each other. */
function menuOf(
  { header, choices }: ReturnType<typeof listView>,
): string {
  const lines = choices.map(({ label }, i) =>
    `${i === 0 ? "❯" : " "} ${label}`
  );
  return [...header, "", ...lines].join("\n");
}

function assertShows(file: string, lines: string[] | string): void {
  const screen = typeof lines === "string" ? lines : lines.join("\n");
  assert(text(file).includes(`\n${screen}\n`), `${file} has not\n${screen}`);
}

Deno.test("README shows the menu, start and status as they are", () => {
  const console = forward("console", 7657, [1, 12, 1000, 88_200]);
  assertShows("README.md", menuOf(profileView(used(console), NOW, MENU)));
  assertShows("README.md", showStarted(used(console)));
  assertShows("README.md", showStatus(used(console), NOW));
});

Deno.test("the first steps show the menu as it is", () => {
  const console = forward("i2pd-console", 7070, [0, 12, 1000, 88_200]);
  const file = "docs/first-steps.md";
  assertShows(file, showStarted(used(console)));
  assertShows(file, menuOf(profileView(used(console), NOW, MENU)));
  const other: TunnelStatus = {
    ...{
      name: "vps",
      state: "stopped",
      pid: null,
      server: "me@final-server:2222",
    },
    ...{ since: null, reconnects: 0, lastError: null, forwards: [] },
  };
  assertShows(file, menuOf(listView([used(console), other], false)));
});

Deno.test("the troubles are shown as a status shows them", () => {
  const console = {
    ...forward("console", 7657, [0, 1, 0, 0]),
    problem: "127.0.0.1:7657: nothing answers there (Connection refused)",
  };
  assertShows(
    "docs/troubleshooting.md",
    showStatus(home("2026-11-22T11:59:48Z", [console]), NOW),
  );
});

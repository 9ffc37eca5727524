/**
 * What the tests on Windows begin with.
 *
 * @module
 */
import assert from "node:assert/strict";
import { dirname } from "node:path";
import {
  isFree,
  type Page,
  show,
  startPage,
  type Status,
} from "../e2e/setup.ts";
import { freePort } from "../support/ports.ts";
import type { RunOptions } from "../support/program.ts";
import { type Requirement, testWith } from "../support/requirements.ts";
import { execute } from "../support/scratch.ts";
import { type Sshd, startSshd } from "../support/sshd.ts";
import { WindowsMachine } from "../support/wine.ts";

let machine: Promise<WindowsMachine> | undefined;

/** One machine for all tests of a file: it takes seconds to start. */
export function windowsMachine(): Promise<WindowsMachine> {
  return machine ??= WindowsMachine.start();
}

Deno.test.afterAll(async () => {
  await (await machine)?.[Symbol.asyncDispose]();
});

/** A test on Windows, whose user afterwards has no tunnels and no files left. */
export function testWindows(
  name: string,
  fn: (machine: WindowsMachine) => Promise<void>,
  requirements: Requirement[] = [],
): void {
  testWith(
    ["windows", "sshd", ...requirements],
    `Windows: ${name}`,
    async () => {
      const machine = await windowsMachine();
      try {
        await fn(machine);
      } finally {
        await machine.run(["profile", "stop", "--all"]);
        for (const folder of [CONFIG, STATE, SSH]) {
          await Deno.remove(`${machine.home}/${folder}`, { recursive: true })
            .catch(() => {});
        }
      }
    },
    // the machine outlives the test that starts it
    { sanitizeOps: false },
  );
}

export const CONFIG = "AppData/Roaming/i2ptun";
export const STATE = "AppData/Local/i2ptun";
export const SSH = ".ssh";

/** A server, a page behind it, and the profile `home` of the user of Windows. */
export interface WindowsSite extends AsyncDisposable {
  sshd: Sshd;
  page: Page;
  /** The local port for the page. */
  port: number;
  /** `user@host:port` */
  server: string;
  /** The user's key in a file of ours. */
  key: string;
}

/** Starts a site; the profile has these further lines of YAML. */
export async function startWindowsSite(
  machine: WindowsMachine,
  more = "",
): Promise<WindowsSite> {
  await using stack = new AsyncDisposableStack();
  const sshd = stack.use(await startSshd());
  const page = stack.use(startPage());
  const port = freePort();
  const server = `${sshd.user}@${sshd.host}:${sshd.port}`;
  const { key, publicLine } = await makeKey(machine);
  await sshd.authorize(publicLine);
  await writeFile(
    `${machine.home}/${SSH}/known_hosts`,
    // as an editor of Windows leaves it
    `[${sshd.host}]:${sshd.port} ${sshd.hostKeys[0]!.publicLine}\r\n`,
  );
  const lines = [
    "version: 1 # by hand",
    "profiles:",
    "  home:",
    `    server: ${server}`,
    ...more.split("\n").filter(Boolean).map((line) => `    ${line}`),
    "    forwards:",
    `      - { local: "127.0.0.1:${port}:127.0.0.1:${page.port}", name: page }`,
    "",
  ];
  await writeFile(profilesOf(machine), lines.join("\r\n"));
  const kept = stack.move();
  return {
    ...{ sshd, page, port, server, key },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** Where the program on Windows has its profiles. */
export function profilesOf(machine: WindowsMachine): string {
  return `${machine.home}/${CONFIG}/profiles.yaml`;
}

/** A key pair where the user of Windows has it. */
export async function makeKey(
  machine: WindowsMachine,
): Promise<{ key: string; publicLine: string }> {
  const key = `${machine.home}/${SSH}/id_ed25519`;
  await Deno.mkdir(dirname(key), { recursive: true });
  await execute(
    "ssh-keygen",
    ["-q", "-t", "ed25519", "-C", "test", "-N", "", "-f", key],
  );
  return { key, publicLine: (await Deno.readTextFile(`${key}.pub`)).trim() };
}

/** Writes a file, and its folders where they are missing. */
export async function writeFile(path: string, text: string): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.writeTextFile(path, text);
}

/** Runs what has to work. @returns its standard output */
export async function succeed(
  machine: WindowsMachine,
  args: string[],
  options: RunOptions = {},
): Promise<string> {
  const result = await machine.run(args, options);
  assert.equal(result.code, 0, show(args, result));
  return result.stdout;
}

/** What `profile status home --json` says. */
export async function statusOf(machine: WindowsMachine): Promise<Status> {
  const result = await machine.run(["profile", "status", "home", "--json"]);
  return JSON.parse(result.stdout).profiles[0];
}

/** Waits until nothing listens at a port any more. */
export async function untilFree(port: number): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!isFree(port)) {
    assert(performance.now() < deadline, `port ${port} is taken`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/**
 * What most end-to-end tests begin with, and how they look at what came of it.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Child } from "../support/child.ts";
import { freePort, isFree } from "../support/ports.ts";
import { processesWithHome } from "../support/processes.ts";
import { type RunResult, Sandbox } from "../support/program.ts";
import { type Sshd, type SshdOptions, startSshd } from "../support/sshd.ts";

export { isFree };

/** A page that no other server has. */
export interface Page extends AsyncDisposable {
  port: number;
  /** Its body. */
  text: string;
}

/** Serves a page on 127.0.0.1. */
export function startPage(): Page {
  const text = `page ${crypto.randomUUID()}`;
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response(text),
  );
  return {
    port: server.addr.port,
    text,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** A user at home, and a server that knows the user's key, with a page behind. */
export interface Site extends AsyncDisposable {
  sandbox: Sandbox;
  sshd: Sshd;
  page: Page;
  /** The local port for the page, still free. */
  port: number;
  /** `user@host:port`. */
  server: string;
  /** A forward from `port` to the page, for profiles.yaml. */
  forward: string;
}

/** Starts a site, whose profile `home` has these further lines of YAML. */
export async function startSite(
  { profile = "", sshd: options = {} }: {
    profile?: string;
    sshd?: SshdOptions;
  } = {},
): Promise<Site> {
  await using stack = new AsyncDisposableStack();
  const sandbox = stack.use(await Sandbox.create());
  const sshd = stack.use(await startSshd(options));
  const page = stack.use(startPage());
  const port = freePort();
  const server = `${sshd.user}@${sshd.host}:${sshd.port}`;
  const forward =
    `{ local: "127.0.0.1:${port}:127.0.0.1:${page.port}", name: page }`;
  await sandbox.trust(sshd);
  await sshd.authorize((await sandbox.key()).publicLine);
  await writeProfile(sandbox, { server, forward, more: profile });
  const kept = stack.move();
  return {
    ...{ sandbox, sshd, page, port, server, forward },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** Writes a file with the one profile `home`. */
export async function writeProfile(
  sandbox: Sandbox,
  { server, forward, more = "" }: {
    server: string;
    forward: string;
    more?: string;
  },
): Promise<void> {
  const lines = [`server: ${server}`, ...more.split("\n").filter(Boolean)];
  await sandbox.writeProfiles(
    `version: 1\nprofiles:\n  home:\n    ${lines.join("\n    ")}\n` +
      `    forwards:\n      - ${forward}\n`,
  );
}

/** The whole answer to an HTTP request that is sent in one piece. */
export async function get(
  port: number,
  { url = "/", host = `127.0.0.1:${port}` }: { url?: string; host?: string } =
    {},
): Promise<string> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  return await ask(connection, url, host);
}

/** As {@link get}, over a connection that is there already. */
export async function ask(
  connection: Deno.Conn,
  url = "/",
  host = "127.0.0.1",
): Promise<string> {
  // an answer that never comes is an error, not a test without end
  const timer = setTimeout(() => connection.close(), 15_000);
  try {
    // i2pd takes no request in pieces and no `host` in small letters
    await connection.write(new TextEncoder().encode(
      `GET ${url} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
    ));
    return await new Response(connection.readable).text();
  } finally {
    clearTimeout(timer);
  }
}

/** Checks that the page comes through the tunnel. */
export async function assertServes({ port, page }: Site): Promise<void> {
  const answer = await get(port);
  assert(answer.startsWith("HTTP/1.1 200 "), answer);
  assert(answer.endsWith(page.text), answer);
}

/** Runs what has to work. @returns its standard output */
export async function succeed(
  sandbox: Sandbox,
  args: string[],
  options: Parameters<Sandbox["run"]>[1] = {},
): Promise<string> {
  const result = await sandbox.run(args, options);
  assert.equal(result.code, 0, show(args, result));
  return result.stdout;
}

/**
 * Checks that a run failed as the contract says: this exit code, one line of
 * error, one of advice, and nothing that only a programmer could read.
 */
export function assertFails(
  result: RunResult,
  code: number,
  error: RegExp,
): void {
  const shown = show([], result);
  assert.equal(result.code, code, shown);
  assert.equal(result.stdout, "", shown);
  assert.equal(result.stderr.match(/^error: ./gm)?.length, 1, shown);
  assert.equal(result.stderr.match(/^try: ./gm)?.length, 1, shown);
  assert.match(result.stderr, /^error: .+\ntry: .+\n$/m, shown);
  assert.match(/^error: (.*)$/m.exec(result.stderr)![1]!, error, shown);
  assertReadable(result);
}

/** Checks that there is no stack trace and nothing unprintable. */
export function assertReadable({ stdout, stderr }: RunResult): void {
  const text = stdout + stderr;
  assert.doesNotMatch(text, /^\s+at |file:\/\/\/|\.ts:\d|node:internal/m, text);
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(text, /[\x00-\x09\x0b-\x1f]/, text);
  assert.doesNotMatch(text, /undefined|\[object|NaN/, text);
}

/** Checks that no process of the sandbox is left and no port is open. */
export async function assertNothingLeft(
  sandbox: Sandbox,
  ...ports: number[]
): Promise<void> {
  for (const port of ports) assert(isFree(port), `port ${port} is taken`);
  // a process that has closed everything takes a moment to end
  const deadline = performance.now() + 2000;
  while (processesWithHome(sandbox.home).length > 0) {
    assert(performance.now() < deadline, "a process is left");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** One profile in `profile status --json`. */
export interface Status {
  name: string;
  state: string;
  pid: number | null;
  server: string;
  since: string | null;
  reconnects: number;
  lastError: string | null;
  forwards: {
    name: string;
    kind: string;
    listen: string[];
    target: string | null;
    connections: { open: number; total: number };
    bytes: { sent: number; received: number };
  }[];
}

/** What `profile status NAME --json` says, up or not. */
export async function statusOf(
  sandbox: Sandbox,
  name = "home",
): Promise<Status> {
  const args = ["profile", "status", name, "--json"];
  const result = await sandbox.run(args);
  const { profiles } = JSON.parse(result.stdout);
  assert.equal(profiles.length, 1);
  assert.equal(result.code, profiles[0].state === "up" ? 0 : 3);
  return profiles[0];
}

/** Waits until the status is as wanted. */
export async function statusUntil(
  sandbox: Sandbox,
  wanted: (status: Status) => boolean,
): Promise<Status> {
  let status = await statusOf(sandbox);
  const deadline = performance.now() + 15_000;
  while (!wanted(status)) {
    assert(performance.now() < deadline, JSON.stringify(status));
    status = await statusOf(sandbox);
  }
  return status;
}

/** Waits until the log of the profile `home` matches. */
export async function logUntil(
  sandbox: Sandbox,
  pattern: RegExp,
): Promise<void> {
  const child = sandbox.spawn([
    ...["profile", "logs", "home", "--follow", "--lines", "1000"],
  ]);
  await child.waitFor(pattern);
  child.signal("SIGINT");
  assert.equal(await ended(child), 130);
}

/** Waits until a process has ended, but not for ever. @returns its exit code */
export async function ended(child: Child): Promise<number> {
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.signal("SIGKILL");
  }, 15_000);
  const code = await child.exit;
  clearTimeout(timer);
  assert(!late, `it does not end; it says:\n${child.output.text}`);
  return code;
}

/** The files below a folder that contain a text, read byte by byte. */
export function filesWith(folder: string, text: string): string[] {
  const found: string[] = [];
  for (const entry of Deno.readDirSync(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) found.push(...filesWith(path, text));
    if (!entry.isFile) continue;
    const content = new TextDecoder("latin1").decode(Deno.readFileSync(path));
    if (content.includes(text)) found.push(path);
  }
  return found;
}

/** What a run said, for the message of a failed test. */
export function show(args: string[], { code, stdout, stderr }: RunResult) {
  return `i2ptun ${args.join(" ")}: exit ${code}\n${stdout}${stderr}`;
}

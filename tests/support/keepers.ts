/**
 * What keeps a tunnel up through the faults of faults.ts: this program, or
 * autossh(1), all with the same patience.
 *
 * @module
 */
import type { Child } from "./child.ts";
import type { Route, World } from "./faults.ts";
import { freePort } from "./ports.ts";

/** After so long without an answer the server is lost. */
export const KEEPALIVE = { intervalMs: 3000, count: 3 };
export const MAX_DELAY_MS = 10_000;

/** Something that keeps a tunnel up, and tells when it lost it. */
export interface Keeper extends AsyncDisposable {
  /** The local port that leads to the echo. */
  port: number;
  /** When it noticed a loss after `since`, both of `Date.now()`. */
  noticedAt(since: number): Promise<number | undefined>;
  /**
   * When the tunnel was up again after `since`, both of `Date.now()`; found out
   * without using it where the keeper would notice. Undefined after `timeoutMs`.
   */
  backAt(since: number, timeoutMs: number): Promise<number | undefined>;
  /** Why it has given up; undefined if it has not. */
  gaveUp(): Promise<string | undefined>;
}

/** Starts this program and waits until the tunnel is up. */
export async function startI2ptun(
  world: World,
  route: Route,
  keepalive: typeof KEEPALIVE = KEEPALIVE,
): Promise<Keeper & { log(): Promise<string> }> {
  const { sandbox, jump } = world;
  const port = freePort();
  const { user, host, port: serverPort } = world.address(route);
  await sandbox.writeProfiles([
    "version: 1",
    "profiles:",
    "  home:",
    `    server: ${user}@${host}:${serverPort}`,
    ...(route === "jump"
      ? [`    jump: ["${jump.user}@${jump.host}:${jump.port}"]`]
      : []),
    `    keepalive: { interval: ${keepalive.intervalMs}ms, count: ${keepalive.count} }`,
    `    reconnect: { max_delay: ${MAX_DELAY_MS}ms }`,
    "    forwards:",
    `      - { local: "127.0.0.1:${port}:127.0.0.1:${world.echoPort}" }`,
    "",
  ].join("\n"));
  await using start = world.spawn(sandbox.command("profile", "start", "home"));
  await start.closeInput();
  if (await start.exit !== 0) throw new Error(start.output.text);
  const log = () =>
    Deno.readTextFile(`${sandbox.home}/.local/state/i2ptun/log/home.log`);
  return {
    port,
    log,
    async noticedAt(since) {
      const lines = (await log()).split("\n");
      return lines.filter((each) => / home is (reconnecting|failed)/.test(each))
        .map((each) => Date.parse(each.split(" ")[0]!))
        .find((at) => at >= since);
    },
    backAt: (since, timeoutMs) =>
      poll(timeoutMs, async () => {
        const lines = (await log()).split("\n");
        return lines.filter((each) => each.endsWith(" home is up"))
          .map((each) => Date.parse(each.split(" ")[0]!))
          .find((at) => at >= since);
      }),
    async gaveUp() {
      const { stdout } = await sandbox.run([
        ...["profile", "status", "home", "--json"],
      ]);
      const [status] = JSON.parse(stdout).profiles;
      return status.state === "failed" ? status.lastError : undefined;
    },
    async [Symbol.asyncDispose]() {
      await sandbox.run(["profile", "stop", "home"]);
    },
  };
}

/** Writes down when each ssh(1) has ended. */
const WRAPPER = `#!/bin/sh
trap 'kill $pid' TERM
ssh "$@" & pid=$!
wait $pid; code=$?
date +%s%3N >> "$I2PTUN_T_ENDS"
exit $code
`;

/** Starts autossh(1) with ssh(1)'s own keepalive. */
export async function startAutossh(
  world: World,
  route: Route,
): Promise<Keeper> {
  const { sandbox, jump } = world;
  const port = freePort();
  const { user, host, port: serverPort } = world.address(route);
  const ends = `${sandbox.home}/ends`;
  const wrapper = `${sandbox.home}/ssh.sh`;
  await Deno.writeTextFile(ends, "");
  await Deno.writeTextFile(wrapper, WRAPPER, { mode: 0o755 });
  const options = {
    // OpenSSH takes the home from passwd(5), not from HOME
    UserKnownHostsFile: sandbox.knownHosts,
    IdentityFile: `${sandbox.home}/.ssh/id_ed25519`,
    BatchMode: "yes",
    ExitOnForwardFailure: "yes",
    ServerAliveInterval: KEEPALIVE.intervalMs / 1000,
    ServerAliveCountMax: KEEPALIVE.count,
    ConnectTimeout: 15,
  };
  // the jump's own ssh knows nothing of options on the command line
  const config = `${sandbox.home}/ssh_config`;
  await Deno.writeTextFile(
    config,
    "Host *\n" +
      Object.entries(options).map((each) => `  ${each.join(" ")}\n`).join(""),
  );
  const autossh = world.spawn([
    ...["autossh", "-M", "0", "-F", config, "-N"],
    ...["-L", `127.0.0.1:${port}:127.0.0.1:${world.echoPort}`],
    ...(route === "jump"
      // of -J autossh loses the argument
      ? ["-o", `ProxyJump=${jump.user}@${jump.host}:${jump.port}`]
      : []),
    ...["-p", `${serverPort}`, `${user}@${host}`],
  ], {
    AUTOSSH_PATH: wrapper,
    AUTOSSH_GATETIME: "0",
    I2PTUN_T_ENDS: ends,
  });
  await untilListens(port, autossh);
  return {
    port,
    async noticedAt(since) {
      const times = (await Deno.readTextFile(ends)).split("\n").map(Number);
      return times.find((at) => at >= since);
    },
    // a client makes no difference to it
    backAt: (_since, timeoutMs) =>
      poll(timeoutMs, async () => {
        return await echoes(port) ? Date.now() : undefined;
      }),
    gaveUp: () =>
      Promise.resolve(autossh.running ? undefined : autossh.output.text),
    async [Symbol.asyncDispose]() {
      autossh.signal("SIGTERM");
      await autossh.exit;
      await autossh[Symbol.asyncDispose]();
    },
  };
}

async function untilListens(port: number, process: Child): Promise<void> {
  const up = await poll(
    15_000,
    async () => await echoes(port) || !process.running ? true : undefined,
  );
  if (!up || !process.running) {
    throw new Error(`nothing listens: ${process.output.text}`);
  }
}

/** Whether the echo answers within a second. */
async function echoes(port: number): Promise<boolean> {
  try {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    const timer = setTimeout(() => conn.close(), 1000);
    try {
      await conn.write(new Uint8Array(1));
      const answer = await conn.read(new Uint8Array(1));
      if (answer === 1) conn.close();
      return answer === 1;
    } finally {
      clearTimeout(timer);
    }
  } catch {
    return false;
  }
}

/** Looks again and again until there is something. */
async function poll<T>(
  timeoutMs: number,
  look: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

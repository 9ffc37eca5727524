/**
 * `deno task soak [--minutes N] [--seed N] [--clients N]`: one tunnel, busy
 * clients, and one fault after the other, as a seed has them. Ends with exit
 * code 1 if a client is refused, loses a byte or hangs, if the tunnel does not
 * come back, or if it leaks. Needs root on Linux.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { BusyClients } from "../tests/support/busy_clients.ts";
import { startWorld, type World } from "../tests/support/faults.ts";
import { startI2ptun } from "../tests/support/keepers.ts";
import { whyMissing } from "../tests/support/requirements.ts";
import { execute, sweepNow } from "../tests/support/scratch.ts";

const KEEPALIVE = { intervalMs: 1000, count: 3 };
/** Noticing a silent server, one that is busy, and a wide margin. */
const USABLE_MS = 15_000;
/** Resident memory that it may never have, and by how much it may grow. */
const MEMORY_LIMIT = 250e6;
const GROWTH_LIMIT = 40e6;
const LOG_LIMIT = 4 * 1024 * 1024;

type Random = () => number;

/** Numbers from 0 to below 1, the same for the same seed (mulberry32). */
function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What can happen, and how it ends after a while; all through the relay. */
const FAULTS: Record<
  string,
  (world: World, wait: () => Promise<void>) => Promise<unknown>
> = {
  "sshd's children killed": ({ host }) =>
    Promise.resolve(host.sshd.killConnections()),
  "sshd restarted": async ({ host }, wait) => {
    await host.sshd.stop();
    await wait();
    await host.sshd.start();
  },
  "reset": ({ relay }) => relay.reset(),
  "closed": ({ relay }) => relay.cut(),
  "refused": async ({ relay }, wait) => {
    await relay.stop();
    await wait();
    relay.accept();
  },
  "stalled": async ({ relay }, wait) => {
    relay.stall();
    await wait();
    relay.resume();
  },
  "accepts and says nothing": async ({ relay }, wait) => {
    await relay.cut();
    relay.stall();
    await wait();
    relay.passNew();
  },
  "link cut": async ({ host }, wait) => {
    await host.cutLink();
    await wait();
    await host.restoreLink();
  },
  "slow": async ({ relay }, wait) => {
    relay.delay(200);
    await wait();
    relay.delay(0);
  },
  "remote service down": async (world, wait) => {
    await world.stopEcho();
    await wait();
    await world.startEcho();
  },
};

interface Usage {
  memory: number;
  descriptors: number;
}

async function usageOf(pid: number): Promise<Usage> {
  const script =
    `grep VmRSS /proc/${pid}/status | tr -dc 0-9; echo; ls /proc/${pid}/fd | wc -l`;
  const [kib, count] = (await execute("sh", ["-c", script])).split("\n");
  return { memory: Number(kib) * 1024, descriptors: Number(count) };
}

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** @returns what went wrong */
async function soak(
  { minutes, seed, count }: { minutes: number; seed: number; count: number },
): Promise<string[]> {
  const wrong: string[] = [];
  const random = seeded(seed);
  await using world = await startWorld();
  await using tunnel = await startI2ptun(world, "relay", KEEPALIVE);
  const { stdout } = await world.sandbox.run([
    ...["profile", "status", "home", "--json"],
  ]);
  const pid: number = JSON.parse(stdout).profiles[0].pid;
  const before = await usageOf(pid);
  const clients = new BusyClients(tunnel.port, count);
  await clients.firstByte(0, USABLE_MS);

  const memory: number[] = [];
  const names = Object.keys(FAULTS);
  const until = performance.now() + minutes * 60_000;
  while (performance.now() < until && wrong.length === 0) {
    const name = names[Math.floor(random() * names.length)]!;
    // mostly short, now and then longer than the keepalive
    const lastsMs = Math.round(200 + 6000 * random() ** 3);
    const pauseMs = 500 + 1500 * random();
    const beganAt = performance.now();
    await FAULTS[name]!(world, () => sleep(lastsMs));
    const endedAt = performance.now();
    const back = await clients.firstByte(beganAt, USABLE_MS);
    if (back === undefined) wrong.push(`not usable again after: ${name}`);
    // those that were left behind
    world.relay.resume();
    await sleep(pauseMs);
    const usage = await usageOf(pid);
    memory.push(usage.memory);
    console.log(
      `${name}, ${Math.round(endedAt - beganAt)} ms: usable after ${
        back === undefined ? "–" : Math.round(back - endedAt)
      } ms; ${Math.round(usage.memory / 1e6)} MB, ${usage.descriptors} files`,
    );
  }

  const tally = await clients.stop();
  console.log(JSON.stringify(tally));
  const { refused, damaged, hanging, completed } = tally;
  if (refused + damaged + hanging > 0) {
    wrong.push(`${refused} refused, ${damaged} damaged, ${hanging} hanging`);
  }
  if (completed === 0) wrong.push("no connection was completed");
  const third = Math.ceil(memory.length / 3);
  const growth = median(memory.slice(-third)) - median(memory.slice(0, third));
  if (Math.max(...memory) > MEMORY_LIMIT || growth > GROWTH_LIMIT) {
    wrong.push(`memory: ${memory.map((each) => Math.round(each / 1e6))} MB`);
  }
  await sleep(3000);
  const after = await usageOf(pid);
  console.log(
    `memory grew by ${Math.round(growth / 1e6)} MB; ` +
      `files: ${before.descriptors} before, ${after.descriptors} after`,
  );
  if (after.descriptors > before.descriptors + 3) {
    wrong.push(`files are left open: ${after.descriptors}`);
  }
  const log = await tunnel.log();
  if (log.length > LOG_LIMIT) wrong.push(`the log has ${log.length} bytes`);
  if (wrong.length > 0) console.log(log.split("\n").slice(-40).join("\n"));
  return wrong;
}

async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      minutes: { type: "string", default: "10" },
      seed: { type: "string", default: `${Math.floor(Math.random() * 1e6)}` },
      clients: { type: "string", default: "20" },
    },
  });
  const missing = whyMissing("remote-host");
  if (missing) {
    console.error(`LEFT OUT: ${missing}`);
    return 0;
  }
  const { minutes, seed, clients } = values;
  console.log(`${minutes} minutes, seed ${seed}`);
  const wrong = await soak({
    minutes: Number(minutes),
    seed: Number(seed),
    count: Number(clients),
  });
  await sweepNow();
  for (const each of wrong) console.error(`error: ${each}`);
  if (wrong.length > 0) console.error(`try: deno task soak --seed ${seed}`);
  return wrong.length === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));

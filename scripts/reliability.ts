/**
 * `deno task reliability [--json] [--only TEXT] [--no-autossh] [--clients N]`:
 * every fault of tests/support/faults.ts, with real servers and links, while
 * clients are busy; how long it takes to notice, and to be usable again. The
 * same for autossh(1) where it is installed. `--only idle` is what a tunnel costs
 * that nobody uses. Needs root on Linux.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { BusyClients, type Tally } from "../tests/support/busy_clients.ts";
import { type Fault, FAULTS, startWorld } from "../tests/support/faults.ts";
import {
  KEEPALIVE,
  type Keeper,
  startAutossh,
  startI2ptun,
} from "../tests/support/keepers.ts";
import { findProgram, whyMissing } from "../tests/support/requirements.ts";
import { execute, sweepNow } from "../tests/support/scratch.ts";

/** What came of one fault; times in milliseconds. */
interface Row extends Tally {
  fault: string;
  keeper: string;
  /** From the beginning of the fault; null if it was not to be noticed. */
  noticed: number | null;
  /** From the end of the fault to the first byte for a client; null: never. */
  usable: number | null;
  /** The same when nobody waits; null if it is not to be lost. */
  unwatched: number | null;
  /** Why the keeper has given up. */
  gaveUp: string | null;
}

/** Before a fault, so that all clients are at work. */
const WARM_UP_MS = 1500;
/** After it, to see that it stays well. */
const COOL_DOWN_MS = 1500;
/** Longest wait for the tunnel to come back. */
const PATIENCE_MS = 60_000;
/** How soon what cannot be mended has to be given up. */
const FINAL_MS = 10_000;

/** Before an idle tunnel is looked at, and for how long. */
const IDLE_AFTER_MS = 45_000;
const IDLE_MS = 30_000;

const KEEPERS = { i2ptun: startI2ptun, autossh: startAutossh };

async function measure(
  fault: Fault,
  name: keyof typeof KEEPERS,
  count: number,
): Promise<Row> {
  await using world = await startWorld();
  await using keeper: Keeper = await KEEPERS[name](world, fault.route);
  const clients = new BusyClients(keeper.port, count);
  await clients.firstByte(0, PATIENCE_MS);
  await sleep(WARM_UP_MS);

  const began = { wall: Date.now(), at: performance.now() };
  await fault.begin(world);
  if (fault.lastsMs > 0) {
    // some of it has gone by with the beginning
    await sleep(fault.lastsMs - (performance.now() - began.at));
    await fault.end(world);
  }
  const ended = fault.lastsMs > 0 ? performance.now() : began.at;
  const back = await clients.firstByte(
    began.at,
    fault.kind === "final" ? FINAL_MS : PATIENCE_MS,
  );
  await sleep(COOL_DOWN_MS);
  const gaveUp = await keeper.gaveUp();
  const noticed = await keeper.noticedAt(began.wall);
  const tally = await clients.stop();
  return {
    fault: fault.name,
    keeper: name,
    noticed: noticed === undefined ? null : noticed - began.wall,
    unwatched: await measureUnwatched(fault, name),
    usable: back === undefined ? null : Math.max(0, Math.round(back - ended)),
    gaveUp: gaveUp?.trim() || null,
    ...tally,
  };
}

/** How long it takes to come back when there are no clients. */
async function measureUnwatched(
  fault: Fault,
  name: keyof typeof KEEPERS,
): Promise<number | null> {
  if (fault.kind === "short" || fault.kind === "final") return null;
  await using world = await startWorld();
  await using keeper: Keeper = await KEEPERS[name](world, fault.route);
  const began = Date.now();
  await fault.begin(world);
  await sleep(fault.lastsMs);
  await fault.end(world);
  const ended = fault.lastsMs > 0 ? Date.now() : began;
  const back = await keeper.backAt(began, PATIENCE_MS);
  return back === undefined ? null : Math.max(0, back - ended);
}

/** How often a tunnel that nobody uses wakes up. */
async function measureIdle(): Promise<string> {
  await using world = await startWorld();
  await using _tunnel = await startI2ptun(world, "direct");
  const { stdout } = await world.sandbox.run([
    ...["profile", "status", "home", "--json"],
  ]);
  const { pid } = JSON.parse(stdout).profiles[0];
  const look = async () => {
    const script = `cat /proc/${pid}/task/*/status | ` +
      "awk '/^voluntary/ {n += $2} END {print n}'; " +
      `cut -d' ' -f14,15 /proc/${pid}/stat | tr ' ' +`;
    const [switches, ticks] = (await execute("sh", ["-c", script])).split("\n");
    const [user, system] = ticks!.split("+");
    return [Number(switches), Number(user) + Number(system)] as const;
  };
  // what it needed to start has ended by then
  await sleep(IDLE_AFTER_MS);
  const before = await look();
  await sleep(IDLE_MS);
  const after = await look();
  return `idle for ${IDLE_MS / 1000} s: ` +
    `${IDLE_MS / KEEPALIVE.intervalMs} keepalives, ` +
    `${after[0] - before[0]} wake-ups of all threads, ` +
    `${(after[1] - before[1]) * 10} ms of processor time`;
}

const HEAD = [
  ...["fault", "by", "noticed", "usable, clients wait", "usable, nobody waits"],
  ...["completed", "cut", "refused", "damaged", "hanging"],
];

function cells(row: Row): string[] {
  const seconds = (ms: number | null) =>
    ms === null ? "–" : `${(ms / 1000).toFixed(2)} s`;
  return [
    row.fault,
    row.keeper,
    seconds(row.noticed),
    row.gaveUp === null ? seconds(row.usable) : "stops, and says why",
    seconds(row.unwatched),
    ...[row.completed, row.cut, row.refused, row.damaged, row.hanging]
      .map(String),
  ];
}

function markdown(rows: string[][]): string {
  const widths = HEAD.map((_, i) =>
    Math.max(...rows.map((row) => row[i]!.length))
  );
  const line = (row: string[]) =>
    `| ${row.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`;
  const rule = line(widths.map((width) => "-".repeat(width)));
  const [head, ...body] = rows.map(line);
  return [head, rule, ...body].join("\n");
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      json: { type: "boolean" },
      only: { type: "string" },
      "no-autossh": { type: "boolean" },
      clients: { type: "string", default: "50" },
    },
  });
  const missing = whyMissing("remote-host");
  if (missing) {
    console.error(`error: ${missing}`);
    return 1;
  }
  const keepers: (keyof typeof KEEPERS)[] = ["i2ptun"];
  if (!values["no-autossh"]) {
    if (findProgram("autossh")) keepers.push("autossh");
    else console.error("autossh is not installed, so it is left out");
  }
  const rows: Row[] = [];
  for (const fault of FAULTS) {
    if (values.only && !fault.name.includes(values.only)) continue;
    for (const keeper of keepers) {
      const row = await measure(fault, keeper, Number(values.clients));
      console.error(cells(row).join("  "));
      rows.push(row);
    }
  }
  const idle = (values.only ?? "idle") === "idle"
    ? await measureIdle()
    : undefined;
  if (idle) console.error(idle);
  await sweepNow();
  if (values.json) {
    console.log(JSON.stringify({ rows, idle: idle ?? null }, undefined, 2));
    return 0;
  }
  console.log(markdown([HEAD, ...rows.map(cells)]));
  if (idle) console.log(`\n${idle}`);
  return 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));

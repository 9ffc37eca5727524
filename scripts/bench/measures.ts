/**
 * What is measured, and what is wanted of it.
 *
 * @module
 */
import * as client from "./client.ts";
import { costOf } from "./cost.ts";
import type { Distance, Tunnel } from "./lab.ts";

/** What is wanted: a ratio to ssh, or a figure of its own. */
export interface Goal {
  of: "ratio" | "value";
  /** More or less is better. */
  sense: "at least" | "at most";
  limit: number;
}

/** One thing that is measured, each time with a new tunnel. */
export interface Measure extends Distance {
  /** For `--only`. */
  name: string;
  what: string;
  unit: "MB/s" | "ms" | "MB";
  goal?: Goal;
  /** i2ptun opens a session, and is beside ssh only. */
  session?: true;
  /** Processor time by the bytes it moves is a row of its own. */
  withCpu?: true;
  /** Its peak of memory is that of the start, too. */
  fromStart?: true;
  run(tunnel: Tunnel): Promise<Measured>;
}

/** What came of one run. */
export interface Measured {
  /** In the unit of the measure. */
  value: number;
  /** How many bytes went through, if that matters. */
  bytes?: number;
}

/** How much of everything. */
export interface Effort {
  /** Of the transfers on loopback, in bytes. */
  size: number;
  /** Of those over a distance, in bytes. */
  farSize: number;
  /** No single transfer takes longer, in ms. */
  limitMs: number;
  roundTrips: number;
  openings: number;
  connections: number;
}

/** What it takes to tell programs apart. */
export const FULL: Effort = {
  size: 2e9,
  farSize: 100e6,
  limitMs: 5000,
  roundTrips: 2000,
  openings: 300,
  connections: 2000,
};

/** Enough to see that everything works. */
export const QUICK: Effort = {
  size: 50e6,
  farSize: 20e6,
  limitMs: 1500,
  roundTrips: 200,
  openings: 30,
  connections: 200,
};

/** The goal for processor time, as a ratio to ssh. */
export const CPU_GOAL: Goal = { of: "ratio", sense: "at most", limit: 1.2 };

/** The goal for the peak of memory in everything measured, in MB. */
export const PEAK_GOAL: Goal = { of: "value", sense: "at most", limit: 200 };

/** The round trips, in ms, that {@link measures} asks for. */
export const ROUND_TRIPS = [20, 100, 300];

/** And those over TCP. */
export const TCP_ROUND_TRIPS = [100];

/**
 * Everything there is to measure.
 *
 * @param compiled whether i2ptun is an executable: only then is there a goal for
 * its launch
 */
export function measures(effort: Effort, compiled: boolean): Measure[] {
  const near = { bytes: effort.size, limitMs: effort.limitMs };
  const far = { bytes: effort.farSize, limitMs: effort.limitMs };
  const { limitMs } = effort;
  const burst = (port: number) =>
    client.connections(port, effort.connections, 64 * 1024);
  return [
    {
      ...rate("download", "one download", 0, atLeast(1)),
      withCpu: true,
      run: async ({ port }) => speed(await client.download(port, near)),
    },
    {
      ...rate("download2", "the next such download", 0, atLeast(1)),
      run: async ({ port }) => {
        await client.download(port, near);
        return speed(await client.download(port, near));
      },
    },
    {
      ...rate("upload", "one upload", 0, atLeast(1)),
      withCpu: true,
      run: async ({ port }) => speed(await client.upload(port, near)),
    },
    {
      ...rate("downloads", "16 downloads at once", 0, atLeast(1)),
      run: async ({ port }) => speed(await client.downloads(port, 16, near)),
    },
    {
      ...time("roundtrip", "round trip", 0, atMost(1.1)),
      run: async ({ port }) => ({
        value: median(
          await client.roundTrips(port, effort.roundTrips, limitMs),
        ),
      }),
    },
    {
      ...time("open", "open a connection, one byte", 0, atMost(1)),
      run: async ({ port }) => ({
        value: median(await client.openings(port, effort.openings, limitMs)),
      }),
    },
    {
      ...time("closed", `${effort.openings} that the target closes, each`, 0),
      run: async ({ port }) => ({
        value: mean(await client.given(port, effort.openings, limitMs)),
      }),
    },
    {
      ...time("launch", "launch to first byte", 0),
      ...(compiled && { goal: atMost(0.8) }),
      fromStart: true,
      run: (tunnel) => Promise.resolve({ value: tunnel.launchMs }),
    },
    ...([[20, 2], [100, 5], [300, 8]] as const).map(([ms, ratio]): Measure => ({
      ...rate(`download${ms}`, "one download", ms, atLeast(ratio)),
      run: async ({ port }) => speed(await client.download(port, far)),
    })),
    {
      ...rate("upload100", "one upload", 100, atLeast(1)),
      run: async ({ port }) => speed(await client.upload(port, far)),
    },
    {
      ...time("page", "page of 30 files of 10 kB", 100, atMost(0.9)),
      run: firstPage,
    },
    {
      ...time("page2", "the next such page", 100, atMost(0.9)),
      run: nextPage,
    },
    {
      ...time(
        "connections",
        `${effort.connections.toLocaleString("en")} connections of 64 KiB`,
        0,
        atMost(0.1),
      ),
      run: async ({ port }) => ({ value: await burst(port) }),
    },
    {
      ...time(
        "connections2",
        "as many through a tunnel in use",
        0,
        atMost(0.1),
      ),
      run: async ({ port }) => {
        await client.openings(port, effort.openings, limitMs);
        return { value: await burst(port) };
      },
    },
    ...overTcp(effort),
    {
      name: "idle",
      what: "private memory when idle",
      unit: "MB",
      roundTripMs: 0,
      goal: { of: "value", sense: "at most", limit: 30 },
      run: idle,
    },
  ];
}

/** What waits for TCP, without and with a session. */
function overTcp(effort: Effort): Measure[] {
  const far = { bytes: effort.farSize, limitMs: effort.limitMs };
  const { openings, limitMs } = effort;
  const each: Measure[] = [
    {
      ...rate("upload", "one upload", 100),
      run: async ({ port }) => speed(await client.upload(port, far)),
    },
    {
      ...time("open", "open a connection, one byte", 100),
      run: async ({ port }) => ({
        value: median(await client.openings(port, openings, limitMs)),
      }),
    },
    {
      ...time("quiet", "the same after two seconds of quiet", 100),
      run: async ({ port }) => {
        const times: number[] = [];
        for (let i = 0; i < 2; i++) {
          await new Promise((resolve) => setTimeout(resolve, 2000));
          times.push(...await client.openings(port, 1, limitMs));
        }
        return { value: mean(times) };
      },
    },
    { ...time("page", "the page", 100), run: firstPage },
    { ...time("page2", "the next such page", 100), run: nextPage },
  ];
  const tcp = (measure: Measure): Measure => ({
    ...measure,
    name: `${measure.name}-tcp`,
    what: `${measure.what}, TCP`,
    overTcp: true,
  });
  return [
    tcp({
      ...rate("download", "one download", 100),
      run: async ({ port }) => speed(await client.download(port, far)),
    }),
    ...each.map(tcp).flatMap((measure) => [measure, {
      ...measure,
      name: `${measure.name}-session`,
      what: "  with a session",
      session: true as const,
    }]),
  ];
}

async function firstPage({ port }: Tunnel): Promise<Measured> {
  return { value: await client.page(port, 30, 10e3) };
}

async function nextPage({ port }: Tunnel): Promise<Measured> {
  await client.page(port, 30, 10e3);
  // somebody has read it
  await new Promise((resolve) => setTimeout(resolve, 1000));
  return { value: await client.page(port, 30, 10e3) };
}

/** The middle of what was measured. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? sorted[half]!
    : (sorted[half - 1]! + sorted[half]!) / 2;
}

function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

async function idle({ pids }: Tunnel): Promise<Measured> {
  // what the start has left is collected in the first moment of rest
  await new Promise((resolve) => setTimeout(resolve, 2000));
  const cost = await costOf(pids);
  if (!cost) throw new Error("memory is known on Linux only");
  return { value: cost.privateBytes / 1e6 };
}

function speed({ bytes, ms }: client.Transfer): Measured {
  return { value: bytes / 1e6 / (ms / 1000), bytes };
}

function rate(name: string, what: string, roundTripMs: number, goal?: Goal) {
  return row("MB/s", name, what, roundTripMs, goal);
}

function time(name: string, what: string, roundTripMs: number, goal?: Goal) {
  return row("ms", name, what, roundTripMs, goal);
}

function row(
  unit: Measure["unit"],
  name: string,
  what: string,
  roundTripMs: number,
  goal: Goal | undefined,
) {
  what += distance(roundTripMs);
  return { name, what, unit, roundTripMs, ...(goal && { goal }) };
}

function distance(roundTripMs: number): string {
  return roundTripMs === 0 ? "" : `, ${roundTripMs} ms away`;
}

function atLeast(limit: number): Goal {
  return { of: "ratio", sense: "at least", limit };
}

function atMost(limit: number): Goal {
  return { of: "ratio", sense: "at most", limit };
}

/**
 * Runs a measure with each program in turn and sets the results side by side.
 *
 * @module
 */
import { costOf, resetPeak } from "./cost.ts";
import type { Lab } from "./lab.ts";
import { CPU_GOAL, type Goal, type Measure, median } from "./measures.ts";
import type { Program } from "./programs.ts";

/** One program's results in one row. */
export interface Result {
  /** Of the runs; null if there is none, because one failed. */
  median: number | null;
  /** Each run, in order. */
  runs: number[];
  /** The most memory that was resident in any run, in MB; null if unknown. */
  peakMB: number | null;
  /** Why there is no median. */
  error?: string;
}

/** What was measured, of every program. */
export interface Row {
  name: string;
  what: string;
  unit: string;
  programs: Partial<Record<Program["name"], Result>>;
  /** i2ptun's median by ssh's, if both are there. */
  ratio: number | null;
  goal: (Goal & { met: boolean | null }) | null;
}

/** A run that hangs is given up after so many milliseconds. */
const GIVE_UP_MS = 120_000;

/**
 * Measures `runs` times, each time every program, so that what else the machine
 * does at the time hits all of them; who begins changes from run to run.
 *
 * @returns the row of the measure, and that of its processor time if it has one
 * @throws the reason of `signal`, once it is aborted
 */
export async function compare(
  measure: Measure,
  programs: readonly Program[],
  runs: number,
  lab: Lab,
  signal: AbortSignal,
): Promise<Row[]> {
  if (measure.session) {
    programs = programs.filter(({ name }) =>
      name === "i2ptun" || name === "ssh"
    );
  }
  const values = new Map(programs.map(({ name }) => [name, noResult()]));
  const cpu = new Map(programs.map(({ name }) => [name, noResult()]));
  for (let run = 0; run < runs; run++) {
    const first = run % programs.length;
    const order = [...programs.slice(first), ...programs.slice(0, first)];
    for (const program of order) {
      const value = values.get(program.name)!;
      // what did not work once need not be tried again
      if (value.error !== undefined) continue;
      try {
        const once = await runOnce(measure, program, lab, signal);
        value.runs.push(once.value);
        value.peakMB = maximum(value.peakMB, once.peakMB);
        if (once.cpuPerGiB !== null) {
          cpu.get(program.name)!.runs.push(once.cpuPerGiB);
        }
      } catch (error) {
        signal.throwIfAborted();
        value.error = (error as Error).message;
      }
    }
  }
  const rows = [makeRow(measure, values)];
  if (measure.withCpu && [...cpu.values()].some(({ runs }) => runs.length)) {
    rows.push(makeRow({
      name: `${measure.name}-cpu`,
      what: "  processor time per GiB",
      unit: "s",
      goal: CPU_GOAL,
    }, cpu));
  }
  return rows;
}

interface Once {
  value: number;
  peakMB: number | null;
  /** In seconds; null if it is not known or does not matter. */
  cpuPerGiB: number | null;
}

async function runOnce(
  measure: Measure,
  program: Program,
  lab: Lab,
  signal: AbortSignal,
): Promise<Once> {
  await using tunnel = await lab.start(program, measure, measure.session);
  const before = await costOf(tunnel.pids);
  if (!measure.fromStart) await resetPeak(tunnel.pids);
  const { value, bytes } = await inTime(measure.run(tunnel), signal);
  const after = await costOf(tunnel.pids);
  return {
    value,
    peakMB: after ? after.peakBytes / 1e6 : null,
    cpuPerGiB: before && after && bytes
      ? (after.cpuSeconds - before.cpuSeconds) / (bytes / 1024 ** 3)
      : null,
  };
}

/** Waits for it, but not for ever, and not when nobody wants it any more. */
async function inTime<T>(
  running: Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  running.catch(() => {
    // given up, it fails when its tunnel is ended
  });
  const { promise: givenUp, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`not done after ${GIVE_UP_MS / 1000} s`)),
    GIVE_UP_MS,
  );
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort);
  try {
    return await Promise.race([running, givenUp]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}

function noResult(): Result {
  return { median: null, runs: [], peakMB: null };
}

function makeRow(
  { name, what, unit, goal }: Pick<Measure, "name" | "what" | "goal"> & {
    unit: string;
  },
  results: Map<Program["name"], Result>,
): Row {
  for (const result of results.values()) {
    if (result.error === undefined && result.runs.length > 0) {
      result.median = median(result.runs);
    }
  }
  const own = results.get("i2ptun")?.median ?? null;
  const ssh = results.get("ssh")?.median ?? null;
  const ratio = own !== null && ssh ? own / ssh : null;
  return {
    ...{ name, what, unit, ratio },
    programs: Object.fromEntries(results),
    goal: goal
      ? { ...goal, met: meets(goal, goal.of === "ratio" ? ratio : own) }
      : null,
  };
}

/** Whether a figure is as wanted; null if there is none. */
export function meets(goal: Goal, figure: number | null): boolean | null {
  if (figure === null) return null;
  return goal.sense === "at least"
    ? figure >= goal.limit
    : figure <= goal.limit;
}

/** The larger of two numbers, one of which may not be known. */
export function maximum(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : Math.max(a, b);
}

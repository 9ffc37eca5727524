/**
 * The results as a table for people, with the machine they come from.
 *
 * @module
 */
import { cpus } from "node:os";
import { maximum, meets, type Result, type Row } from "./compare.ts";
import { type Goal, PEAK_GOAL } from "./measures.ts";
import type { Program } from "./programs.ts";

/** Everything that `--json` prints. */
export interface Report {
  rows: Row[];
  /** The most memory i2ptun had resident in any row, in MB. */
  peak: { i2ptunMB: number | null; goal: Goal & { met: boolean | null } };
  machine: Machine;
  /** The versions of what was compared. */
  programs: Partial<Record<Program["name"], string>>;
  /** What was measured as i2ptun. */
  i2ptun: string;
}

/** Where it was measured. */
export interface Machine {
  processor: string;
  cores: number;
  kernel: string;
  deno: string;
  /** Processes that wanted to run, in the minute before it began. */
  load: number;
}

/** Looks at the machine; before anything is measured, because of its load. */
export function lookAtMachine(): Machine {
  return {
    processor: cpus()[0]?.model ?? "unknown",
    cores: navigator.hardwareConcurrency,
    kernel: `${Deno.build.os} ${Deno.osRelease()}`,
    deno: Deno.version.deno,
    load: Deno.loadavg()[0]!,
  };
}

/** Puts it all together. */
export function makeReport(
  rows: Row[],
  machine: Machine,
  programs: readonly Program[],
  i2ptun: string,
): Report {
  const i2ptunMB = rows.map(({ programs }) => programs.i2ptun?.peakMB ?? null)
    .reduce(maximum, null);
  return {
    rows,
    peak: { i2ptunMB, goal: { ...PEAK_GOAL, met: meets(PEAK_GOAL, i2ptunMB) } },
    machine,
    programs: Object.fromEntries(
      programs.map(({ name, version }) => [name, version]),
    ),
    i2ptun,
  };
}

/** The report in lines. */
export function showReport(report: Report): string[] {
  const { rows, peak, machine, programs, i2ptun } = report;
  const names = Object.keys(programs) as Program["name"][];
  const withSsh = names.includes("ssh");
  const head = [
    ...["", "", ...names],
    ...(withSsh ? ["to ssh"] : []),
    ...["goal", "peak memory"],
  ];
  const body = rows.map((row) => [
    row.what,
    row.unit,
    ...names.map((name) => showResult(row.programs[name])),
    ...(withSsh ? [row.ratio === null ? "" : row.ratio.toFixed(2)] : []),
    row.goal ? showGoal(row.goal) : "",
    showPeak(row),
  ]);
  const failures = rows.flatMap(({ what, programs }) =>
    names.flatMap((name) => {
      const error = programs[name]?.error;
      return error === undefined ? [] : [`${name}, ${what.trim()}: ${error}`];
    })
  );
  return [
    ...align([head, ...body]),
    "",
    "to ssh: i2ptun's figure by ssh's; memory: i2ptun's, and ssh's",
    ...failures,
    ...(peak.i2ptunMB === null ? [] : [
      `peak memory of i2ptun, the most of all: ` +
      `${showNumber(peak.i2ptunMB)} MB (${showGoal(peak.goal)})`,
    ]),
    `${machine.processor}, ${machine.cores} cores, ${machine.kernel}; ` +
    `load before: ${machine.load.toFixed(1)}`,
    [
      ...names.map((name) => `${name}: ${programs[name]}`),
      `Deno ${machine.deno}`,
    ].join("; "),
    `measured as i2ptun: ${i2ptun}`,
  ];
}

function showResult(result: Result | undefined): string {
  if (result?.error !== undefined) return "failed";
  return result?.median == null ? "" : showNumber(result.median);
}

/** Three digits that matter, or all before the point. */
function showNumber(value: number): string {
  if (value >= 99.95) return Math.round(value).toLocaleString("en");
  return value.toPrecision(3);
}

function showGoal({ sense, limit, met }: Goal & { met: boolean | null }) {
  const sign = sense === "at least" ? "≥" : "≤";
  const mark = met === null ? "" : met ? " ✓" : " ✗";
  return `${sign} ${limit}${mark}`;
}

/** i2ptun's memory, and ssh's to compare with. */
function showPeak({ programs }: Row): string {
  const own = programs.i2ptun?.peakMB ?? null;
  if (own === null) return "";
  const ssh = programs.ssh?.peakMB ?? null;
  return `${showNumber(own)} MB` +
    (ssh === null ? "" : ` (ssh ${showNumber(ssh)})`);
}

/** Columns: the first two to the left, the others to the right. */
function align(rows: string[][]): string[] {
  const widths = rows[0]!.map((_, i) =>
    Math.max(...rows.map((row) => row[i]!.length))
  );
  return rows.map((row) =>
    row.map((cell, i) =>
      i < 2 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)
    ).join("  ").trimEnd()
  );
}

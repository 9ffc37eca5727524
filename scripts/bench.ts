/**
 * `deno task bench`: i2ptun side by side with what is installed of `ssh`, `plink`
 * and `dbclient`, all on this machine with a server of its own.
 * docs/performance.md says what is measured.
 *
 * @module
 */
import { relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { whyMissing } from "../tests/support/requirements.ts";
import { compare, type Row } from "./bench/compare.ts";
import { openLab } from "./bench/lab.ts";
import {
  type Effort,
  FULL,
  type Measure,
  measures,
  QUICK,
  ROUND_TRIPS,
  TCP_ROUND_TRIPS,
} from "./bench/measures.ts";
import { findPrograms } from "./bench/programs.ts";
import { lookAtMachine, makeReport, showReport } from "./bench/report.ts";

const USAGE = `Usage: deno task bench [OPTION…]

  --only NAME,…  these only: ${names().join(", ")}
  --runs N       of each program (default 5; with --quick 1)
  --size MB      of transfers on this machine (default 2000; with --quick 50)
  --quick        a little of everything, to see that it works
  --bin FILE     the executable to measure (default: the one in dist/ for this
                 machine, or the source if there is none)
  --source       measure the source
  --json         print the results as JSON`;

interface Options {
  only: string[];
  runs: number;
  effort: Effort;
  /** Undefined for the source. */
  binary: string | undefined;
  json: boolean;
}

/** Why the command line cannot be followed. */
class UsageError extends Error {}

function readOptions(args: string[]): Options | "help" {
  const { values } = parsed(args);
  if (values.help) return "help";
  const quick = values.quick ?? false;
  const known = names();
  const only = values.only?.flatMap((list) => list.split(",")) ?? known;
  const unknown = only.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new UsageError(`nothing is called ${unknown}`);
  }
  if (values.bin !== undefined && values.source) {
    throw new UsageError("--bin and --source exclude each other");
  }
  const effort = { ...(quick ? QUICK : FULL) };
  if (values.size !== undefined) effort.size = count("size", values.size) * 1e6;
  return {
    only,
    runs: values.runs === undefined
      ? (quick ? 1 : 5)
      : count("runs", values.runs),
    effort,
    binary: values.source ? undefined : values.bin ?? compiledHere(),
    json: values.json ?? false,
  };
}

function parsed(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        only: { type: "string", multiple: true },
        runs: { type: "string" },
        size: { type: "string" },
        bin: { type: "string" },
        source: { type: "boolean" },
        quick: { type: "boolean" },
        json: { type: "boolean" },
        help: { type: "boolean" },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function count(option: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new UsageError(`--${option} ${text} is no whole number above zero`);
}

function names(): string[] {
  return measures(FULL, false).map(({ name }) => name);
}

/** What `deno task compile` has made for this machine, if it has. */
function compiledHere(): string | undefined {
  const system = Deno.build.os === "darwin" ? "macos" : Deno.build.os;
  const processor = Deno.build.arch === "x86_64" ? "x64" : "arm64";
  const file = fileURLToPath(
    new URL(`../dist/i2ptun-${system}-${processor}`, import.meta.url),
  );
  return isFile(file) ? relative(Deno.cwd(), file) : undefined;
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

async function run(options: Options, signal: AbortSignal): Promise<Row[]> {
  const { only, runs, effort, binary, json } = options;
  // where the tests' way of starting the program looks
  if (binary === undefined) Deno.env.delete("I2PTUN_BIN");
  else Deno.env.set("I2PTUN_BIN", resolve(binary));

  const machine = lookAtMachine();
  const programs = await findPrograms();
  const wanted = measures(effort, binary !== undefined)
    .filter(({ name }) => only.includes(name));
  const possible = wanted.filter(isPossible);
  const overTcp = possible.some((each) => each.overTcp) ? TCP_ROUND_TRIPS : [];
  await using lab = await openLab(ROUND_TRIPS, overTcp, signal);
  const rows: Row[] = [];
  for (const measure of possible) {
    console.error(`measuring: ${measure.what.trim()}`);
    rows.push(...await compare(measure, programs, runs, lab, signal));
  }

  const measured = binary === undefined ? "the source" : age(binary);
  const report = makeReport(rows, machine, programs, measured);
  if (json) console.log(JSON.stringify(report, undefined, 2));
  else console.log(["", ...showReport(report)].join("\n"));
  return rows;
}

/** Whether this machine can; says so if not. */
function isPossible({ what, overTcp }: Measure): boolean {
  if (!overTcp) return true;
  const missing = whyMissing("remote-host") ?? whyMissing("python3");
  if (missing !== undefined) console.error(`left out: ${what}: it ${missing}`);
  return missing === undefined;
}

/** An executable and when it was made: it may be older than the source. */
function age(binary: string): string {
  return `${binary}, made ${Deno.statSync(binary).mtime?.toISOString()}`;
}

/** Aborts on Ctrl-C, and when somebody else wants it to end. */
function interrupted(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, () => controller.abort());
  }
  return controller.signal;
}

async function main(args: string[]): Promise<number> {
  let options;
  try {
    options = readOptions(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`error: ${error.message}\ntry: deno task bench --help`);
    return 2;
  }
  if (options === "help") {
    console.log(USAGE);
    return 0;
  }
  const missing = whyMissing("sshd");
  if (missing !== undefined) {
    console.error(`error: it ${missing}\ntry: installing it`);
    return 1;
  }
  if (options.binary !== undefined && !isFile(options.binary)) {
    console.error(
      `error: there is no file ${options.binary}\n` +
        "try: deno task compile, or --source",
    );
    return 2;
  }
  const signal = interrupted();
  try {
    const rows = await run(options, signal);
    return rows.some(({ programs }) => programs.i2ptun?.error) ? 1 : 0;
  } catch (error) {
    if (signal.aborted) return 130;
    throw error;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));

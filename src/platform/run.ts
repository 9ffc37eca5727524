/**
 * The only place that starts other programs, from a list.
 *
 * @module
 */

import { I2ptunError } from "../errors.ts";
import { WRITE_ROOTS } from "./permissions.ts";

const PROGRAMS = [
  // who listens on a port
  "ss",
  "lsof",
  "netstat",
  "tasklist",
  // the browser
  "xdg-open",
  "open",
  "rundll32",
  // starting with the system
  "systemctl",
  "launchctl",
  "schtasks",
  // what PuTTY has saved
  "reg",
] as const;

/**
 * Runs a program and gives what it printed; undefined if it is not installed
 * or failed.
 */
export async function output(
  program: typeof PROGRAMS[number],
  ...args: string[]
): Promise<string | undefined> {
  if (!PROGRAMS.includes(program)) throw new TypeError(program);
  try {
    const { success, stdout } = await new Deno.Command(program, {
      args,
      stdin: "null",
      stderr: "null",
    }).output();
    return success ? new TextDecoder().decode(stdout) : undefined;
  } catch {
    return undefined;
  }
}

/** What V8 is told: on the command line from source, built into executables. */
export const V8_FLAGS = "--v8-flags=" + [
  // ssh2 makes much short-lived garbage that holds on to memory outside V8's
  // heap; collected early it is half the memory, and no slower
  "--max-semi-space-size=1",
  // the ciphers' WebAssembly uses 256-bit vectors where the processor has them:
  // scripts/wasm/ says how
  "--experimental-wasm-revectorize",
  // otherwise an error, of which ssh2 makes some when it is loaded, has all
  // functions on its stack compiled again: a tenth of what a launch takes
  "--no-enable-lazy-source-positions",
  // no old garbage is collected before there is as much, in MB, as a launch never
  // makes: another tenth; instead it is collected once when the tunnel is up
  "--initial-heap-size=48",
  "--expose-gc",
  // threads that compile and collect wake a hundred times a second, and drive
  // both ends of a transfer to one processor: docs/performance.md, One transfer
  "--single-threaded",
  // without threads, V8 before 15 would never compile the ciphers any better than
  // at first, which is a third as fast
  "--no-liftoff",
  // the first hundred connections of a tunnel otherwise pass before V8 compiles
  // what each of them takes: docs/performance.md, Opening one
  "--invocation-count-for-maglev=60",
  "--minimum-invocations-after-ic-update=20",
].join();

/** What gives Deno the permissions of this program. */
export const PERMISSION_FLAGS: string[] = [
  "-P=i2ptun",
  ...(Deno.build.os === "windows" ? [writeFlag("windows")] : []),
];

/** Lets a program write all files of a system; see {@link WRITE_ROOTS}. */
export function writeFlag(system: keyof typeof WRITE_ROOTS): string {
  return `--allow-write=${WRITE_ROOTS[system].join(",")}`;
}

/** How this program is started: itself if compiled, else Deno with its source. */
export function selfCommand(): { program: string; args: string[] } {
  if (Deno.build.standalone) return { program: Deno.execPath(), args: [] };
  const root = new URL("../../", import.meta.url);
  return {
    program: Deno.execPath(),
    args: [
      "run",
      "-q",
      "--no-prompt",
      V8_FLAGS,
      `--config=${filePath(new URL("deno.json", root))}`,
      ...PERMISSION_FLAGS,
      filePath(new URL("main.ts", root)),
    ],
  };
}

/**
 * Starts this program again in a session of its own (setsid(2)), with pipes to
 * its standard input and output, so that it outlives this terminal.
 */
export function startSelf(args: string[]): Deno.ChildProcess {
  const self = selfCommand();
  return new Deno.Command(self.program, {
    args: [...self.args, ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
    detached: true,
  }).spawn();
}

/**
 * Ends a process at once.
 *
 * @param pid from a file, so it may be anything
 * @returns whether it is gone, or about to be
 */
export function killProcess(pid: number, kill = Deno.kill): boolean {
  // kill(2): 0 and less are groups of processes, -1 all there are
  if (!Number.isInteger(pid) || pid <= 1) return false;
  try {
    kill(pid, "SIGKILL");
    return true;
  } catch (error) {
    return error instanceof Deno.errors.NotFound;
  }
}

/** How long a browser that cannot start may take to say so. */
const BROWSER_FAILS_WITHIN_MS = 1000;

/**
 * Starts a browser that findBrowser() of browsers.ts found, in a session of its
 * own, so that it outlives this terminal.
 *
 * @returns its exit code if it ended at once, as it does with a code of 0 after
 * it has told a running instance what to open; 0 while it runs
 * @throws {I2ptunError} if it cannot be run
 */
export async function startBrowser(
  program: string,
  args: string[],
): Promise<number> {
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(program, {
      args,
      stdin: "null",
      stdout: "null",
      stderr: "null",
      detached: true,
    }).spawn();
  } catch (cause) {
    throw new I2ptunError("unforeseen", `cannot run ${program}`, {
      remedy: "name another browser with --browser",
      cause,
    });
  }
  const { promise: runs, resolve } = Promise.withResolvers<number>();
  const timer = setTimeout(() => resolve(0), BROWSER_FAILS_WITHIN_MS);
  const ended = child.status.then(({ code }) => code);
  const code = await Promise.race([ended, runs]);
  clearTimeout(timer);
  child.unref();
  return code;
}

/**
 * Opens a file in the user's editor and waits until it is closed. The command
 * may have arguments of its own, as in `EDITOR="code --wait"`; a path with
 * spaces stands in double quotes.
 *
 * @returns whether the editor reported success
 */
export async function runEditor(
  command: string,
  path: string,
): Promise<boolean> {
  const [program = "vi", ...args] = editorWords(command);
  const { success } = await new Deno.Command(program, {
    args: [...args, path],
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn().status;
  return success;
}

/** The words of an editor's command; one in double quotes may have spaces. */
export function editorWords(command: string): string[] {
  return [...command.matchAll(/"([^"]*)"|[^\s"]+/g)]
    .map(([word, quoted]) => quoted ?? word);
}

function filePath(url: URL): string {
  const path = decodeURIComponent(url.pathname);
  return Deno.build.os === "windows" ? path.slice(1) : path;
}

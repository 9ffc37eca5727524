/**
 * Which processes exist, as Linux tells it in /proc (proc(5)). Elsewhere every
 * answer is empty.
 *
 * Read by sh(1), cat(1) and grep(1): Deno itself lets only a program with all
 * permissions look into /proc.
 *
 * @module
 */
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";

/** A process as far as the tests need to know it. */
export interface ProcessInfo {
  pid: number;
  parent: number;
  /** The name of its executable, cut off at 15 bytes. */
  name: string;
}

/** Whether there is a process with this id, be it another user's or a zombie. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** All processes but zombies and dead ones, which run no more. */
export function listProcesses(): ProcessInfo[] {
  // pid (name) state ppid …, and the name may contain anything.
  const fields = /^(\d+) \((.*)\) ([^ZX]) (\d+) /gm;
  return [...shell("cat /proc/[0-9]*/stat").matchAll(fields)].map((match) => ({
    pid: Number(match[1]),
    name: match[2]!,
    parent: Number(match[4]),
  }));
}

/** The ids of a process's children. */
export function childrenOf(pid: number): number[] {
  return listProcesses().filter((p) => p.parent === pid).map((p) => p.pid);
}

/** The ids of everything below a process, parents first. */
export function descendantsOf(pid: number): number[] {
  const all = listProcesses();
  const found = [pid];
  for (const ancestor of found) {
    found.push(...all.filter((p) => p.parent === ancestor).map((p) => p.pid));
  }
  return found.slice(1);
}

/** The ids of the processes whose `HOME` is this folder. */
export function processesWithHome(home: string): number[] {
  return searchProcesses("environ", "^HOME=.*").filter(({ text }) =>
    text === `HOME=${home}`
  ).map(({ pid }) => pid);
}

/**
 * The processes with something in their command line, or in the environment
 * they started with.
 *
 * @param pattern an extended regular expression, for one argument or variable
 * @returns what matched, with the process's id
 */
export function searchProcesses(
  where: "cmdline" | "environ",
  pattern: string,
): { pid: number; text: string }[] {
  const found = shell(`grep -HozsaE "$1" /proc/[0-9]*/${where}`, pattern);
  return found.split("\0").flatMap((line) => {
    const match = /^\/proc\/(\d+)\/\w+:(.*)$/s.exec(line);
    return match ? [{ pid: Number(match[1]), text: match[2]! }] : [];
  });
}

/** Kills; one that is already gone is no error. */
export function killHard(pids: Iterable<number>): void {
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // Gone by itself.
    }
  }
}

/**
 * Kills, and waits until none of them runs: kill(2) returns before the signal
 * is obeyed. Of others' children nothing but a look tells the end.
 */
export async function killAndWait(pids: readonly number[]): Promise<void> {
  killHard(pids);
  while (listProcesses().some(({ pid }) => pids.includes(pid))) await delay(5);
}

/** What a script writes; processes that end meanwhile make it fail, no matter. */
function shell(script: string, ...args: string[]): string {
  if (Deno.build.os !== "linux") return "";
  const { stdout } = new Deno.Command("sh", {
    args: ["-c", script, "sh", ...args],
    stderr: "null",
  }).outputSync();
  return new TextDecoder().decode(stdout);
}

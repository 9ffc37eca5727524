/**
 * What running processes have cost, as Linux tells it in /proc (proc(5)).
 * Elsewhere nothing is known.
 *
 * Read by cat(1): Deno itself lets only a program with all permissions look
 * into /proc.
 *
 * @module
 */

/** The cost of a process, or of several together. */
export interface Cost {
  /** Processor time since they started, of user and system, in seconds. */
  cpuSeconds: number;
  /**
   * Memory that is theirs alone now, in bytes; parts of the program's file, which
   * the system can drop and read again, left out.
   */
  privateBytes: number;
  /** The most that was resident at once, in bytes, since {@link resetPeak}. */
  peakBytes: number;
}

/** Reads the cost of all these; undefined where it cannot be known. */
export async function costOf(
  pids: readonly number[],
): Promise<Cost | undefined> {
  if (Deno.build.os !== "linux") return undefined;
  const sum: Cost = { cpuSeconds: 0, privateBytes: 0, peakBytes: 0 };
  for (const pid of pids) {
    const text = await shell(
      `getconf CLK_TCK; cd /proc/${pid} && cat stat status smaps_rollup`,
    );
    const ticksPerSecond = Number(/^\d+/.exec(text)?.[0]);
    // pid (name) state and ten more, then utime and stime; the name is anything
    const times = /\) [A-Z](?: -?\d+){10} (\d+) (\d+) /.exec(text);
    const peak = /^VmHWM:\s+(\d+) kB/m.exec(text);
    if (!times || !peak) return undefined;
    sum.cpuSeconds += (Number(times[1]) + Number(times[2])) / ticksPerSecond;
    sum.peakBytes += Number(peak[1]) * 1024;
    const anonymous = /^Anonymous:\s+(\d+) kB/m.exec(text);
    sum.privateBytes += Number(anonymous?.[1]) * 1024;
  }
  return sum;
}

/** From now on the peak is counted anew. */
export async function resetPeak(pids: readonly number[]): Promise<void> {
  if (Deno.build.os !== "linux") return;
  for (const pid of pids) await shell(`echo 5 > /proc/${pid}/clear_refs`);
}

async function shell(script: string): Promise<string> {
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", script],
    stderr: "null",
  }).output();
  return new TextDecoder().decode(stdout);
}

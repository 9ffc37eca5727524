/**
 * What Deno itself costs a program that passes bytes on, as in
 * docs/performance.md: a byte goes there and back through a relay of a few lines
 * in Deno, and through the same in C, in turns. On Linux, with a C compiler:
 *
 *     deno run -P=i2ptun scripts/runtime.ts
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { V8_FLAGS } from "../src/platform/run.ts";
import { Child } from "../tests/support/child.ts";
import { freePort } from "../tests/support/ports.ts";
import {
  execute,
  makeScratchDir,
  removeDir,
} from "../tests/support/scratch.ts";
import { costOf } from "./bench/cost.ts";

const TURNS = 100;
const ROUND_TRIPS = 500;

const path = (name: string) =>
  fileURLToPath(new URL(`runtime/${name}`, import.meta.url));

const dir = await makeScratchDir();
const RELAY_IN_C = `${dir}/relay`;

/** Starts a relay with a target of its own, and uses it for a while. */
async function open(name: string, command: string, args: string[]) {
  const [port, to] = [freePort(), freePort()];
  const target = new Child(RELAY_IN_C, [`${to}`]);
  const relay = new Child(command, [...args, `${port}`, `${to}`]);
  for (const { stdout } of [target, relay]) await stdout.waitFor(/listening/);
  const client = await Deno.connect({ hostname: "127.0.0.1", port });
  client.setNoDelay(true);
  // until V8 has compiled what there is
  for (let i = 0; i < 6; i++) await turn(client);
  const processorTime = async () =>
    1e6 * (await costOf([relay.pid]))!.cpuSeconds;
  const before = await processorTime();
  const medians: number[] = [];
  return {
    name,
    medians,
    turn: async () => void medians.push(await turn(client)),
    /** @returns the processor time of all turns, in µs */
    async close() {
      const spent = await processorTime() - before;
      client.close();
      await Promise.all([target.exit, relay.exit]);
      return spent;
    },
  };
}

/** @returns the median, in µs */
async function turn(client: Deno.TcpConn): Promise<number> {
  const byte = new Uint8Array(1);
  const times: number[] = [];
  for (let i = 0; i < ROUND_TRIPS; i++) {
    const start = performance.now();
    await client.write(byte);
    await client.read(byte);
    times.push(1000 * (performance.now() - start));
  }
  return median(times);
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

try {
  await execute("cc", ["-O2", "-o", RELAY_IN_C, path("relay.c")]);
  const deno = ["run", "-q", "-A", "--no-config", V8_FLAGS, path("relay.ts")];
  const ways = [
    await open("C", RELAY_IN_C, []),
    await open("Deno", Deno.execPath(), deno),
  ];
  for (let i = 0; i < TURNS; i++) {
    for (const way of i % 2 ? ways : ways.toReversed()) await way.turn();
  }
  console.log(`a byte there and back, medians of ${TURNS} turns`);
  for (const { name, medians, close } of ways) {
    const each = await close() / (TURNS * ROUND_TRIPS);
    console.log(
      `a relay in ${name.padEnd(4)} ${median(medians).toFixed(0)} µs, ` +
        `${each.toFixed(0)} of processor time`,
    );
  }
} finally {
  await removeDir(dir);
}

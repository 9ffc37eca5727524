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

/** Starts a relay with a target of its own, and connects to it. */
async function open(name: string, command: string, args: string[]) {
  const [port, to] = [freePort(), freePort()];
  const target = new Child(relay, [`${to}`]);
  const program = new Child(command, [...args, `${port}`, `${to}`]);
  for (const { stdout } of [target, program]) await stdout.waitFor(/listening/);
  const client = await Deno.connect({ hostname: "127.0.0.1", port });
  client.setNoDelay(true);
  const close = async () => {
    client.close();
    await Promise.all([target.exit, program.exit]);
  };
  const processorTime = async () =>
    1e6 * (await costOf([program.pid]))!.cpuSeconds;
  return {
    name,
    client,
    close,
    processorTime,
    before: 0,
    medians: [] as number[],
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

const dir = await makeScratchDir();
const relay = `${dir}/relay`;
try {
  await execute("cc", ["-O2", "-o", relay, path("relay.c")]);
  const deno = ["run", "-q", "-A", "--no-config", V8_FLAGS, path("relay.ts")];
  const ways = [
    await open("C", relay, []),
    await open("Deno", Deno.execPath(), deno),
  ];
  for (const way of ways) {
    // until V8 has compiled what there is
    for (let i = 0; i < 6; i++) await turn(way.client);
    way.before = await way.processorTime();
  }
  for (let i = 0; i < TURNS; i++) {
    for (const { client, medians } of i % 2 ? ways : ways.toReversed()) {
      medians.push(await turn(client));
    }
  }
  console.log(`a byte there and back, medians of ${TURNS} turns`);
  for (const { name, medians, before, processorTime, close } of ways) {
    const each = (await processorTime() - before) / (TURNS * ROUND_TRIPS);
    console.log(
      `a relay in ${name.padEnd(4)} ${median(medians).toFixed(0)} µs, ` +
        `${each.toFixed(0)} of processor time`,
    );
    await close();
  }
} finally {
  await removeDir(dir);
}

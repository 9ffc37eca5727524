/**
 * How big the executable is and how soon it starts, made in different ways, as
 * the table in docs/performance.md:
 *
 *     deno run -P=i2ptun scripts/sizes.ts
 *
 * All are made for this machine and run in turns.
 *
 * @module
 */

import { bundle, ROOT } from "./bundle.ts";
import { compileScript } from "./compile.ts";

const FOLDER = "dist/sizes";
const ROUNDS = 25;

interface Way {
  name: string;
  /** Makes the executable at this path, relative to the root. */
  make(output: string): Promise<void>;
}

const WAYS: Way[] = [
  {
    name: "an empty program",
    make: async (output) => {
      const script = `${FOLDER}/empty.ts`;
      await Deno.writeTextFile(new URL(script, ROOT), "Deno.exit(0);\n");
      await compileScript(script, output);
    },
  },
  {
    name: "source and whole packages",
    make: (output) => compileScript("main.ts", output),
  },
  { name: "bundled", make: (output) => bundled(output, false) },
  { name: "bundled and minified", make: (output) => bundled(output, true) },
];

async function bundled(output: string, minify: boolean): Promise<void> {
  const folder = `${output}-bundle`;
  const main = await bundle(folder, { source: "measured", minify });
  await compileScript(main, output);
}

/** Milliseconds from the start to the end of a run. */
async function run(program: URL, args: string[]): Promise<number> {
  const before = performance.now();
  const { success } = await new Deno.Command(program, {
    args,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).output();
  if (!success) throw new Error(`${program.pathname} ${args.join(" ")} failed`);
  return performance.now() - before;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

async function main(): Promise<void> {
  const at = new URL(`${FOLDER}/`, ROOT);
  await Deno.mkdir(at, { recursive: true });
  try {
    const made = [];
    for (const [i, { name, make }] of WAYS.entries()) {
      await make(`${FOLDER}/program-${i}`);
      const suffix = Deno.build.os === "windows" ? ".exe" : "";
      const program = new URL(`program-${i}${suffix}`, at);
      made.push({
        ...{ name, program, size: (await Deno.stat(program)).size },
        ...{ version: [] as number[], list: [] as number[] },
      });
    }
    const [empty] = made;
    // one round that does not count: the system reads the files
    for (let round = 0; round <= ROUNDS; round++) {
      for (const each of made) {
        const version = await run(each.program, ["--version"]);
        const list = await run(each.program, ["profile", "list"]);
        if (round === 0) continue;
        each.version.push(version);
        each.list.push(list);
      }
    }
    const rows = made.map(({ name, size, version, list }) => [
      name,
      `${(size / 1e6).toFixed(1)} MB`,
      `${((size - empty!.size) / 1e6).toFixed(1)} MB`,
      `${median(version).toFixed(1)} ms`,
      (median(version) / median(empty!.version)).toFixed(2),
      `${median(list).toFixed(1)} ms`,
    ]);
    const head = [
      ...["made of", "size", "over empty", "`--version`", "× empty"],
      "`profile list`",
    ];
    const table = [head, head.map(() => "---"), ...rows];
    console.log(table.map((row) => `| ${row.join(" | ")} |`).join("\n"));
    console.log(
      `\nDeno ${Deno.version.deno}, ${Deno.build.target}, medians of ${ROUNDS}`,
    );
  } finally {
    await Deno.remove(at, { recursive: true });
  }
}

if (import.meta.main) await main();

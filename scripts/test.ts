/**
 * `deno task test [FILE…] [OPTION…]`: all tests, or what `deno test` is told.
 * Installs the test servers where it can, and ends with the tests that were left
 * out, by name, and the count: `N passed, N failed[, N skipped]`.
 *
 * @module
 */
import { PERMISSION_FLAGS } from "../src/platform/run.ts";
import { countTests } from "../tests/support/junit.ts";
import { installPackages } from "../tests/support/packages.ts";
import { type Skip, SKIPS_FILE } from "../tests/support/requirements.ts";
import { sweepNow } from "../tests/support/scratch.ts";

/** Runs the tests. @param args for `deno test` @returns the exit code */
async function main(args: string[]): Promise<number> {
  const installed = await installPackages();
  if (installed !== undefined) console.log(installed);

  const dir = await Deno.makeTempDir({ prefix: "i2ptun-test-" });
  const report = `${dir}/report.xml`;
  const skipsFile = `${dir}/skips.jsonl`;
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...[
        "test",
        "-q",
        "--no-prompt",
        ...PERMISSION_FLAGS,
        `--junit-path=${report}`,
      ],
      // By its name `deno test` takes this very file for a test.
      "--ignore=scripts",
      ...args,
    ],
    env: {
      [SKIPS_FILE]: skipsFile,
      ...(Deno.env.has("CI") ? { NO_COLOR: "1" } : {}),
    },
  }).spawn().status;

  // What a crash of the tests would have left behind.
  await sweepNow();
  const counts = countTests(await readIfThere(report));
  const skips = (await readIfThere(skipsFile)).split("\n").filter(Boolean)
    .map((line): Skip => JSON.parse(line));
  await Deno.remove(dir, { recursive: true });

  const { passed, skipped } = counts;
  // A file that does not load, or a crash, fails the run but no single test.
  const failed = counts.failed || (code === 0 ? 0 : 1);
  shoutSkipped(skipped, skips);
  if (passed + failed === 0) console.log("\nno test ran");
  console.log(
    `\n${passed} passed, ${failed} failed` +
      (skipped.length > 0 ? `, ${skipped.length} skipped` : ""),
  );
  return failed === 0 && passed > 0 ? 0 : 1;
}

function shoutSkipped(names: string[], skips: Skip[]): void {
  if (names.length === 0) return;
  console.log(`\nLEFT OUT: ${names.length} of the tests did not run`);
  for (const name of names) {
    const skip = skips.find((skip) => skip.name === name);
    console.log(
      skip
        ? `  ${skip.file}: ${name}: ${skip.reason}`
        : `  ${name}: ignored in the source`,
    );
  }
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));

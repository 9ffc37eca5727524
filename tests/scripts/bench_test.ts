/** `deno task bench`, as a process. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { Child } from "../support/child.ts";
import { searchProcesses } from "../support/processes.ts";
import { testWith } from "../support/requirements.ts";

function bench(...args: string[]): Child {
  const root = new URL("../../", import.meta.url);
  return new Child(Deno.execPath(), [
    ...["run", "-q", "--no-prompt", "-P=i2ptun", "--allow-sys"],
    ...["scripts/bench.ts", ...args],
  ], { cwd: fileURLToPath(root) });
}

testWith(["sshd", "ssh"], "bench sets i2ptun beside ssh", async () => {
  await using child = bench(
    ...["--quick", "--only", "roundtrip", "--runs", "1", "--source", "--json"],
  );
  assert.equal(await child.exit, 0, child.output.text);
  await child.drained;
  const report = JSON.parse(child.stdout.text);
  assert.equal(report.rows.length, 1);
  const [row] = report.rows;
  assert.equal(row.name, "roundtrip");
  assert.equal(row.unit, "ms");
  for (const name of ["i2ptun", "ssh"]) {
    const { median, runs, peakMB } = row.programs[name];
    assert.equal(runs.length, 1);
    assert.equal(median, runs[0]);
    // microseconds would be no tunnel; a second, something that waits
    assert(median > 0.005 && median < 1000, `${name}: ${median} ms`);
    assert(peakMB > 1 && peakMB < 1000, `${name}: ${peakMB} MB`);
    assert.notEqual(report.programs[name], "");
  }
  const { i2ptun, ssh } = row.programs;
  assert.equal(row.ratio, i2ptun.median / ssh.median);
  assert.deepEqual(row.goal, {
    of: "ratio",
    sense: "at most",
    limit: 1.1,
    met: row.ratio <= 1.1,
  });
  assert.equal(report.peak.i2ptunMB, i2ptun.peakMB);
  assert.equal(report.machine.deno, Deno.version.deno);
  assert.equal(report.i2ptun, "the source");
});

testWith(
  ["remote-host", "python3"],
  "bench has a way to a server on which TCP waits",
  async () => {
    await using child = bench(
      ...["--quick", "--only", "open-tcp-session", "--source", "--json"],
    );
    assert.equal(await child.exit, 0, child.output.text);
    await child.drained;
    const [row] = JSON.parse(child.stdout.text).rows;
    // a round trip for the channel, one for the byte
    assert(row.programs.i2ptun.median >= 200, child.stdout.text);
  },
);

testWith(["sshd"], "bench leaves nothing behind on Ctrl-C", async () => {
  await using child = bench("--only", "idle", "--source");
  await child.waitFor(/^measuring: /m);
  const ours = () =>
    searchProcesses("environ", `^HOME=.*i2ptun-t-${child.pid}-`);
  assert(ours().length > 0, "it has started something");
  child.signal("SIGINT");
  assert.equal(await child.exit, 130, child.output.text);
  assert.deepEqual(ours(), []);
  const tmp = Deno.env.get("TMPDIR") ?? "/tmp";
  const left = [...Deno.readDirSync(tmp)].map(({ name }) => name)
    .filter((name) => name.startsWith(`i2ptun-t-${child.pid}-`));
  assert.deepEqual(left, []);
});

Deno.test("bench refuses what it does not know", async () => {
  for (
    const [args, error] of [
      [["--only", "roundtrip,nonsense"], /^error: .*nonsense$/m],
      [["--runs", "0"], /^error: --runs 0 /m],
      [["--faster"], /^error: .*--faster/m],
      [["--bin", "/nowhere"], /^error: .*\/nowhere$/m],
    ] as const
  ) {
    await using child = bench(...args);
    assert.equal(await child.exit, 2);
    await child.drained;
    assert.match(child.stderr.text, error);
    assert.match(child.stderr.text, /^try: /m);
    assert.equal(child.stdout.text, "");
  }
});

import assert from "node:assert/strict";
import { listProcesses } from "./processes.ts";
import { Sandbox } from "./program.ts";
import { testWith } from "./requirements.ts";

/** A shell script in the sandbox, run in place of the program. */
async function withStandIn<T>(
  script: string,
  use: (sandbox: Sandbox) => Promise<T>,
): Promise<T> {
  await using sandbox = await Sandbox.create();
  const file = `${sandbox.home}/stand-in`;
  await Deno.writeTextFile(file, `#!/bin/sh\n${script}\n`);
  await Deno.chmod(file, 0o700);
  const before = Deno.env.get("I2PTUN_BIN");
  Deno.env.set("I2PTUN_BIN", file);
  try {
    return await use(sandbox);
  } finally {
    if (before === undefined) Deno.env.delete("I2PTUN_BIN");
    else Deno.env.set("I2PTUN_BIN", before);
  }
}

testWith(
  ["linux"],
  "run gives input and arguments, and takes output",
  async () => {
    await withStandIn('cat; echo "$1" >&2; exit 3', async (sandbox) => {
      const result = await sandbox.run(["a b"], { stdin: "line\n" });
      assert.deepEqual(result, { code: 3, stdout: "line\n", stderr: "a b\n" });
    });
  },
);

testWith(["linux"], "the program sees only the sandbox", async () => {
  Deno.env.set("SSH_AUTH_SOCK", "/nowhere");
  Deno.env.set("XDG_CONFIG_HOME", "/nowhere");
  try {
    await withStandIn("env; pwd", async (sandbox) => {
      const { stdout } = await sandbox.run([], { env: { EXTRA: "1" } });
      assert(!stdout.includes("/nowhere"));
      assert(stdout.includes(`HOME=${sandbox.home}\n`));
      assert(stdout.includes("EXTRA=1\n"));
      assert(stdout.endsWith(`\n${sandbox.home}\n`));
    });
  } finally {
    Deno.env.delete("SSH_AUTH_SOCK");
    Deno.env.delete("XDG_CONFIG_HOME");
  }
});

testWith(
  ["linux"],
  "run ends what takes too long, with its output",
  async () => {
    await withStandIn("echo busy; exec sleep 1000", async (sandbox) => {
      await assert.rejects(
        sandbox.run(["x"], { timeoutMs: 200 }),
        /i2ptun x still runs after 200 ms; it says:\nbusy/,
      );
    });
    await withStandIn("sleep 1000 &", async (sandbox) => {
      await assert.rejects(
        sandbox.run(["x"], { timeoutMs: 200 }),
        /has ended, but its output is still held open/,
      );
    });
  },
);

testWith(["linux"], "spawn waits for lines and signals", async () => {
  const script =
    'trap "echo bye; exit 7" INT; echo up; while :; do sleep 0.02; done';
  await withStandIn(script, async (sandbox) => {
    const child = sandbox.spawn([]);
    await child.stdout.waitFor(/^up$/m);
    child.signal("SIGINT");
    await child.waitFor(/^bye$/m);
    assert.equal(await child.exit, 7);
    await assert.rejects(child.waitFor(/never/), /it has ended; it says:\nup/);
  });
});

testWith(["linux"], "a sandbox leaves no process behind", async () => {
  // It tells its id itself: while a process is replaced by another program,
  // nobody can see its environment.
  const background = `[ "$1" = profile ] && exit 1
nohup sh -c 'echo $$; exec >/dev/null; while :; do sleep 0.02; done' 2>/dev/null &`;
  const pid = await withStandIn(
    background,
    async (sandbox) => Number((await sandbox.run(["start"])).stdout),
  );
  assert(pid > 0);
  assert(listProcesses().every((process) => process.pid !== pid));
});

testWith(["ssh-keygen"], "a sandbox has keys and profiles", async () => {
  await using sandbox = await Sandbox.create();
  const { path, publicLine } = await sandbox.key();
  assert.equal(path, `${sandbox.home}/.ssh/id_ed25519`);
  assert.match(publicLine, /^ssh-ed25519 \S+ test$/);
  const file = await sandbox.writeProfiles("version: 1\n");
  assert.equal(await Deno.readTextFile(file), "version: 1\n");
});

/** The process of a tunnel, and what happens to a machine around it. */
import assert from "node:assert/strict";
import { selfCommand, V8_FLAGS } from "../../src/platform/run.ts";
import { Child } from "../support/child.ts";
import { killHard, processesWithHome } from "../support/processes.ts";
import { testWith } from "../support/requirements.ts";
import { execute } from "../support/scratch.ts";
import { startTerminal } from "../support/terminal.ts";
import {
  assertFails,
  assertNothingLeft,
  assertServes,
  ended,
  get,
  logUntil,
  type Site,
  startSite,
  statusOf,
  statusUntil,
  succeed,
} from "./setup.ts";

const START = ["profile", "start", "home"];
const STOP = ["profile", "stop", "home"];

testWith(["sshd", "linux"], "it outlives its shell, and a logout", async () => {
  await using site = await startSite();
  const { sandbox } = site;
  const script = '"$@" && echo started && exec sleep 60';
  await using shell = new Child("sh", [
    ...["-c", script, "sh", ...sandbox.command(...START)],
  ], { env: sandbox.env, cwd: sandbox.home });
  await shell.waitFor(/^started$/m);
  killHard([shell.pid]);
  await shell.exit;
  await assertServes(site);
  const { pid } = await statusOf(sandbox);
  // as some systems send to all that a user has left running
  for (const each of processesWithHome(sandbox.home)) Deno.kill(each, "SIGHUP");
  await assertServes(site);
  assert.equal((await statusOf(sandbox)).pid, pid);
});

for (const more of [[], ["--foreground"]]) {
  const name = ["stop ends one that asks a person", ...more].join(" ");
  testWith(["sshd", "tmux"], name, async () => {
    await using site = await startSite();
    const { sandbox, sshd } = site;
    await Deno.writeTextFile(sshd.authorizedKeys, "");
    await using terminal = await startTerminal({
      command: sandbox.command(...START, ...more),
      env: sandbox.env,
      cwd: sandbox.home,
    });
    await terminal.waitFor(/Password for /);
    await succeed(sandbox, STOP);
    assert.equal((await statusOf(sandbox)).state, "stopped");
    // the person need not press a key for it
    assert.equal(await terminal.exit(), 130);
    // and nothing is written over the question
    const screen = await terminal.screen();
    assert.match(screen, /Password for /);
    assert.doesNotMatch(screen, /home is stop/);
    await terminal.close();
    await assertNothingLeft(sandbox, site.port);
  });
}

testWith(["sshd"], "stop ends one that does not answer", async () => {
  await using site = await startSite();
  const { sandbox } = site;
  await succeed(sandbox, START);
  const { pid } = await statusOf(sandbox);
  // as Ctrl-Z does in the foreground
  Deno.kill(pid!, "SIGSTOP");
  const [status, list, removed, again] = await Promise.all([
    sandbox.run(["profile", "status", "home"]),
    sandbox.run(["profile", "list"]),
    sandbox.run(["profile", "remove", "home", "--yes"]),
    sandbox.run(START),
  ]);
  assert.equal(status.code, 3);
  assert.match(status.stdout, /its process does not answer/);
  assert.match(status.stderr, /^try: i2ptun profile restart home$/m);
  assert.equal(list.code, 0, list.stderr);
  assertFails(removed, 2, /home is running/);
  assertFails(again, 1, /home is running already, but its process does not/);
  assert.match(await succeed(sandbox, STOP), /stopped home/);
  await assertNothingLeft(sandbox, site.port);
  await succeed(sandbox, START);
  await assertServes(site);
});

testWith(["sshd"], "a record that says nothing of use", async () => {
  await using site = await startSite();
  const { sandbox } = site;
  const record = `${sandbox.home}/.local/state/i2ptun/run/home.json`;
  for (const text of ["", '{"name":', "null", "{}", '{"control":1}']) {
    await succeed(sandbox, START);
    await Deno.writeTextFile(record, text);
    assert.equal((await statusOf(sandbox)).state, "up", text);
    assert.match(await succeed(sandbox, START), /home is up/, text);
    assert.match(await succeed(sandbox, STOP), /stopped home/, text);
    await assertNothingLeft(sandbox, site.port);
  }
});

/** The state folder as a file system of its own, which can be full. */
async function withSmallState(
  site: Site,
  body: (disk: {
    fill(): void;
    empty(): void;
    readOnly(yes: boolean): Promise<unknown>;
  }) => Promise<void>,
): Promise<void> {
  const state = `${site.sandbox.home}/.local/state/i2ptun`;
  await Deno.mkdir(state, { recursive: true });
  await execute("mount", [
    ...["-t", "tmpfs", "-o", "size=64k,mode=0700", "tmpfs", state],
  ]);
  const file = `${state}/fill`;
  try {
    await body({
      fill() {
        // what is free in the log's last block counts too
        const log = `${state}/log/home.log`;
        assert.throws(() => Deno.writeFileSync(file, new Uint8Array(1e6)));
        const append = { append: true, create: false };
        try {
          while (true) Deno.writeTextFileSync(log, "x", append);
        } catch {
          // full, or there is none yet
        }
      },
      empty: () => Deno.removeSync(file),
      readOnly: (yes) =>
        execute("mount", ["-o", `remount,${yes ? "ro" : "rw"}`, state]),
    });
  } finally {
    await site.sandbox.run(["profile", "stop", "--all"]);
    await execute("umount", ["--lazy", state]);
  }
}

testWith(["sshd", "netns"], "a full disk does not end a tunnel", async () => {
  await using site = await startSite();
  const { sandbox, sshd } = site;
  await withSmallState(site, async (disk) => {
    await succeed(sandbox, START);
    disk.fill();
    sshd.killConnections();
    await statusUntil(sandbox, ({ reconnects }) => reconnects === 1);
    await assertServes(site);
    disk.empty();
    sshd.killConnections();
    await logUntil(
      sandbox,
      /x\n\S+ warning \d events? could not be written here: No space left on device\n/,
    );
    await statusUntil(sandbox, ({ state }) => state === "up");
    await succeed(sandbox, STOP);
    await assertNothingLeft(sandbox, site.port);

    // nor does it keep one from starting
    disk.fill();
    await succeed(sandbox, START);
    assert.equal((await statusOf(sandbox)).state, "up");
    await assertServes(site);
    const again = await succeed(sandbox, START);
    assert.match(again, /home is up/);
    assert.equal(processesWithHome(sandbox.home).length, 1);
    assert.match(await succeed(sandbox, STOP), /stopped home/);
    await assertNothingLeft(sandbox, site.port);

    // not even if it has failed before
    disk.empty();
    await succeed(sandbox, START);
    const keys = await Deno.readTextFile(sshd.authorizedKeys);
    await Deno.writeTextFile(sshd.authorizedKeys, "");
    sshd.killConnections();
    await statusUntil(sandbox, ({ state }) => state === "failed");
    await Deno.writeTextFile(sshd.authorizedKeys, keys);
    disk.fill();
    await succeed(sandbox, START);
    assert.equal((await statusOf(sandbox)).state, "up");
    await succeed(sandbox, STOP);

    // and a killed one leaves nothing that is taken for a tunnel
    await succeed(sandbox, START);
    killHard(processesWithHome(sandbox.home));
    await statusUntil(sandbox, ({ state }) => state === "stopped");
    await succeed(sandbox, START);
    await assertServes(site);
    await succeed(sandbox, ["profile", "stop", "--all"]);
    await assertNothingLeft(sandbox, site.port);
  });
});

testWith(
  ["sshd", "netns"],
  "a state folder that cannot be written",
  async () => {
    await using site = await startSite();
    const { sandbox, sshd } = site;
    await withSmallState(site, async (disk) => {
      await disk.readOnly(true);
      const refused = await sandbox.run(START);
      assertFails(refused, 1, /cannot use the state folder .*: Read-only file/);
      await assertNothingLeft(sandbox, site.port);
      await disk.readOnly(false);
    });
    // and one that is gone while a tunnel runs
    await succeed(sandbox, START);
    const state = `${sandbox.home}/.local/state/i2ptun`;
    await Deno.rename(state, `${state}.away`);
    sshd.killConnections();
    await assertServes(site);
    await Deno.rename(`${state}.away`, state);
    await statusUntil(sandbox, ({ reconnects }) => reconnects === 1);
    await succeed(sandbox, STOP);
    await assertNothingLeft(sandbox, site.port);
  },
);

testWith(["sshd"], "a thousand clients at the control socket", async () => {
  await using site = await startSite();
  const { sandbox } = site;
  await succeed(sandbox, START);
  const path = `${sandbox.home}/.local/state/i2ptun/run/home.sock`;
  const request = new TextEncoder().encode('{"command":"status"}\n');
  const clients: Deno.Conn[] = [];
  while (clients.length < 1000) {
    const client = await Deno.connect({ transport: "unix", path })
      .catch((error) => {
        // too many wait to be let in
        assert(error instanceof Deno.errors.WouldBlock, String(error));
      });
    if (!client) continue;
    // half of a request, and half of them go on to a whole one
    await client.write(request.subarray(0, 10));
    clients.push(client);
  }
  assert.equal((await statusOf(sandbox)).state, "up");
  await assertServes(site);
  await Promise.all(clients.map(async (client, i) => {
    if (i % 2 === 0) return;
    await client.write(request.subarray(10));
    const answer = await new Response(client.readable).json();
    assert.equal(answer.state, "up");
  }));
  await succeed(sandbox, STOP);
  await assertNothingLeft(sandbox, site.port);
  clients.forEach((client, i) => i % 2 === 0 && client.close());
});

testWith(["sshd", "linux"], "memory stays flat however many come", async () => {
  await using site = await startSite();
  const { sandbox, port } = site;
  await succeed(sandbox, START);
  const { pid } = await statusOf(sandbox);
  const memory = async () => {
    const status = await execute("cat", [`/proc/${pid}/status`]);
    return Number(/VmRSS:\s+(\d+)/.exec(status)![1]) * 1024;
  };
  const serve = async (count: number) => {
    for (let i = 0; i < count; i += 20) {
      await Promise.all(Array.from({ length: 20 }, () => get(port)));
    }
  };
  // what is reserved once and kept
  await serve(3000);
  const growth = async () => {
    const before = await memory();
    await serve(3000);
    return (await memory()) - before;
  };
  // once it may be that garbage waits; what is kept is kept each time
  const grown = Math.min(await growth(), await growth());
  assert(grown < 18e6, `${Math.round(grown / 1e6)} MB for 3,000 connections`);
});

testWith(
  ["sshd", "linux"],
  "what only the start needed is given back, and what a lost connection leaves",
  async () => {
    await using site = await startSite();
    const { sandbox, sshd } = site;
    const { program, args } = selfCommand();
    // a pipe would be written to only at the end
    await using child = new Child("stdbuf", [
      ...["-oL", program],
      ...args.map((arg) => arg === V8_FLAGS ? `${arg},--trace-gc` : arg),
      ...[...START, "--foreground"],
    ], { env: sandbox.env, cwd: sandbox.home });
    const collected = "[^]* Mark-Compact .*GC in old space requested";
    await child.waitFor(new RegExp(`is up${collected}`));
    sshd.killConnections();
    await child.waitFor(new RegExp(`is reconnecting${collected}`));
    child.signal("SIGTERM");
    assert.equal(await ended(child), 0);
  },
);

testWith(["sshd", "linux"], "a tunnel that nobody uses sleeps", async () => {
  await using site = await startSite({
    profile: "keepalive: { interval: 60s }",
  });
  const { sandbox } = site;
  await succeed(sandbox, START);
  await assertServes(site);
  const { pid } = await statusOf(sandbox);
  const wakeUps = async () => {
    const script = `cat /proc/${pid}/task/*/status | ` +
      "awk '/^voluntary/ {n += $2} END {print n}'";
    return Number(await execute("sh", ["-c", script]));
  };
  const windows: number[] = [];
  // what cleans up behind the start is over by the second one
  while (windows.length < 2 && !windows.some((woken) => woken <= 15)) {
    const before = await wakeUps();
    assert(before > 0);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    windows.push(await wakeUps() - before);
  }
  assert(windows.at(-1)! <= 15, `${windows} wake-ups in 3 s each`);
});

import assert from "node:assert/strict";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { compileScript } from "../../scripts/compile.ts";
import { ProfileStore } from "../../src/profile/store.ts";
import { selfCommand } from "../../src/platform/run.ts";
import { Child } from "../support/child.ts";
import { readEmbedded } from "../support/embedded.ts";
import { INSIDER, Insider } from "../support/insider.ts";
import { freePort } from "../support/ports.ts";
import type { Sandbox } from "../support/program.ts";
import { testWith } from "../support/requirements.ts";
import { makeScratchDir } from "../support/scratch.ts";
import {
  assertServes,
  ended,
  get,
  startSite,
  statusUntil,
  succeed,
  writeProfile,
} from "./setup.ts";

let compiled: Promise<string> | undefined;

Deno.test.afterAll(async () => {
  if (compiled) await Deno.remove(dirname(await compiled), { recursive: true });
});

/**
 * The program and the insider in it, run as the program under test is: from
 * source, or as an executable that is made as that one is, and permitted the same.
 */
async function insiderCommand(): Promise<string[]> {
  const program = Deno.env.get("I2PTUN_BIN");
  if (!program) {
    const self = selfCommand();
    const fromSource = fileURLToPath(
      new URL(`../../${INSIDER}`, import.meta.url),
    );
    return [self.program, ...self.args.slice(0, -1), fromSource];
  }
  return [await (compiled ??= compileInsider(resolve(program)))];
}

async function compileInsider(program: string): Promise<string> {
  const path = `${await makeScratchDir()}/insider`;
  await compileScript(INSIDER, path);
  const [insider, original] = await Promise.all(
    [path, program].map(readEmbedded),
  );
  assert.deepEqual(insider!.permissions, original!.permissions);
  return path;
}

async function start(
  insider: Insider,
  sandbox: Sandbox,
  ...args: string[]
): Promise<Child> {
  const [command, ...options] = await insiderCommand();
  await Deno.mkdir(`${sandbox.home}/.local/state/i2ptun/log`, {
    recursive: true,
    mode: 0o700,
  });
  const child = new Child(
    command!,
    [...options, insider.port, sandbox.home, ...args],
    { cwd: sandbox.home, env: sandbox.env },
  );
  await insider.hasBegun();
  return child;
}

testWith(
  ["sshd", "linux", "ss"],
  "a tunnel in the foreground can start, write, read and load nothing",
  async () => {
    await using site = await startSite();
    const { sandbox } = site;
    using insider = new Insider();
    await using child = await start(
      insider,
      sandbox,
      ...["profile", "start", "home", "--foreground"],
    );
    await child.waitFor(/home is up/);
    await insider.assertConfined();
    await assertServes(site);
    // still after it has logged in again, which needs the key
    site.sshd.killConnections();
    await statusUntil(sandbox, ({ reconnects }) => reconnects === 1);
    await insider.assertConfined();
    await assertServes(site);
    child.signal("SIGTERM");
    assert.equal(await ended(child), 0);
  },
);

testWith(
  ["sshd", "linux", "ss"],
  "nor can one of a command line",
  async () => {
    await using site = await startSite();
    const { sandbox, page, port, server } = site;
    const [, user, sshPort] = /^(.*):(\d+)$/.exec(server)!;
    using insider = new Insider();
    await using child = await start(
      insider,
      sandbox,
      ...["ssh", "-N", "-p", sshPort!],
      ...["-L", `${port}:127.0.0.1:${page.port}`, user!],
    );
    await child.waitFor(/ is up/);
    await insider.assertConfined();
    await assertServes(site);
    child.signal("SIGTERM");
    assert.equal(await ended(child), 0);
  },
);

for (const keepTrying of [false, true]) {
  testWith(
    ["sshd", "linux", "ss"],
    keepTrying
      ? "nor one whose server came later"
      : "nor can one in the background",
    async () => {
      await using site = await startSite();
      const { sandbox, sshd } = site;
      if (keepTrying) await sshd.stop();
      using insider = new Insider();
      await using child = await start(insider, sandbox, "background", "home");
      const profile = await new ProfileStore(sandbox.profiles).get("home");
      // as background/launch.ts begins
      const task = {
        profile: { ...profile, written: [...profile.written] },
        acceptNew: false,
        keepTrying,
        debug: false,
      };
      await child.write(JSON.stringify(task) + "\n");
      await child.stdout.waitFor(/"type":"started"/);
      if (keepTrying) await sshd.start();
      await assertServes(site);
      await insider.assertConfined();
      await succeed(sandbox, ["profile", "stop", "home"]);
      assert.equal(await ended(child), 0);
    },
  );
}

testWith(
  ["sshd", "linux", "ss"],
  "a command that only looks has given up the rest before it begins",
  async () => {
    await using site = await startSite();
    using insider = new Insider();
    await using child = await start(
      insider,
      site.sandbox,
      ...["profile", "status", "--watch"],
    );
    await child.waitFor(/home .*stopped/);
    const results = await insider.tries();
    for (const [attempt, result] of Object.entries(results)) {
      const isAllowed = ["read a variable", "read a variable as in Node"]
        .concat("set a variable", "know the machine's name")
        .concat("know the machine's addresses")
        // a state folder of its own: the control sockets are there
        .concat("write beside its log").includes(attempt);
      assert.equal(result, isAllowed ? "done" : "NotCapable", attempt);
    }
    child.signal("SIGINT");
    assert.equal(await ended(child), 130);
  },
);

testWith(
  ["sshd", "linux"],
  "a confined tunnel goes on with its log, for this user only",
  async () => {
    await using site = await startSite();
    const { sandbox } = site;
    const folder = `${sandbox.home}/.local/state/i2ptun/log`;
    await Deno.mkdir(folder, { recursive: true });
    const full = `${"x".repeat(99)}\n`.repeat(10_484);
    await Deno.writeTextFile(`${folder}/home.log`, full);
    await succeed(sandbox, ["profile", "start", "home"]);
    site.sshd.killConnections();
    await statusUntil(sandbox, ({ reconnects }) => reconnects === 1);
    const old = await Deno.readTextFile(`${folder}/home.log.1`);
    assert.ok(old.startsWith(full), "it is rotated");
    const log = await Deno.readTextFile(`${folder}/home.log`);
    assert.match(old + log, /reconnecting\n.* home is up\n$/s);
    for (const name of ["home.log", "home.log.1"]) {
      const { mode } = await Deno.stat(`${folder}/${name}`);
      assert.equal(mode! & 0o777, 0o600, name);
    }
    await succeed(sandbox, ["profile", "stop", "home"]);
  },
);

testWith(
  ["sshd", "linux"],
  "a confined tunnel connects to the Unix sockets of its profile",
  async () => {
    await using site = await startSite();
    const { sandbox, server } = site;
    const path = `${sandbox.home}/page.sock`;
    const page = Deno.serve(
      { path, onListen: () => {} },
      () => new Response("by a Unix socket"),
    );
    const port = freePort();
    await writeProfile(sandbox, {
      server,
      forward: `{ remote: "${port}:${path}", name: page }`,
    });
    await succeed(sandbox, ["profile", "start", "home"]);
    assert.match(await get(port), /by a Unix socket$/);
    await succeed(sandbox, ["profile", "stop", "home"]);
    await page.shutdown();
  },
);

testWith(
  ["sshd", "linux"],
  "nobody else can connect to a Unix socket that a tunnel listens at",
  async () => {
    await using site = await startSite();
    const { sandbox, server, page } = site;
    const path = `${sandbox.home}/here.sock`;
    await writeProfile(sandbox, {
      server,
      forward: `{ local: "${path}:127.0.0.1:${page.port}", name: page }`,
    });
    await succeed(sandbox, ["profile", "start", "home"]);
    assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
    await succeed(sandbox, ["profile", "stop", "home"]);
  },
);

testWith(
  ["sshd", "linux"],
  "ssh_config has the variables that the program may read",
  async () => {
    await using site = await startSite();
    const { sandbox } = site;
    sandbox.env.KEYS = sandbox.env.I2PTUN_KEYS = `${sandbox.home}/.ssh`;
    const config = `${sandbox.home}/.ssh/config`;
    await Deno.writeTextFile(config, "IdentityFile ${KEYS}/id_ed25519\n");
    const refused = await sandbox.run(["profile", "start", "home"]);
    assert.equal(refused.code, 2);
    assert.match(
      refused.stderr,
      /config:1: i2ptun may not read the environment variable KEYS: /,
    );

    await Deno.writeTextFile(
      config,
      "IdentityFile ${I2PTUN_KEYS}/id_ed25519\n" +
        "Host other\n  IdentityFile ${KEYS}/x\n",
    );
    await succeed(sandbox, ["profile", "start", "home"]);
    await assertServes(site);
    await succeed(sandbox, ["profile", "stop", "home"]);
  },
);

/** From start to stop, and everything that may come between. */
import assert from "node:assert/strict";
import { killHard, processesWithHome } from "../support/processes.ts";
import { startRelay } from "../support/relay.ts";
import { testWith } from "../support/requirements.ts";
import { startTerminal } from "../support/terminal.ts";
import { Person } from "./menu_setup.ts";
import {
  ask,
  assertFails,
  assertNothingLeft,
  assertServes,
  ended,
  get,
  isFree,
  logUntil,
  startSite,
  statusOf,
  statusUntil,
  succeed,
  writeProfile,
} from "./setup.ts";

const START = ["profile", "start", "home"];
const STOP = ["profile", "stop", "home"];

testWith(["sshd"], "start returns when every forward is up", async () => {
  await using site = await startSite();
  const { sandbox, sshd } = site;
  const said = await succeed(sandbox, START);
  await assertServes(site);
  assert.match(sshd.log(), /Accepted publickey/);
  assert(said.includes(`127.0.0.1:${site.port}`), said);
  const { pid } = await statusOf(sandbox);

  // it runs already
  assert.match(await succeed(sandbox, START), /home is up/);
  assert.equal((await statusOf(sandbox)).pid, pid);
  assert.equal(processesWithHome(sandbox.home).length, 1);
  const { profiles } = JSON.parse(await succeed(sandbox, [...START, "--json"]));
  assert.deepEqual(profiles, [await statusOf(sandbox)]);

  assert.match(await succeed(sandbox, STOP), /stopped home/);
  await assertNothingLeft(sandbox, site.port);
  assert.match(await succeed(sandbox, STOP), /not running/);
});

testWith(["sshd"], "two starts at once start one process", async () => {
  await using site = await startSite();
  const { sandbox } = site;
  const results = await Promise.all([1, 2, 3].map(() => sandbox.run(START)));
  assert.deepEqual(results.map((each) => each.code), [0, 0, 0]);
  assert.equal(processesWithHome(sandbox.home).length, 1);
  await assertServes(site);
  assert.equal(site.sshd.connections().length, 1);
});

testWith(["sshd"], "stop and start in a hurry", async () => {
  await using site = await startSite();
  const { sandbox } = site;
  await succeed(sandbox, START);
  for (let i = 0; i < 3; i++) {
    const [stopped, started] = await Promise.all([
      sandbox.run(STOP),
      sandbox.run(START),
    ]);
    assert.equal(stopped.code, 0, stopped.stderr);
    assert([0, 130].includes(started.code), started.stderr);
    await succeed(sandbox, START);
    await assertServes(site);
  }
});

testWith(["sshd"], "restart takes a changed profile", async () => {
  await using site = await startSite();
  await using other = await startSite();
  const { sandbox } = site;
  await succeed(sandbox, START);
  const { pid } = await statusOf(sandbox);
  await writeProfile(sandbox, { ...site, forward: other.forward });
  await succeed(sandbox, ["profile", "restart", "home"]);
  assert.notEqual((await statusOf(sandbox)).pid, pid);
  assert(isFree(site.port));
  await assertServes(other);

  // a mistake in the file leaves alone what runs
  await sandbox.writeProfiles("profiles: 1\n");
  const refused = await sandbox.run(["profile", "restart", "home"]);
  assertFails(refused, 2, /has 1 mistake/);
  await assertServes(other);
});

testWith(["sshd"], "all are stopped, also one without a profile", async () => {
  await using site = await startSite();
  const { sandbox } = site;
  await succeed(sandbox, START);
  await sandbox.writeProfiles("version: 1\nprofiles: {}\n");
  const { profiles } = JSON.parse(
    await succeed(sandbox, ["profile", "status", "--json"]),
  );
  assert.equal(profiles[0].name, "home");
  assert.equal(profiles[0].state, "up");
  await succeed(sandbox, ["profile", "stop", "--all"]);
  await assertNothingLeft(sandbox, site.port);
  await succeed(sandbox, ["profile", "stop", "--all"]);
});

testWith(["sshd", "tmux"], "a tunnel outlives its terminal", async () => {
  await using site = await startSite();
  const { sandbox } = site;
  {
    const [shell, ...script] = ["sh", "-c", '"$@"; exec cat', "sh"];
    await using terminal = await startTerminal({
      command: [shell!, ...script, ...sandbox.command(...START)],
      env: sandbox.env,
      cwd: sandbox.home,
    });
    await terminal.waitFor(/home is up/);
    // what a terminal sends goes to its programs, not to the tunnel
    await terminal.press("C-c");
    await terminal.exit();
  }
  await assertServes(site);
  assert.equal((await statusOf(sandbox)).state, "up");
});

testWith(
  ["sshd"],
  "a killed process is stopped, and no hindrance",
  async () => {
    await using site = await startSite();
    const { sandbox } = site;
    for (const signal of ["SIGKILL", "SIGTERM"] as const) {
      await succeed(sandbox, START);
      const { pid } = await statusOf(sandbox);
      Deno.kill(pid!, signal);
      await statusUntil(sandbox, ({ state }) => state === "stopped");
      await assertNothingLeft(sandbox, site.port);
      const status = await sandbox.run(["profile", "status", "home", "--json"]);
      assert.equal(status.code, 3);
      assert.deepEqual(JSON.parse(status.stdout).profiles[0].state, "stopped");
      assert.equal(JSON.parse(status.stdout).profiles[0].pid, null);
      // SIGTERM is a request, and told in the log
      const log = await succeed(sandbox, ["profile", "logs", "home"]);
      assert.equal(/home is stopped\n$/.test(log), signal === "SIGTERM");
      await succeed(sandbox, STOP);
    }
    await succeed(sandbox, START);
    await assertServes(site);
  },
);

testWith(["sshd"], "in the foreground until SIGTERM or Ctrl-C", async () => {
  await using site = await startSite();
  const { sandbox } = site;
  for (const [signal, code] of [["SIGTERM", 0], ["SIGINT", 130]] as const) {
    const child = sandbox.spawn([...START, "--foreground"]);
    await child.waitFor(/home is up, by/);
    await assertServes(site);
    const status = await statusOf(sandbox);
    assert.equal(status.state, "up");
    assert.equal(status.pid, child.pid);
    child.signal(signal);
    assert.equal(await ended(child), code, child.output.text);
    await assertNothingLeft(sandbox, site.port);
  }
  // and another shell can stop it
  const child = sandbox.spawn([...START, "--foreground"]);
  await child.waitFor(/home is up, by/);
  await succeed(sandbox, STOP);
  assert.equal(await ended(child), 0);
});

testWith(["sshd", "tmux"], "a live view on a terminal", async () => {
  await using site = await startSite();
  const { sandbox } = site;
  await using terminal = await startTerminal({
    command: sandbox.command(...START, "--foreground"),
    env: sandbox.env,
    width: 120,
  });
  await terminal.waitFor(/home {2}● up[^]*0 open, 0 in all[^]*Ctrl-C stops it/);
  await assertServes(site);
  await terminal.waitFor(/0 open, 1 in all/);
  site.sshd.killConnections();
  await terminal.waitFor(/home is reconnecting[^]*● up[^]*1 reconnect\b/);
  assert.equal((await terminal.screen()).match(/Ctrl-C stops it/g)?.length, 1);
  // above is the log, all of it, whose lines the terminal wraps anywhere
  const log = ["connecting", "up", "reconnecting", "up"].map((state) =>
    "[^●]*" + [...`home is ${state}`].join("\\s*")
  ).join("");
  const live = "home {2}● up[^●]*\n {2}page[^●]*\nCtrl-C stops it";
  for (const width of [40, 25, 60, 120]) {
    await terminal.resize(width, 40);
    await terminal.waitFor(new RegExp(`^${log}\\n${live}$`));
  }
  await terminal.resize(120, 3);
  await terminal.waitFor(/^home {2}● up.*\n {2}page.*$/);
  await terminal.resize(120, 40);
  await terminal.waitFor(/Ctrl-C stops it$/);
  await terminal.press("C-c");
  assert.equal(await terminal.exit(), 130);
  // where the terminal has echoed ^C, nothing of the view is left
  assert.match(await terminal.screen(), /^\d{4}-\S+ info +home is stopped$/m);
  await terminal.close();
  await assertNothingLeft(sandbox, site.port);
});

testWith(
  ["sshd", "tmux"],
  "lines on a terminal that can only print",
  async () => {
    await using site = await startSite();
    const { sandbox } = site;
    await using terminal = await startTerminal({
      command: [
        "env",
        "TERM=dumb",
        ...sandbox.command(...START, "--foreground"),
      ],
      env: sandbox.env,
    });
    await terminal.waitFor(/^home is up, by .*\n {2}page/m);
    site.sshd.killConnections();
    await terminal.waitFor(/closed[^]*home is reconnecting\n.*home is up$/);
    await terminal.press("C-c");
    assert.equal(await terminal.exit(), 130);
    assert.doesNotMatch(terminal.written, /\\033/);
  },
);

/** A site whose server can fall silent. */
async function startRelayedSite(profile = "") {
  const site = await startSite();
  const relay = startRelay({ to: site.sshd });
  await site.sandbox.trust(site.sshd, relay);
  const server = `${site.sshd.user}@${relay.host}:${relay.port}`;
  await writeProfile(site.sandbox, { ...site, server, more: profile });
  return {
    ...site,
    relay,
    async [Symbol.asyncDispose]() {
      await relay[Symbol.asyncDispose]();
      await site[Symbol.asyncDispose]();
    },
  };
}

testWith(["sshd"], "a start that hangs can be stopped", async () => {
  await using site = await startRelayedSite();
  const { sandbox, relay } = site;
  relay.stall();

  const late = await sandbox.run([...START, "--timeout", "1"]);
  assertFails(late, 4, /home was not up after 1 s/);
  await assertNothingLeft(sandbox, site.port);

  for (const end of ["stop", "SIGINT", "SIGKILL"] as const) {
    const starting = sandbox.spawn(START);
    const status = await statusUntil(
      sandbox,
      ({ state }) => state === "connecting",
    );
    assert.notEqual(status.pid, starting.pid);
    assert.deepEqual(status.forwards[0]!.listen, [`127.0.0.1:${site.port}`]);
    if (end === "stop") await succeed(sandbox, STOP);
    else starting.signal(end);
    const code = end === "SIGKILL" ? 137 : 130;
    assert.equal(await ended(starting), code, starting.output.text);
    // a killed start cannot wait for what it started
    await statusUntil(sandbox, ({ state }) => state === "stopped");
    await assertNothingLeft(sandbox, site.port);
  }
  relay.resume();
  await succeed(sandbox, START);
  await assertServes(site);
});

testWith(["sshd"], "a second start waits for the first", async () => {
  await using site = await startRelayedSite();
  const { sandbox, relay } = site;
  relay.stall();
  const first = sandbox.spawn(START);
  await statusUntil(sandbox, ({ state }) => state === "connecting");
  const second = sandbox.spawn([...START, "--debug"]);
  const impatient = await sandbox.run([...START, "--timeout", "1"]);
  assertFails(impatient, 4, /not up after 1 s/);
  assert(first.running && second.running);
  relay.resume();
  assert.equal(await ended(first), 0, first.output.text);
  assert.equal(await ended(second), 0, second.output.text);
  assert.equal(processesWithHome(sandbox.home).length, 1);
});

testWith(["sshd"], "a start that finds another only just begun", async () => {
  await using site = await startSite();
  const { sandbox } = site;
  await succeed(sandbox, START);
  await succeed(sandbox, STOP);
  const folder = `${sandbox.home}/.local/state/i2ptun/run`;
  // as a process does before it can be asked anything
  using lock = await Deno.open(`${folder}/home.lock`, { write: true });
  await lock.lock(true);
  const late = await sandbox.run([...START, "--timeout", "1"]);
  assertFails(late, 4, /not up after 1 s/);
  const never = await sandbox.run(START);
  assertFails(never, 1, /another process holds home, and cannot be reached/);
  const child = sandbox.spawn(START);
  await lock.unlock();
  assert.equal(await ended(child), 0, child.output.text);
  await assertServes(site);
});

testWith(["sshd"], "a silent server is noticed and replaced", async () => {
  await using site = await startRelayedSite(
    "keepalive: { interval: 1s, count: 2 }",
  );
  const { sandbox, relay } = site;
  await succeed(sandbox, START);
  relay.stall();
  const before = performance.now();
  await logUntil(sandbox, /has not answered for 2 s/);
  const took = performance.now() - before;
  assert(took < 4000, `${took}`);
  relay.resume();
  const { reconnects, lastError } = await statusUntil(
    sandbox,
    ({ state }) => state === "up",
  );
  assert.equal(reconnects, 1);
  assert.match(lastError ?? "", /has not answered/);
  await assertServes(site);
});

testWith(["sshd"], "a state folder with a very long path", async () => {
  await using site = await startSite();
  const { sandbox } = site;
  const folder = `${sandbox.home}/${"long/".repeat(30)}state`;
  sandbox.env.I2PTUN_STATE_DIR = folder;
  await succeed(sandbox, START);
  assert.equal((await statusOf(sandbox)).state, "up");
  await assertServes(site);
  killHard([(await statusOf(sandbox)).pid!]);
  await statusUntil(sandbox, ({ state }) => state === "stopped");
  await succeed(sandbox, START);
  await assertServes(site);
  assert.match(await succeed(sandbox, STOP), /stopped home/);
  await assertNothingLeft(sandbox, site.port);
  assert.deepEqual([...Deno.readDirSync(sandbox.env.TMPDIR!)], []);
  assert((await Deno.stat(`${folder}/log/home.log`)).isFile);
});

testWith(["sshd"], "only the user can look into the state", async () => {
  await using site = await startSite();
  const { sandbox } = site;
  await succeed(sandbox, START);
  const state = `${sandbox.home}/.local/state/i2ptun`;
  const found: string[] = [];
  const look = (path: string) => {
    const { mode, isDirectory } = Deno.lstatSync(path);
    found.push(path.slice(state.length));
    const wanted = isDirectory ? 0o700 : 0o600;
    assert.equal(mode! & 0o777, wanted, path);
    if (!isDirectory) return;
    for (const { name } of Deno.readDirSync(path)) look(`${path}/${name}`);
  };
  look(state);
  for (const path of ["/run/home.sock", "/run/home.json", "/log/home.log"]) {
    assert(found.includes(path), `${path} is not among ${found}`);
  }
  await succeed(sandbox, STOP);
  const left = [...Deno.readDirSync(`${state}/run`)].map(({ name }) => name);
  assert.deepEqual(left.filter((name) => !name.endsWith(".lock")), []);
});

testWith(["sshd"], "nonsense at the control socket does no harm", async () => {
  await using site = await startSite();
  const { sandbox } = site;
  await succeed(sandbox, START);
  const path = `${sandbox.home}/.local/state/i2ptun/run/home.sock`;
  const send = async (bytes: Uint8Array) => {
    const connection = await Deno.connect({ transport: "unix", path });
    await connection.write(bytes).catch(() => {});
    return connection;
  };
  const encode = (text: string) => new TextEncoder().encode(text);
  const all = await Promise.all([
    ...[1, 100, 4096].map((length) =>
      send(crypto.getRandomValues(new Uint8Array(length)))
    ),
    ...["\n", "{}\n", "null\n", '{"command":"no"}\n', '"status"\n', "[[[\n"]
      .map((text) => send(encode(text))),
    ...Array.from({ length: 50 }, () => send(encode('{"command":"sta'))),
    // goes away without its answer
    send(encode('{"command":"status"}\n')).then((each) => {
      each.close();
      return undefined;
    }),
  ]);
  assert.equal((await statusOf(sandbox)).state, "up");
  await assertServes(site);
  // those with half a request are still there
  await succeed(sandbox, STOP);
  await assertNothingLeft(sandbox, site.port);
  for (const connection of all) connection?.close();
});

testWith(["sshd"], "the log tells what happened", async () => {
  await using site = await startSite();
  const { sandbox, sshd } = site;
  assertFails(
    await sandbox.run(["profile", "logs", "home"]),
    3,
    /home has no log yet/,
  );
  await succeed(sandbox, START);
  const logs = ["profile", "logs", "home"];
  assert.match(
    await succeed(sandbox, [...logs, "--lines", "1"]),
    /^\d{4}-\d\d-\d\dT[\d:.]+Z info +home is up\n$/,
  );
  assert.equal(await succeed(sandbox, [...logs, "--lines", "0"]), "");

  const child = sandbox.spawn([...logs, "--follow", "--lines", "1"]);
  await child.waitFor(/home is up\n/);
  sshd.killConnections();
  await child.waitFor(/warning .*closed.*\n.*home is reconnecting\n.*is up\n/);
  assert.doesNotMatch(child.stdout.text, /home is connecting/);
  child.signal("SIGINT");
  assert.equal(await ended(child), 130);
  await succeed(sandbox, STOP);
  // still there to be read
  assert.match(await succeed(sandbox, logs), /home is stopped\n$/);
  // also when it has just become an older file
  const path = `${sandbox.home}/.local/state/i2ptun/log/home.log`;
  await Deno.rename(path, `${path}.1`);
  await Deno.writeTextFile(path, "2026-11-21T10:00:00.000Z info    new\n");
  assert.match(
    await succeed(sandbox, [...logs, "--lines", "2"]),
    /^\S+Z info +home is stopped\n\S+ info +new\n$/,
  );
  assert.match(await succeed(sandbox, logs), /^\S+ info +home is connecting\n/);
});

testWith(["sshd"], "who comes while the server is away is served", async () => {
  await using site = await startSite({
    profile: "reconnect: { max_delay: 20s }",
  });
  const { sandbox, sshd, port, page } = site;
  await succeed(sandbox, START);
  await sshd.stop();
  await logUntil(sandbox, /home is reconnecting/);
  assert.equal((await statusOf(sandbox)).state, "reconnecting");

  const client = await Deno.connect({ hostname: "127.0.0.1", port });
  const answer = ask(client);
  const status = await statusUntil(
    sandbox,
    ({ forwards }) => forwards[0]!.connections.open === 1,
  );
  assert.match(status.lastError!, /refused/);
  const before = performance.now();
  await sshd.start();
  assert((await answer).endsWith(page.text));
  assert(performance.now() - before < 3000);
  assert.equal(
    (await statusUntil(sandbox, (s) => s.state === "up")).reconnects,
    1,
  );
});

testWith(["sshd", "tmux"], "nobody at the target shows", async () => {
  await using site = await startSite();
  const { sandbox, page, port } = site;
  await succeed(sandbox, START);
  const status = () => succeed(sandbox, ["profile", "status"]);
  await using person = await Person.start(sandbox);
  await person.chooses("home");
  await person.sees(/❯ Stop/);
  const { port: hostPort } = page;
  await page[Symbol.asyncDispose]();
  assert.equal(await get(port).catch(() => ""), "");
  const problem = `! 127.0.0.1:${hostPort}: nothing answers there `;
  const shown = await status();
  assert(shown.includes(`  ${problem}`), shown);
  assert.match(shown, /^ {2}why: i2ptun profile check home$/m);
  await person.sees(/^ {2}! 127\.0\.0\.1:\d+: nothing answers there/m);
  // the contract's keys, and no other
  const [forward] = (await statusOf(sandbox)).forwards;
  assert.deepEqual(Object.keys(forward!).sort(), [
    ...["bytes", "connections", "kind", "listen", "name", "target"],
  ]);
  await using _again = Deno.serve(
    { hostname: "127.0.0.1", port: hostPort, onListen: () => {} },
    () => new Response("back"),
  );
  assert.match(await get(port), /back$/);
  assert(!(await status()).includes(problem));
  await person.press("C-c");
  await person.leaves(130);
});

testWith(["sshd"], "a tunnel fails only for good reasons", async () => {
  await using site = await startSite();
  const { sandbox, sshd, port } = site;
  await succeed(sandbox, START);
  const keys = await Deno.readTextFile(sshd.authorizedKeys);
  await Deno.writeTextFile(sshd.authorizedKeys, "");
  sshd.killConnections();
  const status = await statusUntil(sandbox, ({ state }) => state === "failed");
  assert.match(status.lastError!, /login as \S+ was refused/);
  assert.equal(status.pid, null);
  await assertNothingLeft(sandbox, port);
  const said = await sandbox.run(["profile", "status", "home"]);
  assert.equal(said.code, 3);
  assert.match(said.stdout, /✗ failed/);
  assert.match(said.stdout, /login as \S+ was refused/);
  const { profiles } = JSON.parse(
    await succeed(sandbox, ["profile", "list", "--json"]),
  );
  assert.equal(profiles[0].state, "failed");

  // and the log says why, whoever started it
  for (const more of [[], ["--foreground"]]) {
    const refused = await sandbox.run([...START, ...more]);
    assert.equal(refused.code, 5, refused.stderr);
    const end = ["profile", "logs", "home", "--lines", "2"];
    assert.match(
      await succeed(sandbox, end),
      /home is failed\n\S+ error +login as \S+ was refused/,
    );
  }
  assertFails(await sandbox.run(START), 5, /login as \S+ was refused/);
  await Deno.writeTextFile(sshd.authorizedKeys, keys);
  await succeed(sandbox, START);
  await assertServes(site);
});

testWith(
  ["sshd"],
  "one that was taken out of profiles.yaml does not come back",
  async () => {
    await using site = await startSite();
    const { sandbox, sshd, port } = site;
    const yaml = await Deno.readTextFile(sandbox.profiles);
    await succeed(sandbox, START);
    await sandbox.writeProfiles("version: 1\nprofiles: {}\n");
    await assertServes(site);
    sshd.killConnections();
    await logUntil(
      sandbox,
      /home is no longer in \S+profiles.yaml\n\S+ error +home is failed/,
    );
    await sandbox.writeProfiles(yaml);
    const status = await statusUntil(
      sandbox,
      ({ state }) => state === "failed",
    );
    assert.match(status.lastError!, /no longer in/);
    await assertNothingLeft(sandbox, port);
  },
);

testWith(["sshd"], "without reconnect, lost is lost", async () => {
  await using site = await startSite({ profile: "reconnect: false" });
  const { sandbox, sshd, port } = site;
  await succeed(sandbox, START);
  sshd.killConnections();
  const status = await statusUntil(sandbox, ({ state }) => state === "failed");
  assert.match(status.lastError!, /closed|lost/);
  await assertNothingLeft(sandbox, port);
  await succeed(sandbox, STOP);
  assert.equal((await statusOf(sandbox)).state, "stopped");
});

testWith(["sshd"], "files where the environment says", async () => {
  await using site = await startSite();
  const { sandbox } = site;
  const file = `${sandbox.home}/here.yaml`;
  await Deno.rename(sandbox.profiles, file);
  await succeed(sandbox, ["--config", "here.yaml", ...START]);
  assert.match(await get(site.port), / 200 /);
  await succeed(sandbox, STOP, { env: { I2PTUN_CONFIG: file } });
  const env = {
    XDG_CONFIG_HOME: `${sandbox.home}/config`,
    XDG_STATE_HOME: `${sandbox.home}/state`,
  };
  await Deno.mkdir(`${env.XDG_CONFIG_HOME}/i2ptun`, { recursive: true });
  await Deno.rename(file, `${env.XDG_CONFIG_HOME}/i2ptun/profiles.yaml`);
  await succeed(sandbox, START, { env });
  assert((await Deno.stat(`${env.XDG_STATE_HOME}/i2ptun/run`)).isDirectory);
  await succeed(sandbox, STOP, { env });
  await assertNothingLeft(sandbox, site.port);
});

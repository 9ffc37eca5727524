/** Looking on: `profile status --watch` and `profile logs`. */
import assert from "node:assert/strict";
import { Sandbox } from "../support/program.ts";
import { testWith } from "../support/requirements.ts";
import { startTerminal } from "../support/terminal.ts";
import {
  assertServes,
  ended,
  startSite,
  statusUntil,
  succeed,
  writeProfile,
} from "./setup.ts";

const START = ["profile", "start", "home"];
const WATCH = ["profile", "status", "home", "--watch"];

testWith(
  ["sshd", "tmux"],
  "a live table with rates and their course",
  async () => {
    await using site = await startSite();
    const { sandbox } = site;
    await succeed(sandbox, START);
    await using terminal = await startTerminal({
      command: sandbox.command(...WATCH),
      env: sandbox.env,
      width: 110,
    });
    await terminal.waitFor(
      /home {2}● up.*\n {2}page .* 0 open .*↓ 0 B\/s .*▁▁/,
    );
    await assertServes(site);
    await terminal.waitFor(/page .* 0 open {4}↑ \d+ B\/s +↓ \d+ B\/s .*█/);
    assert.equal((await terminal.screen()).match(/● up/g)?.length, 1);
    await succeed(sandbox, ["profile", "stop", "home"]);
    await terminal.waitFor(/○ stopped/);
    await terminal.press("C-c");
    assert.equal(await terminal.exit(), 130);
  },
);

testWith(
  ["sshd", "tmux"],
  "a live table fits whatever size the window gets",
  async () => {
    await using site = await startSite();
    const { sandbox } = site;
    await succeed(sandbox, START);
    const script = "seq -f 'line %g' 9; exec \"$@\"";
    await using terminal = await startTerminal({
      command: ["sh", "-c", script, "sh", ...sandbox.command(...WATCH)],
      env: sandbox.env,
      ...{ width: 110, height: 24 },
    });
    const whole = /^home {2}● up .* pid \d+\n {2}page .* B\/s *▁*$/;
    await terminal.waitFor(whole);
    const sizes: [number, number, RegExp][] = [
      // so narrow that each line would wrap several times
      [20, 24, /^home {2}● up .{0,8}…\n {2}page .{11}…$/],
      [20, 6, /^home {2}● up .{0,8}…\n {2}page .{11}…$/],
      [110, 1, /^… 2 more$/],
      [110, 24, whole],
      [45, 40, /^home {2}● up [^\n]{0,33}…\n {2}page .{0,36}…$/],
      [110, 24, whole],
    ];
    for (const [width, height, wanted] of sizes) {
      await terminal.resize(width, height);
      await terminal.waitFor(wanted);
    }
    for (let i = 0; i < 20; i++) await terminal.resize(20 + 3 * i, 4 + i % 7);
    await terminal.resize(110, 24);
    await terminal.waitFor(whole);
    await terminal.press("C-c");
    assert.equal(await terminal.exit(), 130);
    const above = Array.from({ length: 9 }, (_, i) => `line ${i + 1}\n`);
    const [, ...after] = (await terminal.screen()).split(above.join(""));
    assert.equal(after.length, 1, "what was there before is there");
    const last = /^home {2}● up .*\n {2}page .*\nerror: interrupted$/;
    assert.match(after[0]!, last, "and then the last table");
  },
);

testWith(["tmux"], "a watched table gives back its screen", async () => {
  await using sandbox = await Sandbox.create();
  const watch = sandbox.command("profile", "status", "--watch");
  const script = 'echo before; "$@" & pid=$!; read -r _; kill $pid; ' +
    'wait $pid; echo "code $?"';
  await using terminal = await startTerminal({
    command: ["sh", "-c", script, "sh", ...watch],
    env: sandbox.env,
  });
  const nothing = "There are no profiles yet\\..*";
  await terminal.waitFor(new RegExp(`^${nothing}$`));
  await terminal.press("Enter");
  await terminal.waitFor(new RegExp(`^before\n+${nothing}\ncode 143$`));
});

testWith(["tmux", "bash"], "a watched table that was suspended", async () => {
  await using sandbox = await Sandbox.create();
  const env = { ...sandbox.env, PS1: "> " };
  await using terminal = await startTerminal({
    command: ["bash", "--norc", "-i"],
    env,
  });
  await terminal.waitFor(/(^|\n)>$/);
  const watch = sandbox.command("profile", "status", "--watch");
  await terminal.type(`echo before; ${watch.join(" ")}`);
  await terminal.press("Enter");
  await terminal.waitFor(/^There are no profiles yet\./);
  await terminal.press("C-z");
  await terminal.waitFor(/(^|\n)>$/);
  // as any program with a screen of its own does at its end
  await terminal.type("tput rmcup; fg > /dev/null");
  await terminal.press("Enter");
  await terminal.waitFor(/^There are no profiles yet\.[^\n]*$/);
  await terminal.press("C-c");
  await terminal.waitFor(/\nbefore\n[^]*There are no profiles[^]*interrupted/);
});

testWith(["tmux"], "on a terminal that can only print, lines", async () => {
  await using sandbox = await Sandbox.create();
  await writeProfile(sandbox, {
    server: "i2p@example.org",
    forward: "console",
  });
  await using terminal = await startTerminal({
    command: ["env", "TERM=dumb", ...sandbox.command(...WATCH)],
    env: sandbox.env,
  });
  await terminal.waitFor(/^\S+Z home stopped$/);
  await terminal.press("C-c");
  assert.equal(await terminal.exit(), 130);
  assert.doesNotMatch(terminal.written, /\\033/);
});

testWith(
  ["sshd"],
  "into a pipe, a line whenever something changes",
  async () => {
    await using site = await startSite();
    const { sandbox, sshd } = site;
    await succeed(sandbox, START);
    const child = sandbox.spawn(WATCH);
    const time = String.raw`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ `;
    await child.stdout.waitFor(
      new RegExp(`${time}home up, 0 open, ↑ 0 B/s, ↓ 0 B/s, 0 reconnects\n`),
    );
    await assertServes(site);
    await child.stdout.waitFor(
      new RegExp(`${time}home up, 0 open, ↑ [1-9]\\d* B/s, ↓ [1-9]`, "m"),
    );
    sshd.killConnections();
    await child.stdout.waitFor(/ 1 reconnect\n/);
    // also while somebody edits the file
    await Deno.writeTextFile(sandbox.profiles, "  half: {", { append: true });
    await succeed(sandbox, ["profile", "stop", "home"]);
    await child.stdout.waitFor(/ home stopped\n$/);
    child.signal("SIGINT");
    assert.equal(await ended(child), 130);
    const lines = child.stdout.text.trimEnd().split("\n")
      .map((line) => line.slice(line.indexOf(" ")));
    assert(
      lines.every((line, i) => line !== lines[i - 1]),
      child.stdout.text,
    );
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(child.stdout.text, /\x1b/);
  },
);

testWith(["sshd"], "the log as JSON, an object a line", async () => {
  await using site = await startSite();
  const { sandbox, sshd } = site;
  await succeed(sandbox, START);
  sshd.killConnections();
  await statusUntil(sandbox, ({ reconnects }) => reconnects === 1);
  const logs = ["profile", "logs", "home", "--json"];
  const events = (await succeed(sandbox, logs)).trimEnd().split("\n")
    .map((line) => JSON.parse(line));
  for (const event of events) {
    assert.deepEqual(Object.keys(event), ["time", "level", "message"]);
    assert.equal(new Date(event.time).toISOString(), event.time);
  }
  const said = events.map(({ level, message }) => `${level}: ${message}`);
  assert.deepEqual(said.slice(0, 2), [
    "info: home is connecting",
    "info: home is up",
  ]);
  assert.match(said[2]!, /^warning: .*(closed|lost)/);
  assert.deepEqual(said.slice(3, 5), [
    "info: home is reconnecting",
    "info: home is up",
  ]);

  const child = sandbox.spawn([...logs, "--follow", "--lines", "1"]);
  await child.stdout.waitFor(/"home is up"\}\n$/);
  await succeed(sandbox, ["profile", "stop", "home"]);
  await child.stdout.waitFor(/"level":"info","message":"home is stopped"\}\n$/);
  child.signal("SIGINT");
  assert.equal(await ended(child), 130);
});

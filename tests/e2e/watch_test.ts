/** Looking on: `profile status --watch` and `profile logs`. */
import assert from "node:assert/strict";
import { testWith } from "../support/requirements.ts";
import { startTerminal } from "../support/terminal.ts";
import {
  assertServes,
  ended,
  startSite,
  statusUntil,
  succeed,
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

/** What shows while something takes its time, and that it leaves no trace. */
import assert from "node:assert/strict";
import type { Sandbox } from "../support/program.ts";
import { startRelay } from "../support/relay.ts";
import { testWith } from "../support/requirements.ts";
import { startTerminal, type Terminal } from "../support/terminal.ts";
import { ended, startSite, succeed, writeProfile } from "./setup.ts";

/** A site behind a network that can stand still. */
async function startSlowSite() {
  await using stack = new AsyncDisposableStack();
  const site = stack.use(await startSite());
  const { sandbox, sshd } = site;
  const relay = stack.use(startRelay({ to: sshd }));
  await sandbox.trust(sshd, relay);
  await writeProfile(sandbox, {
    server: `${sshd.user}@${relay.host}:${relay.port}`,
    forward: site.forward,
  });
  const kept = stack.move();
  return {
    ...{ site, sandbox, relay },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

const START = ["profile", "start", "home"];
const BUSY = /^[|/\\-] starting home$/m;

/** What a person starts, and sees. */
function startIn(sandbox: Sandbox): Promise<Terminal> {
  return startTerminal({
    command: sandbox.command(...START),
    env: sandbox.env,
    cwd: sandbox.home,
  });
}

testWith(["sshd", "tmux"], "a slow start shows that it goes on", async () => {
  await using slow = await startSlowSite();
  const { relay, sandbox } = slow;
  relay.stall();
  await using terminal = await startIn(sandbox);
  await terminal.waitFor(BUSY);
  relay.resume();
  await terminal.waitFor(/home is up/);
  assert.equal(await terminal.exit(), 0);
  const screen = await terminal.screen();
  assert.match(screen, /^home is up, by .*\n +page +\S+ +→ \S+$/);

  // nothing of it where there is no terminal
  relay.stall();
  await succeed(sandbox, ["profile", "stop", "home"]);
  await using piped = sandbox.spawn(START);
  setTimeout(() => relay.resume(), 700);
  assert.equal(await ended(piped), 0);
  assert.doesNotMatch(piped.output.text, /starting/);
});

testWith(["sshd", "tmux"], "Ctrl-C takes the sign of life away", async () => {
  await using slow = await startSlowSite();
  const { relay, sandbox } = slow;
  relay.stall();
  await using terminal = await startIn(sandbox);
  await terminal.waitFor(BUSY);
  await terminal.press("C-c");
  assert.equal(await terminal.exit(), 130);
  assert.doesNotMatch(await terminal.screen(), /starting/);
});

testWith(["sshd", "tmux"], "a question takes its place", async () => {
  await using slow = await startSlowSite();
  const { relay, sandbox } = slow;
  await Deno.remove(sandbox.knownHosts);
  relay.stall();
  await using terminal = await startIn(sandbox);
  await terminal.waitFor(BUSY);
  relay.resume();
  await terminal.waitFor(/\? Trust it/);
  const before = terminal.written.length;
  // longer than the spinner would take to come back
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal(terminal.written.length, before);
  assert.doesNotMatch(await terminal.screen(), /starting/);
  await terminal.press("Escape");
  assert.equal(await terminal.exit(), 130);
});

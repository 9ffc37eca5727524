/** The session that has OpenSSH's server answer sooner, where it is asked for. */
import assert from "node:assert/strict";
import { testWith } from "../support/requirements.ts";
import {
  assertNothingLeft,
  assertServes,
  logUntil,
  type Site,
  startSite,
  succeed,
} from "./setup.ts";

const START = ["profile", "start", "home"];
const STOP = ["profile", "stop", "home"];

async function stop({ sandbox, port }: Site): Promise<void> {
  await succeed(sandbox, STOP);
  await assertNothingLeft(sandbox, port);
}

testWith(
  ["sshd-before-10"],
  "session: the server sends at once what it has",
  async () => {
    await using site = await startSite({
      profile: "session: true",
      // for what it does with its connection, as nothing goes through it
      sshd: { config: "LogLevel DEBUG2" },
    });
    await succeed(site.sandbox, ["profile", "check", "home"]);
    assert.doesNotMatch(site.sshd.log(), /Starting session/);

    await succeed(site.sandbox, START);
    await site.sshd.waitForLog(/Starting session: command for/);
    await site.sshd.waitForLog(/fd \d+ setting TCP_NODELAY/);
    await site.sshd.waitForLog(/session_exit_message: session 0/);
    await assertServes(site);

    // and whenever it connects again
    const before = site.sshd.log().length;
    assert(site.sshd.killConnections() > 0);
    await site.sshd.waitForLog(/Starting session: command for/, {
      after: before,
    });
    await stop(site);
  },
);

/** @returns what the server said while nothing ran on it */
async function runNothing(profile = ""): Promise<string> {
  await using site = await startSite({
    profile,
    sshd: { config: "LogLevel DEBUG2" },
  });
  await succeed(site.sandbox, START);
  await assertServes(site);
  await stop(site);
  const log = site.sshd.log();
  assert.doesNotMatch(log, /Starting session/);
  return log;
}

testWith(["sshd"], "without session: nothing runs on the server", async () => {
  await runNothing();
});

testWith(["sshd-10"], "session: OpenSSH 10 needs none", async () => {
  const log = await runNothing("session: true");
  // of the connection itself, not of what goes through it
  assert.match(log, /setting TCP_NODELAY\s+Connection from/);
});

testWith(
  ["sshd-before-10"],
  "session: a server that opens none is told of",
  async () => {
    await using site = await startSite({
      profile: "session: true",
      sshd: { config: "MaxSessions 0" },
    });
    await succeed(site.sandbox, START);
    await logUntil(site.sandbox, /warning .* opens no session: /);
    await assertServes(site);
    await stop(site);
  },
);

testWith(
  ["sshd-before-10"],
  "session: what a server runs instead is heard to its end",
  async () => {
    // more than a channel's window, to each output; then all of its input
    const many = "head -c 4000000 /dev/zero";
    await using site = await startSite({
      profile: "session: true",
      sshd: {
        config: `LogLevel DEBUG1\nForceCommand ${many}; ${many} >&2; cat`,
      },
    });
    await succeed(site.sandbox, START);
    await site.sshd.waitForLog(/session_exit_message: session 0/);
    await assertServes(site);
    await stop(site);
  },
);

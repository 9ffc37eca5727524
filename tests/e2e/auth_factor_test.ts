/** A second factor, typed by a person, and what happens without one. */
import assert from "node:assert/strict";
import { type Attempt, startScriptedServer, testLogin } from "../ssh/login.ts";
import { Sandbox } from "../support/program.ts";
import { freePort } from "../support/ports.ts";
import { startTerminal } from "../support/terminal.ts";
import {
  assertFails,
  assertNothingLeft,
  statusUntil,
  writeProfile,
} from "./setup.ts";

const START = ["profile", "start", "home"];
const PASSWORD = "correct horse";

testLogin(["tmux"], "a password and a one-time code", async () => {
  const codes = ["123456", "654321"];
  const connected: Attempt[] = [];
  await using server = await startScriptedServer((attempt) => {
    if (attempt.method !== "keyboard-interactive") {
      return attempt.reject(["keyboard-interactive"]);
    }
    attempt.prompt(
      [
        { prompt: "Password: ", echo: false },
        { prompt: "Verification code: ", echo: true },
      ],
      "Two factors",
      "Take your token",
      ([password, code]: string[]) => {
        if (password !== PASSWORD || code !== codes.shift()) {
          return attempt.reject(["keyboard-interactive"]);
        }
        connected.push(attempt);
        attempt.accept();
      },
    );
  });
  await using sandbox = await Sandbox.create();
  const port = freePort();
  await writeProfile(sandbox, {
    server: `me@127.0.0.1:${server.port}`,
    forward: `{ local: "127.0.0.1:${port}:127.0.0.1:7657" }`,
    more: "reconnect: { max_delay: 1s }",
  });
  {
    await using terminal = await startTerminal({
      command: sandbox.command(...START, "--accept-new"),
      env: sandbox.env,
      cwd: sandbox.home,
      width: 200,
    });
    await terminal.waitFor(/Two factors\n.*Take your token\n.*Password:/);
    await terminal.type(PASSWORD);
    await terminal.press("Enter");
    await terminal.waitFor(/Verification code:/);
    await terminal.type("123456");
    // the server says that this may be seen
    await terminal.waitFor(/Verification code: 123456/);
    await terminal.press("Enter");
    await terminal.waitFor(/home is up/);
    assert.equal(await terminal.exit(), 0);
    assert.doesNotMatch(await terminal.screen(), /horse/);
  }
  server.attempts.length = 0;
  server.disconnect();
  const { lastError } = await statusUntil(
    sandbox,
    ({ state }) => state === "failed",
  );
  assert.match(
    lastError!,
    /the answer to "Verification code:" needs you: i2ptun profile start home$/,
  );
  // once, and without a wrong answer
  assert.deepEqual(server.attempts, ["none", "keyboard-interactive"]);
  assert.equal(codes.length, 1);
  await assertNothingLeft(sandbox, port);

  const unattended = await sandbox.run(START);
  assertFails(
    unattended,
    5,
    /"Password:" needs you: i2ptun profile start home/,
  );
  assert.match(unattended.stderr, /^try: start it in a terminal/m);
});

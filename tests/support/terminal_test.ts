import assert from "node:assert/strict";
import { testWith } from "./requirements.ts";
import { startTerminal } from "./terminal.ts";

const env = { PATH: Deno.env.get("PATH")!, LANG: "C.UTF-8" };

testWith(["tmux"], "a terminal shows, takes keys and has a size", async () => {
  const script = 'stty size; read -r a; echo "got <$a>"; exit 5';
  await using terminal = await startTerminal({
    command: ["sh", "-c", script],
    env,
    width: 70,
    height: 20,
  });
  await terminal.waitFor(/^20 70$/m);
  await terminal.type("it's; 'x' é");
  await terminal.press("Enter");
  await terminal.waitFor(/^got <it's; 'x' é>$/m);
  assert.equal(await terminal.exit(), 5);
  assert.match(await terminal.screen(), /got </);
});

testWith(
  ["tmux"],
  "a terminal interrupts, and tells what it waited for",
  async () => {
    const script =
      'trap "echo stopped; exit 130" INT; echo up; sleep 1000 & wait';
    await using terminal = await startTerminal({
      command: ["sh", "-c", script],
      env,
    });
    await terminal.waitFor(/^up$/m);
    await assert.rejects(terminal.waitFor(/never/, 100), /the screen:\nup/);
    await assert.rejects(terminal.exit(100), /the screen:\nup/);
    await terminal.press("C-c");
    await terminal.waitFor(/stopped/);
    assert.equal(await terminal.exit(), 130);
    assert.equal(await terminal.exit(), 130);
  },
);

/**
 * The program without arguments on Windows: first run, menu, double-click.
 *
 * What Wine's console lacks: it sends no keys but those that type a character,
 * so that `j` and `k` stand in for the arrows, and as a Unix terminal it takes
 * Escape twice for once; it leaves the control sequences to that terminal and
 * takes them for text, so that lines wrap early and old ones stay on the screen.
 */
import assert from "node:assert/strict";
import { filesWith, get } from "../e2e/setup.ts";
import { Child } from "../support/child.ts";
import { startRemoteHost } from "../support/remote_host.ts";
import { startTerminal } from "../support/terminal.ts";
import { testUser } from "../support/test_user.ts";
import type { WindowsMachine } from "../support/wine.ts";
import {
  profilesOf,
  startWindowsSite,
  statusOf,
  succeed,
  testWindows,
} from "./setup.ts";

const ESCAPE = ["Escape", "Escape"];

function startMenu(machine: WindowsMachine, env: Record<string, string> = {}) {
  const command = machine.command([], env);
  return startTerminal({ command, env: {}, width: 120 });
}

testWindows(
  "from an empty home to an open console, and the menu",
  async (machine) => {
    await using user = await testUser();
    await using host = await startRemoteHost({
      i2pd: true,
      sshd: { config: "AuthorizedKeysFile .ssh/authorized_keys" },
    });
    const env = await machine.standIn("rundll32");
    await using console = await startMenu(machine, env);
    const answer = async (question: RegExp, text = "") => {
      await console.waitFor(question, 30_000);
      if (text !== "") await console.type(text);
      await console.press("Enter");
    };
    await answer(/Server \(such as/, `${user.name}@${host.address}`);
    await answer(/Trust it and remember it\?/, "yes");
    await answer(/Password for i2ptun-t-/, user.password);
    await console.waitFor(/i2pd-console +port 7070 .*√ i2pd webconsole \d/);
    await answer(/Which services/);
    await answer(/Name for this connection: \(home\)/);
    const [, port] = await console.waitFor(
      /i2pd-console +http:\/\/127\.0\.0\.1:(\d+)\//,
    );
    await answer(/Log in with a key from now on/, "n");
    await console.waitFor(/> Open i2pd-console in the browser[^]*Esc back/);
    assert.match(await get(Number(port)), /Purple I2P Webconsole/);

    await console.type("j");
    await console.waitFor(/> Browse I2P/);
    await console.type("j");
    await answer(/> Stop/);
    await console.waitFor(/stopped home[^]*> Start/);
    await console.press(...ESCAPE);
    await console.waitFor(/Your tunnels[^]*> home[^]*Esc quit/);
    // the choices go round
    await console.type("k");
    await answer(/> Quit/);
    assert.equal(await console.exit(), 0);
    assert.equal((await statusOf(machine)).state, "stopped");
    assert.deepEqual(filesWith(machine.home, user.password), []);
  },
  ["remote-host-with-i2pd", "test-user", "tmux"],
);

testWindows("a failure leads back to the menu, and out", async (machine) => {
  await using site = await startWindowsSite(machine);
  await site.sshd.stop();
  await using console = await startMenu(machine, { NO_COLOR: "1" });
  await console.waitFor(/> home[^]*Esc quit/);
  await console.press("Enter");
  await console.waitFor(/> Start/);
  await console.press("Enter");
  await console.waitFor(/error: 127\.0\.0\.1:\d+ refused[^]*try: [^]*> Start/);
  await console.press(...ESCAPE);
  await console.waitFor(/Esc quit/);
  await console.press(...ESCAPE);
  assert.equal(await console.exit(), 0);
  assert.doesNotMatch(console.written, /\\033\[3\dm/);
}, ["tmux"]);

testWindows("what was typed is there the next time", async (machine) => {
  for (const isAgain of [false, true]) {
    await using console = await startMenu(machine);
    if (isAgain) await console.waitFor(/stands there again/);
    await console.waitFor(/Server \(such as/);
    if (!isAgain) await console.type("192.0.2.7");
    await console.press("Enter");
    // no server knows the user by the name that Windows does
    await console.waitFor(/192\.0\.2\.7[^]*User name on the server:$/);
    await console.press(...ESCAPE);
    await console.waitFor(/User name[^]*Server[^]*192\.0\.2\.7$/);
    await console.press(...ESCAPE);
    await console.waitFor(/is kept/);
    assert.equal(await console.exit(), 0);
  }
  await assert.rejects(Deno.stat(profilesOf(machine)), Deno.errors.NotFound);
}, ["tmux"]);

testWindows(
  "a window of its own stays until an error was read",
  async (machine) => {
    await using screen = new Child("Xvfb", [
      ...["-displayfd", "1", "-screen", "0", "800x600x24"],
    ]);
    const [, number] = await screen.waitFor(/^(\d+)\n/);
    // Wine tells when the program begins to wait for single keys
    const env = {
      DISPLAY: `:${number}`,
      // the other Windows has begun without a screen
      WINEPREFIX: "/mnt/.wine-with-screen",
      WINEDEBUG: "+console",
    };
    const window = machine.doubleClick(["USERPROFILE"], env);
    await window.waitFor(/console_input_ioctl set (?!1f7)\w+ mode/);
    assert(window.running);
    await using key = new Child("xdotool", [
      ...["search", "--sync", "--name", "i2ptun", "windowfocus", "key", "x"],
    ], { env: { DISPLAY: env.DISPLAY } });
    await key.exit;
    assert.equal(await window.exit, 2);
  },
  ["windows-desktop"],
);

testWindows("without a console there is help", async (machine) => {
  const result = await machine.run([]);
  assert.equal(result.code, 2);
  assert.match(result.stderr, /^Usage: i2ptun /m);
  assert.match(await succeed(machine, ["--help"]), /^Usage: i2ptun /m);
});

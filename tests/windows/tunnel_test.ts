import assert from "node:assert/strict";
import { assertFails, get, isFree } from "../e2e/setup.ts";
import { freePort } from "../support/ports.ts";
import { startRemoteHost } from "../support/remote_host.ts";
import { startTerminal } from "../support/terminal.ts";
import { testUser } from "../support/test_user.ts";
import { WINDOWS_HOME, type WindowsMachine } from "../support/wine.ts";
import {
  makeKey,
  profilesOf,
  SSH,
  startWindowsSite,
  STATE,
  statusOf,
  succeed,
  testWindows,
  untilFree,
  writeFile,
} from "./setup.ts";

const START = ["profile", "start", "home"];
const STOP = ["profile", "stop", "home"];

testWindows("the console of an i2pd, from add to remove", async (machine) => {
  await using host = await startRemoteHost({ i2pd: true });
  await host.sshd.authorize((await makeKey(machine)).publicLine);
  const port = freePort();
  const server = `root@${host.address}`;
  const added = await succeed(machine, [
    ...["profile", "add", "home", "--server", server],
    ...["-L", `127.0.0.1:${port}:127.0.0.1:7070`],
  ]);
  assert.match(added, /\\AppData\\Roaming\\i2ptun\\profiles\.yaml$/m);
  const unknown = await machine.run(START);
  assertFails(unknown, 6, /host key|not known/);
  const up = await succeed(machine, [...START, "--accept-new"]);
  assert.match(up, new RegExp(`home is up[^]*127\\.0\\.0\\.1:${port}.*7070`));
  assert.match(await get(port), /Purple I2P|i2pd/);
  assert.match(
    await succeed(machine, ["profile", "status"]),
    /^home {2}● up .*pid \d+\n.* 0 open, 1 in all/,
  );
  assert.match(await succeed(machine, ["profile", "restart", "home"]), /up/);
  assert.match(await get(port), /Purple I2P|i2pd/);
  assert.match(await succeed(machine, STOP), /stopped home/);
  assert(isFree(port));
  assert.equal((await statusOf(machine)).state, "stopped");
  assert.match(
    await succeed(machine, ["profile", "logs", "home"]),
    /home is up\n[^]*home is stopped\n$/,
  );
  await succeed(machine, ["profile", "remove", "home", "--yes"]);
  assert.match(
    await Deno.readTextFile(profilesOf(machine)),
    /^profiles:\n$/m,
  );
}, ["remote-host-with-i2pd"]);

testWindows("the demo", async (machine) => {
  const said = await succeed(machine, ["demo", "--once"]);
  assert.match(said, /✓ fetched .* through the tunnel/);
});

/** A console, which for Wine is a terminal of ours. */
function startConsole(machine: WindowsMachine, args: string[]) {
  return startTerminal({ command: machine.command(args), env: {}, width: 120 });
}

testWindows("a live view until Ctrl-C", async (machine) => {
  await using site = await startWindowsSite(machine);
  await using console = await startConsole(machine, [...START, "--foreground"]);
  await console.waitFor(/home {2}● up[^]*0 open, 0 in all[^]*Ctrl-C stops it/);
  assert.equal(await console.title(), "i2ptun: home");
  assert.match(await get(site.port), new RegExp(site.page.text));
  await console.waitFor(/0 open, 1 in all/);
  site.sshd.killConnections();
  await console.waitFor(/home is reconnecting[^]*● up[^]*1 reconnect\b/);
  assert.equal((await statusOf(machine)).state, "up");
  await console.press("C-c");
  assert.equal(await console.exit(), 130);
  assert(isFree(site.port));
}, ["tmux"]);

testWindows("what is typed on a console, and outlives it", async (machine) => {
  await using site = await startWindowsSite(machine);
  await using user = await testUser();
  await Deno.remove(`${machine.home}/${SSH}`, { recursive: true });
  const profiles = await Deno.readTextFile(profilesOf(machine));
  await writeFile(
    profilesOf(machine),
    profiles.replace(/server: .*@/, `server: ${user.name}@`),
  );
  {
    await using console = await startConsole(machine, START);
    await console.waitFor(/Trust it and remember it\?/);
    await console.type("yes");
    await console.press("Enter");
    await console.waitFor(/Password for i2ptun-t-/);
    await console.type(user.password);
    await console.press("Enter");
    await console.waitFor(/home is up/);
    assert(!(await console.screen()).includes(user.password));
    assert.equal(await console.exit(), 0);
  }
  assert.match(await get(site.port), new RegExp(site.page.text));
  assert.equal((await statusOf(machine)).state, "up");
  const known = await Deno.readTextFile(`${machine.home}/${SSH}/known_hosts`);
  assert(known.includes(site.sshd.hostKeys[0]!.publicLine));
}, ["tmux", "test-user"]);

testWindows("in the background only once", async (machine) => {
  await using site = await startWindowsSite(machine);
  const [first, second] = await Promise.all([
    machine.run(START),
    machine.run(START),
  ]);
  assert.deepEqual([first.code, second.code], [0, 0]);
  const { pid } = await statusOf(machine);
  await succeed(machine, START);
  assert.equal((await statusOf(machine)).pid, pid);
  assertFails(
    await machine.run([...START, "--foreground"]),
    2,
    /already running/,
  );
  assert.match(await get(site.port), new RegExp(site.page.text));
});

testWindows(
  "a killed process is stopped, and no hindrance",
  async (machine) => {
    await using site = await startWindowsSite(machine);
    await succeed(machine, START);
    const { pid } = await statusOf(machine);
    await machine.succeed("taskkill", ["/f", "/pid", `${pid}`]);
    await untilFree(site.port);
    assert.equal((await statusOf(machine)).state, "stopped");
    await succeed(machine, START);
    assert.match(await get(site.port), new RegExp(site.page.text));
    assert.match(await succeed(machine, STOP), /stopped home/);
  },
);

testWindows(
  "the control pipe is for those who can read the record",
  async (machine) => {
    await using _site = await startWindowsSite(machine);
    await succeed(machine, START);
    const record = JSON.parse(
      await Deno.readTextFile(`${machine.home}/${STATE}/run/home.json`),
    );
    assert.match(record.control, /^\\\\\.\\pipe\\i2ptun-[0-9a-f-]{36}$/);
    const send = (request: Record<string, string>) =>
      machine.askHelper("send", record.control, JSON.stringify(request));
    assert.equal(await send({ command: "stop" }), "closed");
    const wrong = record.token.split("").reverse().join("");
    assert.equal(await send({ command: "stop", token: wrong }), "closed");
    assert.match(
      await send({ command: "status", token: record.token }),
      /^said: \{"name":"home","state":"up"/,
    );
    const path = `${WINDOWS_HOME}\\${STATE}\\run\\home.json`;
    assert.equal(await machine.askHelper("ask", path, "200"), "400 answers");
  },
);

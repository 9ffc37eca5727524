import assert from "node:assert/strict";
import { testWith } from "../support/requirements.ts";
import { startUserManager } from "../support/user_manager.ts";
import {
  assertServes,
  ended,
  startSite,
  statusUntil,
  succeed,
  writeProfile,
} from "./setup.ts";

testWith(
  ["sshd", "linux"],
  "systemd is told when the tunnel is up",
  async () => {
    await using site = await startSite();
    const { sandbox } = site;
    const path = `${sandbox.home}/notify`;
    const manager = Deno.listenDatagram({ transport: "unixpacket", path });
    // taken as they come: the system keeps a few only (unix(7))
    const messages = new ReadableStream<string>({
      async start(controller) {
        const decoder = new TextDecoder();
        try {
          for (;;) {
            const [bytes] = await manager.receive();
            controller.enqueue(decoder.decode(bytes));
          }
        } catch {
          controller.close();
        }
      },
    }).getReader();
    const heard = async () => (await messages.read()).value;
    const env = { NOTIFY_SOCKET: path, WATCHDOG_USEC: "100000" };
    const args = ["profile", "start", "home", "--foreground"];
    let child = sandbox.spawn(args, { env });
    assert.equal(await heard(), "READY=1");
    assert.equal(await heard(), "WATCHDOG=1");
    await succeed(sandbox, ["profile", "status", "home"]);
    child.signal("SIGTERM");
    while (await heard() !== "STOPPING=1");
    assert.equal(await ended(child), 0);

    // from a folder whose path is too long for a socket, too
    const state = `${sandbox.home}/${"long/".repeat(30)}state`;
    child = sandbox.spawn(args, { env: { ...env, I2PTUN_STATE_DIR: state } });
    while (await heard() !== "READY=1");
    assert.equal(await heard(), "WATCHDOG=1");
    child.signal("SIGTERM");
    assert.equal(await ended(child), 0);

    // it is no profile, and to stop says nothing of it
    child = sandbox.spawn(args, { env });
    while (await heard() !== "READY=1");
    const stopped = await succeed(sandbox, ["profile", "stop", "--all"]);
    assert.equal(stopped, "stopped home\n");
    assert.equal(await ended(child), 0);
    manager.close();
  },
);

testWith(["sshd"], "launchd need not start again what is refused", async () => {
  await using site = await startSite();
  const { sandbox, sshd } = site;
  const env = { I2PTUN_LAUNCHD: "1" };
  const args = ["profile", "start", "home", "--foreground"];
  const child = sandbox.spawn(args, { env });
  await child.stdout.waitFor(/home is up/);
  sshd.killConnections();
  await statusUntil(sandbox, ({ reconnects }) => reconnects === 1);
  // for its file grows for ever
  assert.equal(child.stderr.text, "");
  await Deno.writeTextFile(sshd.authorizedKeys, "");
  sshd.killConnections();
  assert.equal(await ended(child), 0);
  assert.match(child.stderr.text, /^error: login as .* was refused/);
  assert.equal((await sandbox.run(args, { env })).code, 0);
  // but what may be mended
  await sshd.stop();
  assert.equal((await sandbox.run(args, { env })).code, 4);
});

testWith(["sshd"], "what would be installed can be looked at", async () => {
  await using site = await startSite();
  const { sandbox } = site;
  const unit = await succeed(sandbox, [
    "autostart",
    "enable",
    "home",
    "--print",
  ]);
  assert.match(unit, /^ExecStart=.* profile start home --foreground /m);
  assert.ok(unit.includes(sandbox.profiles), "with the file as it is now");
  await assert.rejects(
    Deno.stat(`${sandbox.home}/.config/systemd`),
    Deno.errors.NotFound,
  );

  // where it may write: its state, and where it listens at a Unix socket
  const socket = `{ local: "${sandbox.home}/my sockets/page:localhost:80" }`;
  await writeProfile(sandbox, { server: site.server, forward: socket });
  const system = ["autostart", "enable", "home", "--print", "--system"];
  assert.deepEqual(
    (await succeed(sandbox, system)).match(/(?<=^ReadWritePaths=).*$/gm),
    [
      `-${sandbox.home}/.local/state/i2ptun`,
      `-${sandbox.home}/.ssh`,
      `"-${sandbox.home}/my sockets"`,
    ],
  );
});

testWith(["sshd", "user-manager"], "systemd keeps it up", async () => {
  await using site = await startSite();
  const { sandbox, sshd } = site;
  await using manager = await startUserManager(sandbox);
  const unit = "i2ptun-home";
  const autostart = (action: string) =>
    manager.run(sandbox.command("autostart", action, "home", "--json"));
  const status = async () => JSON.parse(await autostart("status"));
  const until = async (property: string, value: string) => {
    for (let i = 0; await manager.show(unit, property) !== value; i++) {
      assert(i < 200, await manager.systemctl("show", unit));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };

  // for the system it needs the system's own systemd, which there is not; but
  // the folder that the unit opens to the service has to be there
  const state = `${sandbox.home}/.local/state/i2ptun`;
  const system = sandbox.command("autostart", "enable", "home", "--system");
  const script = 'mount -t tmpfs tmpfs /etc/systemd/system && exec "$@"';
  await assert.rejects(
    manager.run([
      ...["unshare", "--mount", "--propagation", "private"],
      ...["sh", "-c", script, "sh", ...system],
    ]),
    /the system refused: systemctl enable i2ptun-home.service/,
  );
  assert.equal((await Deno.stat(state)).mode! & 0o777, 0o700);

  // it returns when the tunnel is up
  await autostart("enable");
  await assertServes(site);
  const up = { name: "home", enabled: true, active: true, state: "up" };
  assert.deepEqual(await status(), up);

  // what ends otherwise than by its own will is started again
  const pid = Number(await manager.show(unit, "MainPID"));
  Deno.kill(pid, "SIGKILL");
  await until("SubState", "auto-restart");
  await manager.systemctl("start", unit);
  await assertServes(site);

  // but not one that is stopped, or refused
  await succeed(sandbox, ["profile", "stop", "home"]);
  await until("SubState", "dead");
  assert.equal(await manager.show(unit, "Result"), "success");
  await manager.systemctl("start", unit);
  const keys = await Deno.readTextFile(sshd.authorizedKeys);
  await Deno.writeTextFile(sshd.authorizedKeys, "");
  sshd.killConnections();
  await until("SubState", "failed");
  assert.equal(await manager.show(unit, "ExecMainStatus"), "5");
  await statusUntil(sandbox, ({ state }) => state === "failed");
  assert.deepEqual(await status(), { ...up, active: false, state: "failed" });

  await Deno.writeTextFile(sshd.authorizedKeys, keys);
  await manager.systemctl("start", unit);
  await assertServes(site);
  await autostart("disable");
  assert.equal(await manager.show(unit, "LoadState"), "not-found");
  const gone = {
    name: "home",
    enabled: false,
    active: false,
    state: "stopped",
  };
  assert.deepEqual(await status(), gone);
});

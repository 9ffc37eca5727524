import assert from "node:assert/strict";
import { testWith } from "../support/requirements.ts";
import { ended, startSite, succeed } from "./setup.ts";

testWith(
  ["sshd", "linux"],
  "systemd is told when the tunnel is up",
  async () => {
    await using site = await startSite();
    const { sandbox } = site;
    const path = `${sandbox.home}/notify`;
    const manager = Deno.listenDatagram({ transport: "unixpacket", path });
    const heard = async () =>
      new TextDecoder().decode((await manager.receive())[0]);
    const child = sandbox.spawn(["profile", "start", "home", "--foreground"], {
      env: { NOTIFY_SOCKET: path, WATCHDOG_USEC: "100000" },
    });
    assert.equal(await heard(), "READY=1");
    assert.equal(await heard(), "WATCHDOG=1");
    await succeed(sandbox, ["profile", "status", "home"]);
    child.signal("SIGTERM");
    while (await heard() !== "STOPPING=1");
    assert.equal(await ended(child), 0);
    manager.close();
  },
);

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
});

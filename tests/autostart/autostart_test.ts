import assert from "node:assert/strict";
import { join } from "node:path";
import { isLaunchdAgent, launchdPlist } from "../../src/autostart/launchd.ts";
import { openNotifier } from "../../src/autostart/notify.ts";
import { systemdUnit } from "../../src/autostart/systemd.ts";
import { taskXml, utf16 } from "../../src/autostart/task_scheduler.ts";
import { testWith } from "../support/requirements.ts";
import { makeScratchDir, removeDir } from "../support/scratch.ts";

const TASK = {
  name: "home",
  command: ["/bin/true", "profile", "start", "home", '5% "of" $it & <more>'],
  variables: { I2PTUN_STATE_DIR: "/var/my state" },
};

for (const user of [undefined, "i2p"]) {
  const kind = user === undefined ? "user" : "system";
  testWith(
    ["systemd-analyze"],
    `systemd accepts the ${kind} unit`,
    async () => {
      const scratch = await makeScratchDir();
      const path = join(scratch, "i2ptun-home.service");
      await Deno.writeTextFile(
        path,
        systemdUnit(TASK, {
          user,
          writable: ["/var/my state", "/home/i2p/.ssh"],
        }),
      );
      const { success, stderr } = await new Deno.Command("systemd-analyze", {
        args: ["verify", ...(user === undefined ? ["--user"] : []), path],
        env: { XDG_RUNTIME_DIR: scratch },
      }).output();
      const said = new TextDecoder().decode(stderr).split("\n")
        .filter((line) => line.includes("i2ptun-home"));
      assert.deepEqual(said, []);
      assert.ok(success);
      await removeDir(scratch);
    },
  );
}

Deno.test("a unit is ready by notification and not restarted in vain", () => {
  const unit = systemdUnit(TASK, { writable: [] });
  assert.match(unit, /^Type=notify$/m);
  assert.match(unit, /^Restart=on-failure$/m);
  assert.match(unit, /^RestartPreventExitStatus=2 3 5 6$/m);
  assert.match(
    unit,
    /^ExecStart=\/bin\/true profile start home "5%% \\"of\\" \$\$it & <more>"$/m,
  );
  assert.match(unit, /^Environment="I2PTUN_STATE_DIR=\/var\/my state"$/m);
});

testWith(
  ["python3"],
  "the agent is a property list with every word",
  async () => {
    const plist = launchdPlist(TASK, "/tmp/a & b.log");
    const child = new Deno.Command("python3", {
      args: [
        "-c",
        "import json,plistlib,sys; json.dump(plistlib.loads(sys.stdin.buffer.read()), sys.stdout)",
      ],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(plist));
    await writer.close();
    const { stdout } = await child.output();
    const parsed = JSON.parse(new TextDecoder().decode(stdout));
    assert.deepEqual(parsed.ProgramArguments, TASK.command);
    const variables: Record<string, string> = parsed.EnvironmentVariables;
    const own = { I2PTUN_LAUNCHD: "1" };
    assert.deepEqual(variables, { ...TASK.variables, ...own });
    assert.ok(
      isLaunchdAgent((name: string) => parsed.EnvironmentVariables[name]),
    );
    assert.equal(parsed.KeepAlive.SuccessfulExit, false);
    assert.equal(parsed.StandardErrorPath, "/tmp/a & b.log");
  },
);

testWith(
  ["python3"],
  "the task is XML in UTF-16 with every argument",
  async () => {
    const xml = taskXml(TASK, "PC\\Zoë & co");
    const child = new Deno.Command("python3", {
      args: [
        "-c",
        `import json,sys,xml.etree.ElementTree as E
root = E.fromstring(sys.stdin.buffer.read())
ns = '{http://schemas.microsoft.com/windows/2004/02/mit/task}'
json.dump([root.find('.//'+ns+t).text for t in ('Command','Arguments','UserId')], sys.stdout)`,
      ],
      stdin: "piped",
      stdout: "piped",
      env: { PYTHONIOENCODING: "utf-8" },
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(utf16(xml));
    await writer.close();
    const { stdout } = await child.output();
    assert.deepEqual(JSON.parse(new TextDecoder().decode(stdout)), [
      "/bin/true",
      'profile start home "5% \\"of\\" $it & <more>"',
      "PC\\Zoë & co",
    ]);
  },
);

testWith(
  ["linux"],
  "systemd is told of readiness, life and the end",
  async () => {
    const scratch = await makeScratchDir();
    const path = join(scratch, "notify");
    const manager = Deno.listenDatagram({ transport: "unixpacket", path });
    const heard = async () => {
      const [bytes] = await manager.receive();
      return new TextDecoder().decode(bytes);
    };
    const variables: Record<string, string> = {
      NOTIFY_SOCKET: path,
      WATCHDOG_USEC: "20000",
    };
    const notifier = openNotifier((name) => variables[name], scratch)!;
    const files = () => [...Deno.readDirSync(scratch)].map(({ name }) => name);
    // so that nothing is left of one that is killed
    assert.deepEqual(files(), ["notify"]);
    notifier.ready();
    assert.equal(await heard(), "READY=1");
    assert.equal(await heard(), "WATCHDOG=1");
    assert.equal(await heard(), "WATCHDOG=1");
    notifier.stopping();
    while (await heard() !== "STOPPING=1");
    notifier.close();
    manager.close();
    assert.deepEqual(files(), ["notify"]);
    await removeDir(scratch);
  },
);

Deno.test("without a service manager there is nobody to tell", () => {
  assert.equal(openNotifier(() => undefined, "/nowhere"), undefined);
});

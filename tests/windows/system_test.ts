import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { utf16 } from "../../src/autostart/task_scheduler.ts";
import { validate } from "../autostart/task_schema.ts";
import { assertFails, get, startPage } from "../e2e/setup.ts";
import { Child } from "../support/child.ts";
import { freePort } from "../support/ports.ts";
import { testWith } from "../support/requirements.ts";
import { execute } from "../support/scratch.ts";
import { WINDOWS_HOME } from "../support/wine.ts";
import {
  profilesOf,
  startWindowsSite,
  statusOf,
  succeed,
  testWindows,
} from "./setup.ts";

const START = ["profile", "start", "home"];

/** Files whose lines all end as on Windows. */
function assertWindowsLines(text: string): void {
  assert.match(text, /\r\n/);
  assert.doesNotMatch(text, /(?<!\r)\n/);
}

testWindows("an agent behind its pipe", async (machine) => {
  await using site = await startWindowsSite(machine);
  const dir = await Deno.makeTempDir();
  const path = `${dir}/agent`;
  await using agent = new Child("ssh-agent", ["-D", "-a", path]);
  await agent.waitFor(/SSH_AUTH_SOCK/);
  await execute("env", [`SSH_AUTH_SOCK=${path}`, "ssh-add", "-q", site.key]);
  await Deno.remove(site.key);
  assertFails(await machine.run(START), 5, /refused/);

  using bridge = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serve = async () => {
    for await (const client of bridge) {
      const there = await Deno.connect({ transport: "unix", path });
      client.readable.pipeTo(there.writable).catch(() => {});
      there.readable.pipeTo(client.writable).catch(() => {});
    }
  };
  serve();
  await using helper = machine.helper("agent", `${bridge.addr.port}`);
  await helper.waitFor(/listening/);
  await succeed(machine, START);
  assert((await get(site.port)).endsWith(site.page.text));
  // asked again by a tunnel that has given up most of what it may do
  site.sshd.killConnections();
  assert((await get(site.port)).endsWith(site.page.text));
  assert.equal((await statusOf(machine)).reconnects, 1);
  await Deno.remove(dir, { recursive: true });
}, ["ssh-agent", "ssh-add"]);

testWindows("paths with spaces and letters of all kinds", async (machine) => {
  await using site = await startWindowsSite(machine);
  const folder = "Z:\\mnt\\Größe & mehr 日本";
  const config = `${folder}\\profile (1).yaml`;
  await Deno.mkdir(machine.path(folder));
  await Deno.rename(site.key, `${site.key} mit Ümlaut`);
  await succeed(machine, [
    ...["--config", config, "profile", "add", "home", "--server", site.server],
    ...["-L", `127.0.0.1:${site.port}:127.0.0.1:${site.page.port}`],
    ...["--identity", "~\\.ssh\\id_ed25519 mit Ümlaut"],
  ]);
  const env = { I2PTUN_CONFIG: config, I2PTUN_STATE_DIR: `${folder}\\Zustand` };
  await succeed(machine, START, { env });
  assert((await get(site.port)).endsWith(site.page.text));
  const log = `${machine.path(folder)}/Zustand/log/home.log`;
  assert.match(await Deno.readTextFile(log), /home is up\n$/);
  await succeed(machine, ["profile", "stop", "home"], { env });
});

testWindows("files are where APPDATA and LOCALAPPDATA say", async (machine) => {
  await using site = await startWindowsSite(machine);
  const drive = machine.path("Z:\\mnt\\another drive");
  await Deno.mkdir(drive);
  const devices = `${machine.path("C:")}/../dosdevices`;
  await execute("ln", ["-s", "/mnt/another drive", `${devices}/d:`]);
  const run = async (...args: string[]) => {
    const { code, stdout, stderr } = await machine.runLine(
      "set APPDATA=D:\\Roaming Zoë&& set LOCALAPPDATA=D:\\Local&& " +
        `i2ptün.exe ${args.join(" ")}`,
    );
    assert.equal(code, 0, stdout + stderr);
    return stdout;
  };
  const said = await run("version");
  assert.match(said, /^profiles: D:\\Roaming Zoë\\i2ptun\\profiles\.yaml\r?$/m);
  assert.match(said, /^state: +D:\\Local\\i2ptun\r?$/m);
  const forward = `127.0.0.1:${site.port}:127.0.0.1:${site.page.port}`;
  await run("profile", "add", "far", "--server", site.server, "-L", forward);
  await run("profile", "start", "far");
  assert((await get(site.port)).endsWith(site.page.text));
  await run("profile", "stop", "far");
  assert.match(
    await Deno.readTextFile(`${drive}/Roaming Zoë/i2ptun/profiles.yaml`),
    /^ {2}far:/m,
  );
  assert.match(
    await Deno.readTextFile(`${drive}/Local/i2ptun/log/far.log`),
    /far is up\n[^]*far is stopped\n$/,
  );
});

testWindows("a share needs the letter of a drive", async (machine) => {
  const add = [
    "profile",
    "add",
    "x",
    "--server",
    "a@b",
    "--service",
    "console",
  ];
  assertFails(
    await machine.run(["--config", "\\\\server\\share\\x.yaml", ...add]),
    1,
    /^i2ptun may not write \\\\server\\share\\, only drives with a letter$/,
  );
  assertFails(
    await machine.run(["--config", "E:x.yaml", ...add]),
    1,
    /^i2ptun may not read the environment variable =E:$/,
  );
});

testWith(
  ["windows-program"],
  "the program has its icon in every size",
  async () => {
    const bytes = Buffer.from(
      (await Deno.readFile(Deno.env.get("I2PTUN_WINDOWS_EXE")!)).buffer,
    );
    assert(bytes.includes(Buffer.from("MAINICON", "utf16le")));
    // PNG: its signature, the header chunk's length and name, width and height
    const png = (size: number) => {
      const start = Buffer.from("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "latin1");
      const sides = Buffer.alloc(8);
      sides.writeUInt32BE(size, 0);
      sides.writeUInt32BE(size, 4);
      return Buffer.concat([start, sides]);
    };
    for (const size of [16, 32, 48, 256]) assert(bytes.includes(png(size)));
  },
);

testWindows("a file's line ends stay as they are", async (machine) => {
  await using site = await startWindowsSite(machine);
  await succeed(machine, [
    ...["profile", "add", "more", "--server", site.server],
    ...["--service", "console"],
  ]);
  const text = await Deno.readTextFile(profilesOf(machine));
  assertWindowsLines(text);
  assert.match(text, /^version: 1 # by hand\r\n[^]*home:[^]*more:/);

  // a password as `echo secret|i2ptun …` sends it; nobody asks for it here
  await succeed(machine, [...START, "--password-stdin"], { stdin: "x\r\n" });
});

testWindows("profile edit, in Notepad", async (machine) => {
  await using _site = await startWindowsSite(machine);
  const env = await machine.standIn("notepad");
  const said = await succeed(machine, ["profile", "edit", "home"], { env });
  assert.match(said, /^saved home$/m);
  const text = await Deno.readTextFile(profilesOf(machine));
  assert.match(text, /# edited with 1\r\n/);
  assertWindowsLines(text);

  const EDITOR = `"${env.WINEPATH}\\notepad.exe" -x`;
  await succeed(machine, ["profile", "edit", "home"], { env: { EDITOR } });
  assert.match(
    await Deno.readTextFile(profilesOf(machine)),
    /# edited with 2\r\n/,
  );
  assertFails(
    await machine.run(["profile", "edit", "home"], {
      env: { EDITOR: "C:\\nowhere\\edit.exe" },
    }),
    2,
    /cannot start the editor/,
  );
});

testWindows("a page opens in the browser of Windows", async (machine) => {
  await using site = await startWindowsSite(machine);
  const env = await machine.standIn("rundll32");
  await succeed(machine, START);
  await succeed(machine, ["open", "home", "page"], { env });
  assert.equal(
    await Deno.readTextFile(machine.path("Z:\\mnt\\opened")),
    `url.dll,FileProtocolHandler http://127.0.0.1:${site.port}/`,
  );
});

testWindows(
  "who holds a port (Wine's netstat shows no listeners, so one in the form of Windows 11 stands in)",
  async (machine) => {
    await using site = await startWindowsSite(machine);
    const other = machine.helper("listen", "127.0.0.1", `${site.port}`);
    await other.waitFor(/pid \d+/);
    assertFails(await machine.run(START), 7, /port \d+ is already in use:/);
    const env = {
      ...await machine.standIn("netstat", "tasklist"),
      I2PTUN_PORT: `${site.port}`,
    };
    assertFails(
      await machine.run(START, { env }),
      7,
      /page: port \d+ is already in use by javaw\.exe \(pid 4242\):/,
    );
    await other[Symbol.asyncDispose]();
  },
);

testWindows("there are no Unix sockets, and that is said", async (machine) => {
  await using site = await startWindowsSite(machine);
  await succeed(machine, [
    ...["profile", "add", "unix", "--server", site.server],
    ...["-L", "/tunnel.sock:127.0.0.1:1"],
  ]);
  assertFails(
    await machine.run(["profile", "start", "unix"]),
    7,
    /Windows has no Unix sockets/,
  );
});

testWindows(
  "autostart (Wine reads a task and keeps its settings, but starts none)",
  async (machine) => {
    await using site = await startWindowsSite(machine);
    await succeed(machine, ["autostart", "enable", "home"]);
    const path = machine.path("C:\\windows\\system32\\tasks\\i2ptun\\home");
    const kept = await Deno.readTextFile(path);
    assert.match(kept, /<Description>i2ptun: home</);
    assert.match(kept, /<Priority>4</);
    const given = await succeed(machine, [
      ...["autostart", "enable", "home", "--print"],
    ]);
    assert.deepEqual(await validate([utf16(given)]), [""]);
    assert.match(
      given,
      /<LogonTrigger>[^]*<UserId>[^<]*\\Zoë Müller<\/UserId>/,
    );
    assert.match(given, /<Command>Z:\\mnt\\Programme für Zoë\\i2ptün\.exe</);
    assert.match(
      given,
      /<Arguments>profile start home --keep-trying --config &quot;C:\\users\\Zoë Müller\\[^"]*\\profiles\.yaml&quot;</,
    );
    assert.match(
      await succeed(machine, ["autostart", "status", "home"]),
      /^home: enabled, not active, stopped/,
    );

    // as the task would at logon, before the server can be reached
    await site.sshd.stop();
    const [, args = ""] = /<Arguments>(.*)<\/Arguments>/.exec(given)!;
    const words = args.replaceAll("&quot;", '"').match(/"[^"]*"|\S+/g)!
      .map((word) => word.replaceAll('"', ""));
    const { code, stdout, stderr } = await machine.run(words);
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /^home is not up yet; it keeps trying/);
    assert.equal((await statusOf(machine)).state, "reconnecting");
    const answer = get(site.port);
    await site.sshd.start();
    assert((await answer).endsWith(site.page.text));

    await succeed(machine, ["autostart", "disable", "home"]);
    assert.equal((await statusOf(machine)).state, "stopped");
    await assert.rejects(Deno.stat(path), Deno.errors.NotFound);
  },
  ["xmllint"],
);

testWindows("a key of its own, and an ssh command line", async (machine) => {
  await using site = await startWindowsSite(machine);
  const file = `${WINDOWS_HOME}\\.ssh\\neu er key`;
  await succeed(machine, [
    ...["key", "create", "--no-passphrase", "--file", file],
  ]);
  const publicLine = await Deno.readTextFile(machine.path(`${file}.pub`));
  await site.sshd.authorize(publicLine);
  await Deno.remove(site.key);
  const port = freePort();
  await using page = startPage();
  await using ssh = machine.spawn([
    ...["ssh", "-i", file, "-NTL", `127.0.0.1:${port}:127.0.0.1:${page.port}`],
    ...["-p", `${site.sshd.port}`, `${site.sshd.user}@${site.sshd.host}`],
  ]);
  await ssh.waitFor(/is up/);
  assert((await get(port)).endsWith(page.text));
});

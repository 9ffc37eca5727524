/** What PuTTY and ssh have saved, made into profiles that work. */
import assert from "node:assert/strict";
import { Sandbox } from "../support/program.ts";
import { testWith } from "../support/requirements.ts";
import { execute } from "../support/scratch.ts";
import { startTerminal } from "../support/terminal.ts";
import {
  assertFails,
  assertReadable,
  assertServes,
  startSite,
  succeed,
} from "./setup.ts";

const IMPORT = ["profile", "import", "putty"];

type Settings = Record<string, string | number>;

/** Writes sessions as PuTTY for Unix does. */
async function saveSessions(
  folder: string,
  sessions: Record<string, Settings>,
): Promise<void> {
  await Deno.mkdir(`${folder}/sessions`, { recursive: true });
  for (const [name, settings] of Object.entries(sessions)) {
    const lines = Object.entries(settings).map((pair) => pair.join("="));
    await Deno.writeTextFile(
      `${folder}/sessions/${name}`,
      `Present=1\n${lines.join("\n")}\n`,
    );
  }
}

/** A registry as regedit exports it. */
function regText(
  heading: string,
  keys: Record<string, Settings>,
): string {
  const quote = (text: string) => `"${text.replaceAll(/[\\"]/g, "\\$&")}"`;
  const root = "HKEY_CURRENT_USER\\Software\\SimonTatham\\PuTTY";
  const lines = Object.entries(keys).flatMap(([path, settings]) => [
    `[${root}\\${path}]`,
    ...Object.entries(settings).map(([name, value]) =>
      `${quote(name)}=${
        typeof value === "number"
          ? `dword:${value.toString(16).padStart(8, "0")}`
          : quote(value)
      }`
    ),
    "",
  ]);
  return [heading, "", ...lines].join("\r\n");
}

function utf16(text: string): Uint8Array {
  const bytes = [..."\ufeff" + text].flatMap((char) => {
    const code = char.charCodeAt(0);
    return [code & 0xff, code >> 8];
  });
  return new Uint8Array(bytes);
}

/** What `profile show --json` says of a profile, as far as it was written. */
async function shown(sandbox: Sandbox, name: string) {
  const yaml = await succeed(sandbox, ["profile", "show", name]);
  return yaml.split("\n").map((line) => line.trim()).filter(Boolean);
}

testWith(
  ["sshd", "puttygen", "plink"],
  "a session of PuTTY works as a profile, with its key and its trust",
  async () => {
    await using site = await startSite();
    const { sandbox, sshd, page, port } = site;
    const [folder, key] = [`${sandbox.home}/.putty`, `${sandbox.home}/k.ppk`];
    // nothing but PuTTY's key lets in, and nothing but PuTTY trusts the server
    await execute("puttygen", [
      ...[`${sandbox.home}/.ssh/id_ed25519`, "-O", "private", "-o", key],
    ]);
    await Deno.remove(`${sandbox.home}/.ssh/id_ed25519`);
    await Deno.remove(sandbox.knownHosts);
    await sandbox.writeProfiles("version: 1\nprofiles: {}\n");
    await saveSessions(folder, {
      "My%20Router": {
        HostName: `${sshd.user}@${sshd.host}`,
        PortNumber: sshd.port,
        Protocol: "ssh",
        UserName: "somebody",
        PublicKeyFile: key,
        PingIntervalSecs: 45,
        PortForwardings: `4L${port}=127.0.0.1:${page.port},`,
        HostKey: "ed25519,rsa,ecdsa,dsa,WARN",
      },
    });
    // plink is PuTTY: it asks, and keeps the key
    const script = `echo y | plink -load 'My Router' true`;
    const said = await execute("env", [
      ...["-i", `HOME=${sandbox.home}`, `PATH=${sandbox.env.PATH}`],
      ...["sh", "-c", script],
    ]);
    assert.equal(said, "");

    const report = JSON.parse(
      await succeed(sandbox, [...IMPORT, "--host-keys", "--json"]),
    );
    assert.deepEqual(report.skipped, []);
    assert.equal(report.imported[0].profile, "My-Router");
    assert.deepEqual(report.imported[0].notes, []);
    assert.equal(
      report.hostKeys.added[0].fingerprint,
      sshd.hostKeys[0]!.sha256,
    );
    assert.deepEqual(await shown(sandbox, "My-Router"), [
      "My-Router:",
      `server: ${sshd.user}@${sshd.host}:${sshd.port}`,
      `identity: ${key}`,
      "keepalive: { interval: 45s }",
      "forwards:",
      `- { local: 127.0.0.1:${port}:127.0.0.1:${page.port} }`,
    ]);
    await succeed(sandbox, ["profile", "start", "My-Router"]);
    await assertServes(site);
    await succeed(sandbox, ["profile", "stop", "My-Router"]);

    // by way of that session
    await saveSessions(folder, {
      "inner": {
        HostName: sshd.host,
        PortNumber: sshd.port,
        Protocol: "ssh",
        UserName: sshd.user,
        PortForwardings: `L${port}=127.0.0.1:${page.port}`,
        ProxyMethod: 6,
        ProxyHost: "My Router",
        ProxyLocalhost: 1,
      },
    });
    await succeed(sandbox, [...IMPORT, "inner"]);
    const logins = () => sshd.log().match(/Accepted publickey/g)?.length ?? 0;
    const before = logins();
    await succeed(sandbox, ["profile", "start", "inner"]);
    await assertServes(site);
    assert.equal(logins() - before, 2);
    await succeed(sandbox, ["profile", "stop", "inner"]);
  },
);

/** The registry of somebody with an umlaut and much to import. */
const KEYS = {
  "Sessions": {},
  "Sessions\\Default%20Settings": { HostName: "", Protocol: "ssh" },
  "Sessions\\Z%FCrich": {
    HostName: "192.0.2.1",
    PortNumber: 2222,
    Protocol: "ssh",
    UserName: "me",
    PublicKeyFile: "C:\\Users\\Zoë\\k.ppk",
    PortForwardings:
      "L7657=127.0.0.1:7657,4L4444=127.0.0.1:4444,6R8081=localhost:80,D1080=",
    Compression: 1,
    ProxyMethod: 3,
    ProxyHost: "proxy.example",
    ProxyPort: 8080,
    ProxyPassword: "hunter2hunter2",
  },
  "Sessions\\serial": { HostName: "", Protocol: "serial" },
  "Sessions\\shell": { HostName: "h", Protocol: "ssh" },
  "Sessions\\%1B%5B2J": { HostName: "h", Protocol: "ssh" },
  "SshHostKeys": {
    "ssh-ed25519@2222:192.0.2.1": "0x1,0x5",
    "ssh-ed25519@22:other": "0x1,0x7",
  },
};

for (
  const [name, bytes] of [
    ["UTF-16", utf16(regText("Windows Registry Editor Version 5.00", KEYS))],
    [
      "ANSI",
      Uint8Array.from(
        regText("REGEDIT4", KEYS),
        (char) => char.charCodeAt(0),
      ),
    ],
  ] as const
) {
  Deno.test(`an export of the registry is imported: ${name}`, async () => {
    await using sandbox = await Sandbox.create();
    const file = `${sandbox.home}/putty.reg`;
    await Deno.writeFile(file, bytes);
    const result = await sandbox.run([...IMPORT, "--reg", file]);
    assert.equal(result.code, 0, result.stderr);
    assertReadable(result);
    const { stdout, stderr } = result;
    for (
      const line of [
        "imported Zürich as Zurich: me@192.0.2.1:2222",
        "  left out: the HTTP proxy proxy.example:8080: ",
        "  left out: compression",
        "  note: there is no key file C:\\Users\\Zoë\\k.ppk here",
        "skipped serial: its connection type is serial, not SSH",
        "skipped shell: it forwards nothing",
        "start it with: i2ptun profile start Zurich",
      ]
    ) assert(stdout.includes(line), `${line} is not in\n${stdout}`);
    assert(!stdout.includes("Default Settings"));
    assert.match(stderr, /PuTTY trusts .*--host-keys/);
    assert(!(stdout + stderr).includes("hunter2"));
    assert(!(await Deno.readTextFile(sandbox.profiles)).includes("hunter2"));
    await assert.rejects(Deno.stat(sandbox.knownHosts), Deno.errors.NotFound);
    assert.deepEqual(await shown(sandbox, "Zurich"), [
      "Zurich:",
      "server: me@192.0.2.1:2222",
      "identity: C:\\Users\\Zoë\\k.ppk",
      "forwards:",
      "- { local: 7657:127.0.0.1:7657 }",
      "- { local: 127.0.0.1:4444:127.0.0.1:4444 }",
      '- { remote: "8081:[::1]:80" }',
      '- { dynamic: "1080" }',
    ]);
  });
}

Deno.test("what is there is left as it is", async () => {
  await using sandbox = await Sandbox.create();
  const folder = `${sandbox.home}/elsewhere`;
  const session = {
    HostName: "192.0.2.1",
    Protocol: "ssh",
    UserName: "me",
    PortForwardings: "L7657=127.0.0.1:7657",
  };
  await saveSessions(folder, { home: session, "ho%20me": session });
  const key = "0x1,0x5";
  await Deno.writeTextFile(
    `${folder}/sshhostkeys`,
    `ssh-ed25519@22:192.0.2.1 ${key}\nrsa2@22:192.0.2.2 0x3,0xabcdef\n`,
  );
  const text = `version: 1\nprofiles:\n  home: # mine\n    server: h\n` +
    `    forwards: [console]\n`;
  await sandbox.writeProfiles(text);
  const known = "192.0.2.1 ssh-ed25519 " +
    "AAAAC3NzaC1lZDI1NTE5AAAAIL0eVG1BzVAR/EYTvL3NOfjHXpwqiQGzoIrsk7Mzh/tV\n";
  await Deno.writeTextFile(sandbox.knownHosts, known);

  for (const dir of [folder, `${folder}/sessions`]) {
    const named = await sandbox.run([
      ...[...IMPORT, "home", "ho me", "--dir", dir],
    ]);
    assertFails(named, 2, /^nothing was imported/);
    assert.match(named.stderr, /^home: there is a profile home already$/m);
    assert.equal(await Deno.readTextFile(sandbox.profiles), text);
  }

  // twice, since the second time all of it is there
  for (const count of [1, 0]) {
    const result = await sandbox.run([
      ...[...IMPORT, "--dir", folder, "--host-keys", "--json"],
    ]);
    assert.equal(result.code, 0, result.stderr);
    const { imported, skipped, hostKeys } = JSON.parse(result.stdout);
    assert.equal(imported.length, count);
    assert.equal(skipped.length, 2 - count);
    assert.match(skipped.at(-1).reason, /there is a profile \S+ already/);
    assert.equal(hostKeys.conflicting.length, 1);
    assert.match(result.stderr, /warning: .* has another: left as it is/);
    assert.equal(await Deno.readTextFile(sandbox.knownHosts), known);
  }
  const after = await Deno.readTextFile(sandbox.profiles);
  assert(after.startsWith(text), after);
  assert.match(after, /^ {2}ho-me:$/m);
});

Deno.test("an import that cannot be is refused", async () => {
  await using sandbox = await Sandbox.create();
  assertFails(await sandbox.run(IMPORT), 2, /no PuTTY sessions in \S+/);
  await saveSessions(`${sandbox.home}/.config/putty`, {
    "router": { HostName: "h", Protocol: "ssh", PortForwardings: "D1=" },
    "telnet": { HostName: "h", Protocol: "telnet" },
  });
  const run = (...args: string[]) => sandbox.run([...IMPORT, ...args]);
  assertFails(await run("Ruoter"), 2, /no session "Ruoter".*mean "router"/);
  const telnet = await run("router", "telnet");
  assertFails(telnet, 2, /nothing was imported/);
  assert.match(telnet.stderr, /^telnet: its connection type is telnet/m);
  assertFails(await run("--reg", "no.reg"), 2, /no file no\.reg/);
  const pub = `${sandbox.home}/x`;
  await Deno.writeTextFile(pub, "PuTTY-User-Key-File-3: ssh-rsa\n");
  assertFails(await run("--reg", pub), 2, /x is no \.reg file/);
  assertFails(await run("--reg", pub, "--dir", "."), 2, /two places/);
  await assert.rejects(Deno.stat(sandbox.profiles), Deno.errors.NotFound);

  // by its name also one that forwards nothing yet
  await saveSessions(`${sandbox.home}/.config/putty`, {
    "plain": { HostName: "h", Protocol: "ssh" },
  });
  const plain = await succeed(sandbox, [...IMPORT, "PLAIN"]);
  assert.match(plain, /^imported plain: h$/m);
  assert.match(plain, /note: it forwards nothing yet/);
  assert.match(plain, /note: PuTTY asks for the user; i2ptun logs in as \S+/);
});

testWith(["tmux"], "on a terminal, one chooses and is asked", async () => {
  await using sandbox = await Sandbox.create();
  const session = (host: string, more = {}) => ({
    HostName: host,
    UserName: "me",
    Protocol: "ssh",
    ...more,
  });
  const forwards = { PortForwardings: "D1080=" };
  await saveSessions(`${sandbox.home}/.putty`, {
    "a": session("192.0.2.1", forwards),
    "b": session("192.0.2.2"),
    "c": session("192.0.2.3", forwards),
  });
  await Deno.writeTextFile(
    `${sandbox.home}/.putty/sshhostkeys`,
    "ssh-ed25519@22:192.0.2.1 0x1,0x5\nssh-ed25519@22:192.0.2.3 0x1,0x7\n",
  );
  await using terminal = await startTerminal({
    command: sandbox.command(...IMPORT),
    env: sandbox.env,
    width: 120,
  });
  await terminal.waitFor(/Which sessions[^]*b {2}\(192\.0\.2\.2, forwards no/);
  await terminal.press("Space", "Enter");
  await terminal.waitFor(/Trust them too/);
  const screen = await terminal.screen();
  assert.match(screen, /^imported c: me@192\.0\.2\.3$/m);
  assert.match(screen, /192\.0\.2\.3, port 22: ssh-ed25519 SHA256:\S{43}/);
  assert.doesNotMatch(screen, /imported [ab]|192\.0\.2\.1, port/);
  await terminal.press("Enter");
  await terminal.waitFor(/added 1 host key/);
  assert.equal(await terminal.exit(), 0);
  const known = await Deno.readTextFile(sandbox.knownHosts);
  assert.match(known, /^192\.0\.2\.3 ssh-ed25519 \S+\n$/);
});

testWith(
  ["sshd"],
  "a Host of ssh_config works as a profile, as with ssh",
  async () => {
    await using site = await startSite();
    const { sandbox, sshd, page, port } = site;
    await sandbox.writeProfiles("version: 1\nprofiles: {}\n");
    await Deno.writeTextFile(
      `${sandbox.home}/.ssh/config`,
      `Host router\n  HostName ${sshd.host}\n  Port ${sshd.port}\n` +
        `  User ${sshd.user}\n  LocalForward ${port} 127.0.0.1:${page.port}\n` +
        `Host plain\n  HostName h\n` +
        `Host gate\n  GatewayPorts yes\n  DynamicForward 1080\n` +
        `  LocalForward http h:80\n`,
    );
    const run = (...args: string[]) =>
      sandbox.run(["profile", "import", "ssh-config", ...args]);
    const bare = await run();
    assertFails(bare, 2, /name the Hosts/);
    assert.match(bare.stderr, /^try: .* ssh-config router gate$/m);
    const wrong = await run("router", "plain", "rooter");
    assertFails(wrong, 2, /nothing was imported/);
    assert.match(wrong.stderr, /^plain: \S+ gives it no forwards$/m);
    assert.match(wrong.stderr, /^rooter: no Host of .*mean "router"\?$/m);

    const said = await succeed(sandbox, [
      ...["profile", "import", "ssh-config", "router", "gate"],
    ]);
    assert.match(said, /left out: the local forward http:h:80: .*not a number/);
    assert.deepEqual(await shown(sandbox, "gate"), [
      ...["gate:", "server: gate", "forwards:", '- { dynamic: "*:1080" }'],
    ]);
    assert.deepEqual(await shown(sandbox, "router"), [
      ...["router:", "server: router", "forwards:"],
      `- { local: ${port}:127.0.0.1:${page.port} }`,
    ]);
    await succeed(sandbox, ["profile", "start", "router"]);
    await assertServes(site);
    const { profiles } = JSON.parse(
      await succeed(sandbox, ["profile", "status", "router", "--json"]),
    );
    assert.equal(profiles[0].forwards.length, 1);
    assertFails(await run("router"), 2, /nothing was imported/);
  },
);

/** Every way to log in, as a person or a script goes it. */
import assert from "node:assert/strict";
import { Child } from "../support/child.ts";
import { processesWithHome, searchProcesses } from "../support/processes.ts";
import type { Sandbox } from "../support/program.ts";
import { testWith } from "../support/requirements.ts";
import { execute } from "../support/scratch.ts";
import { fingerprint, type Sshd, startSshd } from "../support/sshd.ts";
import { startTerminal, type Terminal } from "../support/terminal.ts";
import { type TestUser, testUser } from "../support/test_user.ts";
import {
  assertFails,
  assertNothingLeft,
  assertServes,
  filesWith,
  type Site,
  startSite,
  statusUntil,
  succeed,
  writeProfile,
} from "./setup.ts";

const START = ["profile", "start", "home"];

/** On a terminal wide enough that nothing is wrapped. */
function onTerminal(sandbox: Sandbox, ...args: string[]): Promise<Terminal> {
  return startTerminal({
    command: sandbox.command(...args),
    env: sandbox.env,
    cwd: sandbox.home,
    width: 200,
  });
}

/** Checks that a secret is on no screen, in no file and in no process's data. */
async function assertSecret(
  secret: string,
  { sandbox }: Site,
  terminal?: Terminal,
): Promise<void> {
  if (terminal) assert(!(await terminal.screen()).includes(secret));
  assert.deepEqual(filesWith(sandbox.home, secret), []);
  assert.deepEqual(filesWith(sandbox.env.TMPDIR!, secret), []);
  const own = new Set(processesWithHome(sandbox.home));
  assert(own.size > 0);
  for (const where of ["cmdline", "environ"] as const) {
    const found = searchProcesses(where, secret);
    assert.deepEqual(found.filter((each) => own.has(each.pid)), []);
  }
}

/** Kills the connection on the server's side and waits for the next. */
async function reconnected({ sandbox }: Site, sshd: Sshd): Promise<void> {
  assert(sshd.killConnections() > 0);
  const { state } = await statusUntil(
    sandbox,
    ({ reconnects, state }) => reconnects === 1 || state === "failed",
  );
  assert.equal(state, "up");
}

/** A site whose user has no key, but a password. */
async function startPasswordSite(user: TestUser): Promise<Site> {
  const site = await startSite();
  const server = `${user.name}@${site.sshd.host}:${site.sshd.port}`;
  await writeProfile(site.sandbox, { ...site, server });
  await Deno.remove(`${site.sandbox.home}/.ssh/id_ed25519`);
  return { ...site, server };
}

for (const type of ["ed25519", "rsa"]) {
  testWith(["sshd"], `logs in with an ${type} key, locked or not`, async () => {
    await using site = await startSite();
    const { sandbox, sshd } = site;
    await Deno.writeTextFile(sshd.authorizedKeys, "");
    await Deno.remove(`${sandbox.home}/.ssh/id_ed25519`);

    const open = await sandbox.key({ type, file: "open" });
    await sshd.authorize(open.publicLine);
    await writeProfile(sandbox, { ...site, more: "identity: ~/.ssh/open" });
    await succeed(sandbox, START);
    await assertServes(site);
    await succeed(sandbox, ["profile", "stop", "home"]);

    // found at its usual place, and unlocked by a line of input
    const passphrase = crypto.randomUUID();
    await Deno.writeTextFile(sshd.authorizedKeys, "");
    const locked = await sandbox.key({ type, passphrase });
    await sshd.authorize(locked.publicLine);
    await writeProfile(sandbox, site);
    await succeed(sandbox, [...START, "--password-stdin"], {
      stdin: `${passphrase}\n`,
    });
    await assertServes(site);
    await reconnected(site, sshd);
    await assertServes(site);
    await assertSecret(passphrase, site);
  });
}

testWith(["sshd", "tmux"], "a passphrase is typed unseen", async () => {
  await using site = await startSite();
  const { sandbox, sshd } = site;
  const passphrase = crypto.randomUUID();
  const { publicLine, path } = await sandbox.key({
    file: "locked",
    passphrase,
  });
  await Deno.writeTextFile(sshd.authorizedKeys, `${publicLine}\n`);
  await writeProfile(sandbox, { ...site, more: `identity: ${path}` });

  await using terminal = await onTerminal(sandbox, ...START);
  await terminal.waitFor(new RegExp(`Passphrase for ${path}:`));
  await terminal.type("a wrong one");
  await terminal.press("Enter");
  await terminal.waitFor(/That was wrong/);
  await terminal.type(passphrase);
  assert(!(await terminal.screen()).includes(passphrase.slice(0, 8)));
  await terminal.press("Enter");
  await terminal.waitFor(/home is up/);
  assert.equal(await terminal.exit(), 0);
  assert(!(await terminal.screen()).includes("a wrong one"));
  await assertSecret(passphrase, site, terminal);
  await assertServes(site);
});

testWith(["sshd"], "a wrong passphrase is refused", async () => {
  await using site = await startSite();
  const { sandbox, sshd } = site;
  const { publicLine } = await sandbox.key({ file: "x", passphrase: "right" });
  await Deno.writeTextFile(sshd.authorizedKeys, `${publicLine}\n`);
  await writeProfile(sandbox, { ...site, more: "identity: ~/.ssh/x" });
  const result = await sandbox.run([...START, "--password-stdin"], {
    stdin: "wrong\n",
  });
  assertFails(result, 5, /login as \S+ was refused/);
  assert.match(result.stderr, /passphrase for \S+\/x was wrong/);
  await assertNothingLeft(sandbox, site.port);
});

testWith(["sshd", "root"], "a wrong password is called wrong", async () => {
  for (
    const config of [
      "PubkeyAuthentication no",
      "PubkeyAuthentication no\nPasswordAuthentication no\nKbdInteractiveAuthentication yes\nUsePAM yes",
    ]
  ) {
    await using site = await startSite({ sshd: { config } });
    for (const command of ["start", "check"]) {
      const result = await site.sandbox.run(
        ["profile", command, "home", "--password-stdin"],
        { stdin: "wrong\n" },
      );
      assert.equal(result.code, 5, result.stderr);
      const said = result.stdout + result.stderr;
      assert.match(said, /the user name or the password is wrong$/m);
      assert.match(said, /^try: check the user name/m);
      assert.doesNotMatch(said, /needs you/);
    }
  }
});

testWith(
  ["sshd", "ssh-agent", "ssh-add"],
  "logs in with a key that only the agent has",
  async () => {
    await using site = await startSite();
    const { sandbox } = site;
    const socket = `${sandbox.home}/agent`;
    await using agent = new Child("ssh-agent", ["-D", "-a", socket]);
    await agent.waitFor(/SSH_AUTH_SOCK/);
    const key = `${sandbox.home}/.ssh/id_ed25519`;
    await execute("env", [`SSH_AUTH_SOCK=${socket}`, "ssh-add", "-q", key]);
    await Deno.remove(key);
    await Deno.remove(`${key}.pub`);

    sandbox.env.SSH_AUTH_SOCK = socket;
    await succeed(sandbox, START);
    await assertServes(site);
    await reconnected(site, site.sshd);
    await succeed(sandbox, ["profile", "stop", "home"]);

    await writeProfile(sandbox, { ...site, more: "agent: false" });
    const refused = await sandbox.run(START);
    assertFails(refused, 5, /login as \S+ was refused/);
  },
);

testWith(
  ["sshd", "test-user", "tmux"],
  "a password is typed unseen and kept in memory only",
  async () => {
    await using user = await testUser();
    await using site = await startPasswordSite(user);
    const { sandbox, sshd, server } = site;

    await using terminal = await onTerminal(sandbox, ...START);
    await terminal.waitFor(new RegExp(`Password for ${server}:`));
    await terminal.type(user.password);
    assert(!(await terminal.screen()).includes(user.password.slice(0, 8)));
    await terminal.press("Enter");
    await terminal.waitFor(/home is up/);
    assert.equal(await terminal.exit(), 0);
    await assertServes(site);
    await terminal.close();

    await reconnected(site, sshd);
    await assertServes(site);
    await assertSecret(user.password, site);
  },
);

testWith(
  ["sshd", "test-user"],
  "a password comes by standard input",
  async () => {
    await using user = await testUser();
    await using site = await startPasswordSite(user);
    const start = [...START, "--password-stdin"];
    const wrong = await site.sandbox.run(start, { stdin: "wrong\n" });
    assertFails(wrong, 5, new RegExp(`login as ${site.server} was refused`));
    await assertNothingLeft(site.sandbox, site.port);

    await succeed(site.sandbox, [...start, "--debug"], {
      stdin: `${user.password}\r\n`,
    });
    await assertServes(site);
    await assertSecret(user.password, site);
  },
);

testWith(
  ["sshd", "test-user", "tmux"],
  "three wrong passwords are enough",
  async () => {
    await using user = await testUser();
    await using site = await startPasswordSite(user);
    await using terminal = await onTerminal(site.sandbox, ...START);
    for (let attempt = 1; attempt <= 3; attempt++) {
      // each prompt stays on the screen, answered
      await terminal.waitFor(
        new RegExp(`^(?:[^]*Password for [^]*){${attempt}}$`),
      );
      await terminal.type(`guess${attempt}`);
      await terminal.press("Enter");
    }
    await terminal.waitFor(/^error: login as \S+ was refused.*\ntry: /m);
    assert.equal(await terminal.exit(), 5);
    assert.doesNotMatch(await terminal.screen(), /guess/);
    await terminal.close();
    await assertNothingLeft(site.sandbox, site.port);
  },
);

testWith(
  ["sshd", "test-user", "tmux"],
  "Ctrl-C while a password is asked for leaves nothing",
  async () => {
    await using user = await testUser();
    await using site = await startPasswordSite(user);
    await using terminal = await onTerminal(site.sandbox, ...START);
    await terminal.waitFor(/Password for/);
    await terminal.press("C-c");
    assert.equal(await terminal.exit(), 130);
    await terminal.close();
    await assertNothingLeft(site.sandbox, site.port);
  },
);

testWith(
  ["sshd", "ssh", "tmux"],
  "a new host key is shown, and stored as ssh has it",
  async () => {
    await using site = await startSite();
    const { sandbox, sshd } = site;
    const [{ sha256 }] = sshd.hostKeys as [Sshd["hostKeys"][0]];
    await Deno.remove(sandbox.knownHosts);
    {
      await using terminal = await onTerminal(sandbox, ...START);
      await terminal.waitFor(/Trust it/);
      const screen = await terminal.screen();
      assert(screen.includes(sha256) && screen.includes(`${sshd.port}`));
      await terminal.type("no");
      await terminal.press("Enter");
      await terminal.waitFor(/^error: the host key of .* was not accepted$/m);
      assert.equal(await terminal.exit(), 6);
      assert.equal(await textOf(sandbox.knownHosts), "");
      await terminal.close();
      await assertNothingLeft(sandbox, site.port);
    }
    await using terminal = await onTerminal(sandbox, ...START);
    await terminal.waitFor(/Trust it/);
    await terminal.type("yes");
    await terminal.press("Enter");
    await terminal.waitFor(/home is up/);
    assert.equal(await terminal.exit(), 0);

    await execute("ssh", [
      ...["-F", "none", "-o", "BatchMode=yes"],
      ...["-o", "StrictHostKeyChecking=yes"],
      ...["-o", `UserKnownHostsFile=${sandbox.knownHosts}`],
      ...["-i", `${sandbox.home}/.ssh/id_ed25519`],
      ...["-p", `${sshd.port}`, sshd.host, "true"],
    ]);
  },
);

testWith(["sshd"], "a new host key without a terminal", async () => {
  await using site = await startSite();
  const { sandbox, sshd } = site;
  await Deno.remove(sandbox.knownHosts);
  const refused = await sandbox.run(START);
  assertFails(refused, 6, /host key of \S+ is unknown/);
  assert(refused.stderr.includes(sshd.hostKeys[0]!.sha256), refused.stderr);
  assert.match(
    refused.stderr,
    /^try: .* or use i2ptun profile start home --accept-new$/m,
  );
  assert.equal(await textOf(sandbox.knownHosts), "");

  await succeed(sandbox, [...START, "--accept-new"]);
  // ssh-keygen finds it whether its name is hidden or not
  const name = `[127.0.0.1]:${sshd.port}`;
  const found = await execute("ssh-keygen", [
    ...["-F", name, "-f", sandbox.knownHosts],
  ]);
  assert(found.includes(sshd.hostKeys[0]!.publicLine), found);
  await assertServes(site);
});

testWith(["sshd"], "a changed host key is never accepted", async () => {
  await using site = await startSite();
  const { sandbox, sshd } = site;
  const other = await sandbox.key({ file: "other" });
  const [type, blob] = other.publicLine.split(" ");
  const line = `[127.0.0.1]:${sshd.port} ${type} ${blob}\n`;
  await Deno.writeTextFile(sandbox.knownHosts, `# mine\n${line}`);
  for (const args of [START, [...START, "--accept-new"]]) {
    const result = await sandbox.run(args);
    assertFails(result, 6, /host key of \S+ has changed/);
    const [error] = /^error: .*$/m.exec(result.stderr)!;
    assert(error.includes(`${sandbox.knownHosts}:2 `), error);
    assert(error.includes(fingerprint(other.publicLine)), error);
    assert(error.includes(sshd.hostKeys[0]!.sha256), error);
  }
  assert.equal(await textOf(sandbox.knownHosts), `# mine\n${line}`);
  await assertNothingLeft(sandbox, site.port);
});

testWith(["sshd"], "a pinned host key is the only one", async () => {
  await using site = await startSite();
  const { sandbox, sshd } = site;
  const wrong = fingerprint((await sandbox.key({ file: "x" })).publicLine);
  await writeProfile(sandbox, { ...site, more: `host_key: ${wrong}` });
  for (const args of [START, [...START, "--accept-new"]]) {
    assertFails(await sandbox.run(args), 6, /but the profile pins SHA256:/);
  }
  const right = sshd.hostKeys[0]!.sha256;
  await Deno.remove(sandbox.knownHosts);
  await writeProfile(sandbox, { ...site, more: `host_key: ${right}` });
  await succeed(sandbox, START);
  await assertServes(site);
});

testWith(["sshd"], "without a user name, as whose account it is", async () => {
  await using site = await startSite();
  const { sandbox, sshd } = site;
  await writeProfile(sandbox, {
    ...site,
    server: `${sshd.host}:${sshd.port}`,
  });
  // as ssh, which does not look at it
  sandbox.env.USER = "nobody";
  await succeed(sandbox, START);
  await assertServes(site);
  const { server } = await statusUntil(sandbox, () => true);
  assert.equal(server, site.server);
});

testWith(["sshd"], "goes through a jump host of the profile", async () => {
  await using site = await startSite();
  await using jump = await startJumpHost(site);
  const more = `jump: [${jump.user}@${jump.host}:${jump.port}]`;
  await writeProfile(site.sandbox, { ...site, more });
  await assertJumps(site, jump);
});

testWith(["sshd"], "goes through a ProxyJump of ~/.ssh/config", async () => {
  await using site = await startSite();
  await using jump = await startJumpHost(site);
  const { sandbox, sshd } = site;
  const host = (name: string, { host, port, user }: Sshd) =>
    `Host ${name}\n  HostName ${host}\n  Port ${port}\n  User ${user}\n`;
  await Deno.writeTextFile(
    `${sandbox.home}/.ssh/config`,
    `${host("router", sshd)}  ProxyJump outside\n${host("outside", jump)}`,
  );
  await writeProfile(sandbox, { ...site, server: "router" });
  await assertJumps(site, jump);
});

async function startJumpHost({ sandbox }: Site): Promise<Sshd> {
  const jump = await startSshd({ config: "LogLevel DEBUG1" });
  await sandbox.trust(jump);
  const key = `${sandbox.home}/.ssh/id_ed25519.pub`;
  await jump.authorize(await Deno.readTextFile(key));
  return jump;
}

async function assertJumps(site: Site, jump: Sshd): Promise<void> {
  const { sandbox, sshd } = site;
  await succeed(sandbox, START);
  await assertServes(site);
  const { server } = await statusUntil(sandbox, () => true);
  assert.equal(server, site.server);
  await jump.waitForLog(
    new RegExp(`direct_tcpip: .* target ${sshd.host} port ${sshd.port}\\b`),
  );
  assert.equal(jump.connections().length, 1);
  await reconnected(site, jump);
  await assertServes(site);

  // an unknown jump host is named
  await succeed(sandbox, ["profile", "stop", "home"]);
  await jump.stop();
  assertFails(await sandbox.run(START), 4, /^jump host 127\.0\.0\.1(:\d+)?: /);
  await assertNothingLeft(sandbox, site.port);
}

/** The text of a file; empty if there is none. */
async function textOf(file: string): Promise<string> {
  try {
    return await Deno.readTextFile(file);
  } catch {
    return "";
  }
}

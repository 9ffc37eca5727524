/** Making keys, and letting them log in. */
import assert from "node:assert/strict";
import { fingerprint, startSshd } from "../support/sshd.ts";
import { testWith } from "../support/requirements.ts";
import { execute } from "../support/scratch.ts";
import { Sandbox } from "../support/program.ts";
import { startTerminal } from "../support/terminal.ts";
import { type TestUser, testUser } from "../support/test_user.ts";
import {
  assertFails,
  assertNothingLeft,
  succeed,
  writeProfile,
} from "./setup.ts";

const CREATE = ["key", "create"];
const INSTALL = ["key", "install", "home"];

testWith(["ssh-keygen"], "key create, without a terminal", async () => {
  await using sandbox = await Sandbox.create();
  const usual = `${sandbox.home}/.ssh/id_ed25519`;
  const nobody = await sandbox.run(CREATE);
  assertFails(nobody, 2, /nobody to ask for a passphrase/);
  await assert.rejects(Deno.stat(usual), Deno.errors.NotFound);

  const made = await succeed(sandbox, [...CREATE, "--no-passphrase"]);
  const line = await Deno.readTextFile(`${usual}.pub`);
  assert(made.includes(fingerprint(line)), made);
  assert.match(line, /^ssh-ed25519 \S+ \S+@\S+\n$/);
  assert.equal(
    await execute("ssh-keygen", ["-y", "-P", "", "-f", usual]),
    line,
  );
  assertFails(
    await sandbox.run([...CREATE, "--no-passphrase"]),
    2,
    /id_ed25519 exists already, and is not overwritten/,
  );
  assert.equal(await Deno.readTextFile(`${usual}.pub`), line);

  const args = ["--type", "ecdsa", "--file", "~/other", "--password-stdin"];
  const json = await succeed(sandbox, [...CREATE, ...args, "--json"], {
    stdin: "open sesame\n",
  });
  const about = JSON.parse(json);
  const file = `${sandbox.home}/other`;
  assert.equal(about.file, file);
  assert.equal(about.encrypted, true);
  const phrase = ["-y", "-P", "open sesame", "-f", file];
  assert.match(await execute("ssh-keygen", phrase), /^ecdsa-sha2-nistp256 /);
  assertFails(await sandbox.run([...CREATE, "--type", "dsa"]), 2, /dsa/);
});

testWith(["ssh-keygen", "tmux"], "key create asks twice, unseen", async () => {
  await using sandbox = await Sandbox.create();
  await using terminal = await startTerminal({
    command: sandbox.command(...CREATE, "--file", "~/key"),
    env: sandbox.env,
    cwd: sandbox.home,
    width: 200,
  });
  const answer = async (question: RegExp, text: string) => {
    await terminal.waitFor(question);
    await terminal.type(text);
    await terminal.press("Enter");
  };
  await answer(/Passphrase for \S+key \(empty for none\):/, "one thing");
  await answer(/The same again:/, "another");
  await answer(/not the same\.\n.* Passphrase for/, "one thing");
  await answer(/not the same[^]*The same again:/, "one thing");
  await terminal.waitFor(/its fingerprint is SHA256:/);
  assert.equal(await terminal.exit(), 0);
  assert.doesNotMatch(await terminal.screen(), /thing|another/);
  const path = `${sandbox.home}/key`;
  await execute("ssh-keygen", ["-y", "-P", "one thing", "-f", path]);
});

/** A server that knows the user by password only, as they usually begin. */
async function startPasswordHost(config = "") {
  await using stack = new AsyncDisposableStack();
  const user = stack.use(await testUser());
  const sandbox = stack.use(await Sandbox.create());
  const sshd = stack.use(
    await startSshd({
      config:
        `${config}\nStrictModes yes\nAuthorizedKeysFile .ssh/authorized_keys`,
    }),
  );
  await sandbox.trust(sshd);
  await writeProfile(sandbox, {
    server: `${user.name}@${sshd.host}:${sshd.port}`,
    forward: "console",
  });
  const kept = stack.move();
  return {
    ...{ user, sandbox, sshd, authorized: `${user.home}/.ssh/authorized_keys` },
    install: (...args: string[]) =>
      sandbox.run([...INSTALL, "--password-stdin", ...args], {
        stdin: `${user.password}\n`,
      }),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

async function modeOf(path: string): Promise<number> {
  return (await Deno.stat(path)).mode! & 0o777;
}

async function giveTo({ name }: TestUser, path: string): Promise<void> {
  await execute("chown", ["-R", `${name}:`, path]);
}

testWith(
  ["sshd", "test-user"],
  "key install adds the key once, and proves it",
  async () => {
    await using host = await startPasswordHost();
    const { sandbox, authorized, user } = host;
    const none = await host.install();
    assertFails(none, 2, /no key to install/);
    assert.match(none.stderr, /key create/);

    await succeed(sandbox, [...CREATE, "--no-passphrase"]);
    const first = await host.install();
    assert.equal(first.code, 0, first.stderr);
    assert.match(first.stdout, /^added \S+id_ed25519 to .*\nlogged in with/);
    const line = await Deno.readTextFile(`${sandbox.home}/.ssh/id_ed25519.pub`);
    assert.equal(await Deno.readTextFile(authorized), line);
    assert.equal(await modeOf(authorized), 0o600);
    assert.equal(await modeOf(`${user.home}/.ssh`), 0o700);

    // by now no password is needed
    const again = JSON.parse(await succeed(sandbox, [...INSTALL, "--json"]));
    assert.equal(again.added, false);
    assert.equal(again.fingerprint, fingerprint(line));
    assert.equal(await Deno.readTextFile(authorized), line);
    await assertNothingLeft(sandbox);
  },
);

testWith(
  ["sshd", "test-user"],
  "key install leaves what is there, and mends modes",
  async () => {
    await using host = await startPasswordHost();
    const { sandbox, authorized, user } = host;
    const other = await sandbox.key({ file: "other" });
    await succeed(sandbox, [...CREATE, "--type", "rsa", "--no-passphrase"]);
    const pub = `${sandbox.home}/.ssh/id_rsa.pub`;
    const line = await Deno.readTextFile(pub);
    await Deno.mkdir(`${user.home}/.ssh`);
    // ours as a comment only, and no end of the last line
    const before = `# ${line}${other.publicLine}`;
    await Deno.writeTextFile(authorized, before);
    await Deno.chmod(authorized, 0o666);
    await Deno.chmod(`${user.home}/.ssh`, 0o777);
    await giveTo(user, `${user.home}/.ssh`);
    const result = await host.install("--file", pub);
    assert.equal(result.code, 0, result.stderr);
    assert.equal(await Deno.readTextFile(authorized), `${before}\n${line}`);
    assert.equal(await modeOf(authorized), 0o600);
    assert.equal(await modeOf(`${user.home}/.ssh`), 0o700);
  },
);

testWith(
  ["sshd", "test-user"],
  "key install says when the key does not log in",
  async () => {
    await using host = await startPasswordHost();
    const { sandbox, user } = host;
    await succeed(sandbox, [...CREATE, "--no-passphrase"]);
    // StrictModes refuses keys in a home folder that others can write
    await Deno.chmod(user.home, 0o777);
    const result = await host.install();
    assertFails(result, 5, /^the key is now in the authorized keys, but login/);
    assert.match(result.stderr, /StrictModes/);
    await Deno.chmod(user.home, 0o755);
    const again = await host.install();
    assert.equal(again.code, 0, again.stderr);

    const wrong = `${sandbox.home}/.ssh/id_ed25519`;
    await Deno.writeTextFile(`${sandbox.home}/x.pub`, "not a key\n");
    assertFails(
      await host.install("--file", "x.pub"),
      2,
      /x\.pub is not a public key/,
    );
    // the private half is told apart, and found its public one
    const named = await host.install("--file", wrong);
    assert.equal(named.code, 0, named.stderr);
  },
);

for (
  const [shell, config, message] of [
    [
      "Windows",
      `ForceCommand echo "'exec' is not recognized as an internal or external command,"; exit 1`,
      /cannot add the key for \S+: the server's shell is that of Windows$/,
    ],
    [
      "none",
      "ForceCommand echo This account is for tunnels only.; exit 1",
      /its shell answered with exit code 1: This account is for tunnels only\.$/,
    ],
    ["/bin/false", "ForceCommand /bin/false", /exit code 1$/],
    [
      "no sessions",
      "MaxSessions 0",
      /cannot add the key for \S+: the server lets this user run no commands$/,
    ],
  ] as const
) {
  testWith(["sshd", "test-user"], `key install, shell: ${shell}`, async () => {
    await using host = await startPasswordHost(config);
    await succeed(host.sandbox, [...CREATE, "--no-passphrase"]);
    const result = await host.install();
    assert.equal(result.code, 5, result.stderr);
    assert.match(/^error: (.*)$/m.exec(result.stderr)![1]!, message);
    assert.match(result.stderr, /^the line to add: ssh-ed25519 /m);
    assert.match(result.stderr, /^try: add the line above on the server/m);
    await assert.rejects(Deno.stat(host.authorized), Deno.errors.NotFound);
  });
}

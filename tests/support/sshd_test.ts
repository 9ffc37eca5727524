import assert from "node:assert/strict";
import { Child } from "./child.ts";
import { listProcesses } from "./processes.ts";
import { Sandbox } from "./program.ts";
import { testWith } from "./requirements.ts";
import { type Sshd, startSshd } from "./sshd.ts";
import { testUser } from "./test_user.ts";

/** ssh(1) in the sandbox, asking nothing. */
function ssh(sandbox: Sandbox, sshd: Sshd, ...args: string[]): Child {
  const options = [
    ...["-F", "none", "-o", "BatchMode=yes"],
    ...["-o", `UserKnownHostsFile=${sandbox.knownHosts}`],
    ...["-i", `${sandbox.home}/.ssh/id_ed25519`, "-p", `${sshd.port}`],
  ];
  return new Child("ssh", [...options, sshd.host, ...args], {
    env: sandbox.env,
  });
}

testWith(["sshd", "ssh"], "sshd lets an authorized key in", async () => {
  await using sandbox = await Sandbox.create();
  await using sshd = await startSshd({ hostKeyTypes: ["ed25519", "ecdsa"] });
  await sandbox.trust(sshd);
  const { publicLine } = await sandbox.key();

  await using refused = ssh(sandbox, sshd, "echo in");
  assert.equal(await refused.exit, 255);
  assert.match(refused.stderr.text, /Permission denied/);

  await sshd.authorize(publicLine);
  await using allowed = ssh(sandbox, sshd, "echo in");
  await allowed.waitFor(/^in$/m);
  assert.equal(await allowed.exit, 0);
  await sshd.waitForLog(/Accepted publickey for \S+/);
});

testWith(["sshd", "ssh"], "sshd's connections can be killed", async () => {
  await using sandbox = await Sandbox.create();
  await using sshd = await startSshd();
  await sandbox.trust(sshd);
  await sshd.authorize((await sandbox.key()).publicLine);
  await using client = ssh(sandbox, sshd, "echo $$; sleep 1000");
  const shell = Number((await client.stdout.waitFor(/^\d+$/m))[0]);

  assert.equal(sshd.connections().length, 1);
  assert.equal(sshd.killConnections(), 1);
  assert.equal(await client.exit, 255);
  assert.deepEqual(sshd.connections(), []);
  assert(listProcesses().every(({ pid }) => pid !== shell));
});

testWith(["sshd", "ssh"], "sshd restarts as the same host", async () => {
  await using sandbox = await Sandbox.create();
  await using sshd = await startSshd();
  await sandbox.trust(sshd);
  await sshd.authorize((await sandbox.key()).publicLine);
  await using before = ssh(sandbox, sshd, "echo in; sleep 1000");
  await before.waitFor(/^in$/m);

  await sshd.restart();
  assert.equal(await before.exit, 255);
  await using after = ssh(sandbox, sshd, "true");
  assert.equal(await after.exit, 0, after.output.text);

  await sshd.stop();
  await assert.rejects(Deno.connect({ port: sshd.port }), /refused/);
});

testWith(
  ["sshd", "ssh", "ssh-keygen"],
  "sshd shows its fingerprints",
  async () => {
    await using sandbox = await Sandbox.create();
    await using sshd = await startSshd({ hostKeyTypes: ["rsa"] });
    const key = sshd.hostKeys[0]!;
    assert.equal(key.type, "ssh-rsa");
    await sandbox.trust(sshd);
    const { stdout } = await new Deno.Command("ssh-keygen", {
      args: ["-l", "-f", sandbox.knownHosts],
    }).output();
    const shown = new TextDecoder().decode(stdout);
    assert(shown.includes(` ${key.sha256} `), shown);
  },
);

testWith(["sshd"], "sshd's own settings win, Match included", async () => {
  await using sshd = await startSshd({
    config: "LogLevel DEBUG1\nMatch User nobody\n  AllowTcpForwarding no",
  });
  assert.match(sshd.log(), /^debug1: /m);
});

testWith(["sshd"], "a wrong setting is shown", async () => {
  await assert.rejects(
    startSshd({ config: "NoSuchSetting yes" }),
    /Bad configuration option: NoSuchSetting/,
  );
});

testWith(
  ["sshd", "ssh", "test-user"],
  "a test user logs in with its password",
  async () => {
    await using sandbox = await Sandbox.create();
    await using sshd = await startSshd();
    await sandbox.trust(sshd);
    let name: string;
    {
      await using user = await testUser();
      name = user.name;
      const askpass = `${sandbox.home}/askpass`;
      await Deno.writeTextFile(askpass, `#!/bin/sh\necho '${user.password}'\n`);
      await Deno.chmod(askpass, 0o700);
      const options = [
        ...["-F", "none", "-p", `${sshd.port}`, "-l", name],
        ...["-o", `UserKnownHostsFile=${sandbox.knownHosts}`],
      ];
      await using client = new Child(
        "ssh",
        [...options, sshd.host, "id -un; pwd"],
        {
          env: {
            ...sandbox.env,
            SSH_ASKPASS: askpass,
            SSH_ASKPASS_REQUIRE: "force",
          },
        },
      );
      assert.equal(await client.exit, 0, client.stderr.text);
      await client.drained;
      assert.equal(client.stdout.text, `${name}\n${user.home}\n`);
    }
    assert(!(await Deno.readTextFile("/etc/passwd")).includes(name));
  },
);

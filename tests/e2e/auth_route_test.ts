/** Several servers on the way, other servers than sshd, and ~/.ssh/config. */
import assert from "node:assert/strict";
import { Child } from "../support/child.ts";
import { freePort } from "../support/ports.ts";
import { findProgram, testWith } from "../support/requirements.ts";
import { execute } from "../support/scratch.ts";
import { startSshd } from "../support/sshd.ts";
import { testUser } from "../support/test_user.ts";
import {
  assertFails,
  assertNothingLeft,
  assertServes,
  startSite,
  succeed,
  writeProfile,
} from "./setup.ts";

const START = ["profile", "start", "home"];

testWith(
  ["sshd", "test-user"],
  "three hops, each with its own user, port and key",
  async () => {
    await using site = await startSite({ sshd: { config: "LogLevel DEBUG1" } });
    await using first = await testUser();
    await using second = await testUser();
    const options = { config: "LogLevel DEBUG1" };
    await using outer = await startSshd(options);
    await using inner = await startSshd(options);
    const { sandbox, sshd } = site;
    for (const each of [outer, inner]) await sandbox.trust(each);
    const keys: Record<string, string> = {};
    for (
      const [file, server] of [["outer", outer], ["inner", inner]] as const
    ) {
      const { publicLine } = await sandbox.key({ file });
      await server.authorize(publicLine);
      keys[file] = publicLine;
    }
    const write = (jump = "outer,inner") =>
      Deno.writeTextFile(
        `${sandbox.home}/.ssh/config`,
        `Host router\n  HostName ${sshd.host}\n  Port ${sshd.port}\n` +
          `  User ${sshd.user}\n  ProxyJump ${jump}\n` +
          `Host outer\n  HostName ${outer.host}\n  Port ${outer.port}\n` +
          `  User ${first.name}\n  IdentityFile ~/.ssh/outer\n` +
          `Host inner\n  HostName ${inner.host}\n  Port ${inner.port}\n` +
          `  User ${second.name}\n  IdentityFile ~/.ssh/inner\n`,
      );
    await write();
    await writeProfile(sandbox, { ...site, server: "router" });
    await succeed(sandbox, START);
    await assertServes(site);
    await outer.waitForLog(new RegExp(`Accepted publickey for ${first.name} `));
    await inner.waitForLog(
      new RegExp(`Accepted publickey for ${second.name} `),
    );
    await outer.waitForLog(
      new RegExp(`target ${inner.host} port ${inner.port}`),
    );
    await inner.waitForLog(new RegExp(`target ${sshd.host} port ${sshd.port}`));
    await succeed(sandbox, ["profile", "stop", "home"]);

    // the hop that fails is named, whatever it is
    await Deno.writeTextFile(inner.authorizedKeys, "");
    assertFails(
      await sandbox.run(START),
      5,
      new RegExp(
        `^jump host 127.0.0.1:${inner.port}: login as ${second.name}@`,
      ),
    );
    const known = await Deno.readTextFile(sandbox.knownHosts);
    const others = known.split("\n").filter((line) =>
      !line.startsWith(`[${outer.host}]:${outer.port} `)
    );
    await Deno.writeTextFile(sandbox.knownHosts, others.join("\n"));
    assertFails(
      await sandbox.run(START),
      6,
      new RegExp(
        `^jump host 127.0.0.1:${outer.port}: the host key of .* unknown`,
      ),
    );
    await Deno.writeTextFile(sandbox.knownHosts, known);
    await inner.stop();
    assertFails(
      await sandbox.run(START),
      4,
      new RegExp(`^jump host 127.0.0.1:${inner.port}: `),
    );
    // a jump host that needs itself
    await write("router");
    assertFails(await sandbox.run(START), 2, /lead in a circle/);
    await assertNothingLeft(sandbox, site.port);
  },
);

testWith(
  ["sshd"],
  "mistakes in ~/.ssh/config are told with their places",
  async () => {
    await using site = await startSite();
    const { sandbox } = site;
    const config = `${sandbox.home}/.ssh/config`;
    await Deno.writeTextFile(config, "Host *\nPort twenty\nHost\nUser\n");
    const result = await sandbox.run(START);
    assert.equal(result.code, 2, result.stderr);
    for (const line of [2, 3, 4]) {
      assert(
        result.stderr.includes(`\n${config}:${line}: `) ||
          result.stderr.startsWith(`${config}:${line}: `),
        result.stderr,
      );
    }
    assert.match(result.stderr, /^error: ssh would refuse 3 lines/m);
    await writeProfile(sandbox, { ...site, more: "ssh_config: false" });
    await succeed(sandbox, START);
  },
);

testWith(["sshd"], "a program that ssh would start is not", async () => {
  await using site = await startSite();
  const { sandbox, sshd } = site;
  const config = `${sandbox.home}/.ssh/config`;
  const touched = `${sandbox.home}/touched`;
  await Deno.writeTextFile(
    config,
    `Match exec "touch ${touched}"\n  User nobody\n` +
      `Host 127.0.0.1\n  ProxyCommand touch ${touched}; nc %h %p\n`,
  );
  const result = await sandbox.run(START);
  assert.equal(result.code, 2, result.stderr);
  assert.match(
    result.stderr,
    /^error: \S+config:4 says to reach 127\.0\.0\.1 by a ProxyCommand/m,
  );
  assert.match(result.stderr, /^try: use ProxyJump/m);
  // the way there is known: by the profile, or straight
  await using jump = await startSshd();
  await sandbox.trust(jump);
  await jump.authorize(
    await Deno.readTextFile(`${sandbox.home}/.ssh/id_ed25519.pub`),
  );
  await Deno.writeTextFile(
    config,
    `Host jump\n  HostName ${jump.host}\n  Port ${jump.port}\n` +
      `Host 127.0.0.1\n  ProxyCommand touch ${touched}\n`,
  );
  await writeProfile(sandbox, { ...site, more: `jump: ${jump.user}@jump` });
  await succeed(sandbox, START);
  await assertServes(site);
  await succeed(sandbox, ["profile", "stop", "home"]);
  await writeProfile(sandbox, site);
  await Deno.writeTextFile(
    config,
    `Match exec "touch ${touched}"\n  User nobody\n` +
      "Host 127.0.0.1\n  ProxyCommand none\n",
  );
  const straight = await sandbox.run(START);
  assert.equal(straight.code, 0, straight.stderr);
  assert.match(
    straight.stderr,
    /^warning: \S+config:1: Match exec is left out/m,
  );
  assert(sshd.connections().length > 0);
  await assert.rejects(Deno.stat(touched), Deno.errors.NotFound);
});

testWith(["sshd"], "a profile may name another ssh_config", async () => {
  await using site = await startSite();
  const { sandbox, sshd } = site;
  await Deno.writeTextFile(`${sandbox.home}/.ssh/config`, "Port nonsense\n");
  await Deno.writeTextFile(
    `${sandbox.home}/other`,
    `Host router\n  HostName ${sshd.host}\n  Port ${sshd.port}\n` +
      `  User ${sshd.user}\n`,
  );
  const more = "ssh_config: ~/other";
  await writeProfile(sandbox, { ...site, server: "router", more });
  await succeed(sandbox, START);
  await assertServes(site);
});

testWith(["sshd"], "ssh_config chooses algorithms and methods", async () => {
  await using site = await startSite({
    sshd: { config: "LogLevel DEBUG1", hostKeyTypes: ["ed25519", "ecdsa"] },
  });
  const { sandbox, sshd } = site;
  const config = `${sandbox.home}/.ssh/config`;
  await Deno.writeTextFile(
    config,
    "Ciphers aes256-gcm@openssh.com\nKexAlgorithms ^ecdh-sha2-nistp384\n" +
      "HostKeyAlgorithms ecdsa-sha2-nistp256\nBindAddress 127.0.0.7\n",
  );
  await succeed(sandbox, START);
  await assertServes(site);
  for (
    const pattern of [
      /kex: algorithm: ecdh-sha2-nistp384 /,
      /kex: host key algorithm: ecdsa-sha2-nistp256 /,
      /cipher: aes256-gcm@openssh\.com /,
      /Connection from 127\.0\.0\.7 /,
    ]
  ) await sshd.waitForLog(pattern);
  await succeed(sandbox, ["profile", "stop", "home"]);
  await Deno.writeTextFile(config, "Ciphers rot13\n");
  assertFails(await sandbox.run(START), 2, /^Ciphers rot13 leaves nothing/);
  await Deno.writeTextFile(config, "PreferredAuthentications password\n");
  assertFails(await sandbox.run(START), 5, /there was nothing to try/);
});

testWith(
  ["dropbear", "dbclient", "test-user"],
  "dropbear, by key and by password",
  async () => {
    await using site = await startSite();
    await using user = await testUser();
    const { sandbox } = site;
    const hostKey = `${sandbox.home}/dropbear_key`;
    await execute("dropbearkey", ["-t", "ed25519", "-f", hostKey]);
    const shown = await execute("dropbearkey", ["-y", "-f", hostKey]);
    const [publicLine] = /^ssh-ed25519 \S+/m.exec(shown)!;
    const port = freePort();
    await using dropbear = new Child(findProgram("dropbear")!, [
      ...["-F", "-E", "-p", `127.0.0.1:${port}`, "-r", hostKey],
      ...["-P", `${sandbox.home}/dropbear.pid`],
    ]);
    await dropbear.waitFor(/Not backgrounding/);
    await Deno.writeTextFile(
      sandbox.knownHosts,
      `[127.0.0.1]:${port} ${publicLine}\n`,
    );
    await writeProfile(sandbox, {
      ...site,
      server: `${user.name}@127.0.0.1:${port}`,
    });
    const withPassword = { stdin: `${user.password}\n` };
    await succeed(sandbox, [...START, "--password-stdin"], withPassword);
    await assertServes(site);
    await succeed(sandbox, ["profile", "stop", "home"]);
    const wrong = await sandbox.run([...START, "--password-stdin"], {
      stdin: "wrong\n",
    });
    assertFails(wrong, 5, /login as \S+ was refused/);

    const install = ["key", "install", "home", "--password-stdin"];
    const installed = await succeed(sandbox, install, withPassword);
    assert.match(installed, /it works/);
    await succeed(sandbox, START);
    await assertServes(site);
    await succeed(sandbox, ["profile", "stop", "home"]);

    // dropbear hangs up after too many wrong keys, without a word
    const names = Array.from({ length: 12 }, (_, i) => `k${i}`);
    for (const file of names) await sandbox.key({ file });
    const identity = names.map((file) => `~/.ssh/${file}`).join(", ");
    await writeProfile(sandbox, {
      ...site,
      server: `${user.name}@127.0.0.1:${port}`,
      more: `identity: [${identity}]\nagent: false`,
    });
    assertFails(await sandbox.run(START), 5, /too many attempts|was refused/);
  },
);

/** Logging in through the program with key files of every format. */
import assert from "node:assert/strict";
import { PASSPHRASE, writeKeySamples } from "../ssh/key_samples.ts";
import { Sandbox } from "../support/program.ts";
import { testWith } from "../support/requirements.ts";
import { execute } from "../support/scratch.ts";
import { startSshd } from "../support/sshd.ts";
import {
  assertFails,
  assertServes,
  ended,
  show,
  startSite,
  succeed,
} from "./setup.ts";

/** Programs that run at the same time. */
const LANES = 3;

testWith(
  ["sshd", "puttygen", "openssl"],
  "sshd lets in a key of every format that ssh-keygen, puttygen and openssl write",
  async () => {
    await using sandbox = await Sandbox.create();
    await using sshd = await startSshd();
    await sandbox.trust(sshd);
    const samples = writeKeySamples(`${sandbox.home}/.ssh`);
    assert(samples.length >= 100, `${samples.length}`);
    const server = `${sshd.user}@${sshd.host}:${sshd.port}`;
    await sandbox.writeProfiles(
      ["version: 1", "profiles:"].concat(
        samples.map(({ path }, index) =>
          `  key${index}: { server: "${server}", identity: "${path}", ` +
          'forwards: [{ remote: "0" }] }'
        ),
      ).join("\n"),
    );
    const start = (index: number, ...options: string[]) => [
      ...["profile", "start", `key${index}`, "--foreground", ...options],
    ];
    // no other key can let it in, nor any before the server knows it
    assertFails(
      await sandbox.run(start(samples.findIndex((each) => !each.encrypted))),
      5,
      /^login as \S+ was refused: tried key \S/,
    );
    for (const line of new Set(samples.map(({ publicLine }) => publicLine))) {
      await sshd.authorize(line);
    }
    assertFails(
      await sandbox.run(start(samples.findIndex((each) => each.encrypted))),
      5,
      /needs you/,
    );

    const failed: string[] = [];
    const rest = samples.entries();
    const lane = async () => {
      for (const [index, { name, encrypted }] of rest) {
        const args = start(index, ...encrypted ? ["--password-stdin"] : []);
        const child = sandbox.spawn(args);
        if (encrypted) await child.write(`${PASSPHRASE}\n`).catch(() => {});
        await child.closeInput();
        const up = await child.waitFor(/ is up, /).then(() => true, () => {});
        child.signal("SIGTERM");
        const code = await ended(child);
        if (up && code === 0) continue;
        const [stdout, stderr] = [child.stdout.text, child.stderr.text];
        failed.push(`${name}: ${show(args, { code, stdout, stderr })}`);
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    assert.deepEqual(failed, []);
  },
);

testWith(["sshd"], "sshd trusts an authority, and no key", async () => {
  await using sandbox = await Sandbox.create();
  const authority = await sandbox.key({ file: "authority" });
  await using site = await startSite({
    sshd: { config: `TrustedUserCAKeys ${authority.path}.pub` },
  });
  const { sshd, sandbox: { home } } = site;
  await Deno.writeTextFile(sshd.authorizedKeys, "");
  const start = ["profile", "start", "home"];
  assertFails(await site.sandbox.run(start), 5, /tried key \S+id_ed25519;/);
  await execute("ssh-keygen", [
    ...["-q", "-s", authority.path, "-I", "test", "-n", sshd.user],
    `${home}/.ssh/id_ed25519.pub`,
  ]);
  await succeed(site.sandbox, start);
  await assertServes(site);
  await succeed(site.sandbox, ["profile", "stop", "home"]);

  await Deno.rename(`${home}/.ssh/id_ed25519-cert.pub`, `${home}/elsewhere`);
  const config = "CertificateFile ~/elsewhere\n";
  await Deno.writeTextFile(`${home}/.ssh/config`, config);
  await succeed(site.sandbox, start);
  await assertServes(site);
});

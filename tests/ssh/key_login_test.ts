import assert from "node:assert/strict";
import { join } from "node:path";
import { readPrivateKey } from "../../src/ssh/private_key.ts";
import { Client, type ParsedKey } from "../../src/ssh/ssh2.ts";
import { testWith } from "../support/requirements.ts";
import { makeScratchDir, removeDir } from "../support/scratch.ts";
import { type Sshd, startSshd } from "../support/sshd.ts";
import { PASSPHRASE, run, writeKeySamples } from "./key_samples.ts";

function login({ host, port, user }: Sshd, key: ParsedKey): Promise<void> {
  const client = new Client();
  const attempts = [{ type: "publickey" as const, username: user, key }];
  return new Promise((resolve, reject) => {
    client
      .on("connect", () => client.setNoDelay(true))
      .on("ready", () => client.end())
      .on("close", () => resolve())
      .on("error", reject)
      // ssh2 takes parsed keys here, whatever its types say.
      .connect({ host, port, username: user, authHandler: attempts as never });
  });
}

testWith(
  ["sshd", "puttygen"],
  "an OpenSSH server accepts private keys in every format",
  async (t) => {
    const folder = await makeScratchDir();
    try {
      await using sshd = await startSshd();
      const samples = writeKeySamples(folder);
      const authorized = new Set(samples.map((sample) => sample.publicLine));
      for (const line of authorized) await sshd.authorize(line);
      for (const { name, path } of samples) {
        await t.step(name, async () => {
          const file = await readPrivateKey(path, { checkPermissions: false });
          await login(sshd, await file.decrypt(PASSPHRASE));
        });
      }
      await t.step("but not another key", async () => {
        const path = join(folder, "stranger");
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path);
        const file = await readPrivateKey(path, { checkPermissions: true });
        await assert.rejects(login(sshd, await file.decrypt()));
      });
    } finally {
      await removeDir(folder);
    }
  },
);

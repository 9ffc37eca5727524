import assert from "node:assert/strict";
import { join } from "node:path";
import { makeScratchDir, removeDir } from "../support/scratch.ts";
import { startSshd } from "../support/sshd.ts";
import { PASSPHRASE, run, writeKeySamples } from "./key_samples.ts";
import { answering, logInAndOut, testLogin } from "./login.ts";

testLogin(
  ["sshd", "puttygen"],
  "an OpenSSH server accepts private keys in every format",
  async (t) => {
    const folder = await makeScratchDir();
    try {
      await using sshd = await startSshd();
      const samples = writeKeySamples(folder);
      const authorized = new Set(samples.map((sample) => sample.publicLine));
      for (const line of authorized) await sshd.authorize(line);
      const attempt = (path: string, ...answers: string[]) => {
        const { ask, asked } = answering(...answers);
        const login = logInAndOut({
          ...{ host: sshd.host, port: sshd.port, user: sshd.user, ask },
          authentication: {
            ...{ named: [path], checkPermissions: false },
            methods: ["publickey"],
          },
        });
        return login.then(() => asked.map(({ kind }) => kind));
      };
      assert(samples.length > 60);
      for (const { name, path, encrypted } of samples) {
        await t.step(name, async () => {
          const asked = await attempt(path, PASSPHRASE);
          assert.deepEqual(asked, encrypted ? ["passphrase"] : []);
        });
      }
      await t.step("but not another key", async () => {
        const path = join(folder, "stranger");
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path);
        await assert.rejects(attempt(path), /was refused: tried key/);
      });
    } finally {
      await removeDir(folder);
    }
  },
);

/** Logging in with certificates that ssh-keygen has signed. */
import assert from "node:assert/strict";
import { parseCertificate } from "../../src/ssh/certificate.ts";
import { KeyFailure } from "../../src/ssh/key_failure.ts";
import { Child } from "../support/child.ts";
import { execute, makeScratchDir, removeDir } from "../support/scratch.ts";
import { startSshd } from "../support/sshd.ts";
import { KEY_TYPES, PASSPHRASE, run } from "./key_samples.ts";
import {
  answering,
  logInAndOut,
  type LoginOptions,
  recorder,
  testLogin,
} from "./login.ts";

/** An authority, a server that trusts it and no key, and keys. */
async function startTrust() {
  await using stack = new AsyncDisposableStack();
  const folder = await makeScratchDir();
  stack.defer(() => removeDir(folder));
  const newKey = (name: string, ...options: string[]) => {
    const path = `${folder}/${name}`;
    run("ssh-keygen", "-q", "-N", "", "-f", path, ...options);
    return path;
  };
  const authority = newKey("authority", "-t", "ed25519");
  const sshd = stack.use(
    await startSshd({
      config: `TrustedUserCAKeys ${authority}.pub\nLogLevel DEBUG1`,
    }),
  );
  const kept = stack.move();
  return {
    folder,
    sshd,
    newKey,
    /** Writes `KEY-cert.pub` for this user. @returns its path */
    certify(key: string, ...options: string[]): string {
      // deno-fmt-ignore
      run("ssh-keygen", "-q", "-s", authority, "-I", "test", "-n", sshd.user,
        ...options, `${key}.pub`);
      return `${key}-cert.pub`;
    },
    logIn: (
      authentication: LoginOptions["authentication"],
      options: Partial<LoginOptions> = {},
    ) =>
      logInAndOut({
        ...{ host: sshd.host, port: sshd.port, user: sshd.user },
        authentication: { methods: ["publickey"], ...authentication },
        ...options,
      }),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

testLogin(["sshd"], "a certificate beside a key of each type", async (t) => {
  await using trust = await startTrust();
  const { newKey, certify, logIn } = trust;
  for (const [type, options] of Object.entries(KEY_TYPES)) {
    await t.step(type, async () => {
      const key = newKey(type, ...options);
      await assert.rejects(logIn({ named: [key] }), /refused: tried key \S+;/);
      certify(key);
      await logIn({ named: [key] });
      // where keys usually are
      await logIn({ defaults: [key] });
    });
  }
});

testLogin(["sshd"], "a passphrase is asked for once, and late", async () => {
  await using trust = await startTrust();
  const { newKey, certify, logIn } = trust;
  const key = newKey("key", "-t", "ed25519");
  run("ssh-keygen", "-qp", "-P", "", "-N", PASSPHRASE, "-f", key);
  const { ask, asked } = answering(PASSPHRASE);
  await assert.rejects(logIn({ named: [key] }, { ask }));
  assert.equal(asked.length, 0);
  certify(key);
  await logIn({ named: [key] }, { ask });
  assert.deepEqual(asked.map(({ kind }) => kind), ["passphrase"]);
});

testLogin(
  ["sshd", "ssh-agent", "ssh-add"],
  "the agent holds certificates, or the keys to them",
  async (t) => {
    await using trust = await startTrust();
    const { folder, newKey, certify, logIn } = trust;
    for (const type of ["rsa", "nistp256", "ed25519"] as const) {
      await t.step(type, async () => {
        const agent = `${folder}/agent-${type}`;
        await using child = new Child("ssh-agent", ["-D", "-a", agent]);
        await child.waitFor(/SSH_AUTH_SOCK/);
        const add = (...args: string[]) =>
          execute("env", [`SSH_AUTH_SOCK=${agent}`, "ssh-add", "-q", ...args]);
        const key = newKey(`agent ${type}`, ...KEY_TYPES[type]);
        await add(key);
        const certificate = certify(key);
        const elsewhere = `${folder}/elsewhere-${type}`;
        await Deno.rename(certificate, elsewhere);
        await Deno.rename(key, `${key}.hidden`);
        // named by ssh_config, and the private half is the agent's
        await assert.rejects(logIn({ agent }), /was refused/);
        await logIn({ agent, certificates: [elsewhere] });
        await logIn({
          ...{ agent, onlyNamed: true, named: [`${key}.pub`] },
          certificates: [elsewhere],
        });
        // what the agent holds itself
        await Deno.rename(elsewhere, certificate);
        await Deno.rename(`${key}.hidden`, key);
        await add("-D");
        await add(key);
        await Deno.remove(key);
        await Deno.remove(certificate);
        await logIn({ agent });
        await logIn({ agent, onlyNamed: true, named: [`${key}.pub`] });
      });
    }
  },
);

testLogin(["sshd"], "a certificate that is no good is told", async () => {
  await using trust = await startTrust();
  const { newKey, certify, logIn } = trust;
  const key = newKey("key", "-t", "ed25519");
  const refusal = async () => {
    const { lines, log } = recorder();
    await assert.rejects(logIn({ named: [key] }, { log }), /was refused/);
    return lines.join("\n");
  };
  const certificate = certify(key, "-V", "20200101:20210101");
  assert.match(await refusal(), /key-cert\.pub has expired on 20(20|21)-/);
  certify(key, "-V", "20900101:20910101");
  assert.match(await refusal(), /key-cert\.pub is not valid before 20(89|90)-/);
  certify(key, "-h");
  assert.match(await refusal(), /key-cert\.pub is for a host, not for a user/);
  for (const text of ["nonsense\n", `a ${btoa("\0\0\0\x09")}`, ""]) {
    await Deno.writeTextFile(certificate, text);
    assert.match(await refusal(), /key-cert\.pub cannot be used: it /);
  }
  // another key's
  await Deno.copyFile(certify(newKey("x", "-t", "ed25519")), certificate);
  assert.match(await refusal(), /offering key \S+key$/m);
  certify(key);
  await logIn({ named: [key] });
});

testLogin(["ssh-keygen"], "altered certificates never surprise", async () => {
  await using trust = await startTrust();
  const path = trust.certify(trust.newKey("key", "-t", "ecdsa"));
  const [, base64] = (await Deno.readTextFile(path)).split(" ");
  const blob = Uint8Array.fromBase64(base64!);
  assert.equal(parseCertificate(blob)?.doubt, undefined);
  for (let i = 0; i < 200; i++) {
    const altered = blob.slice(0, i % 3 ? blob.length : i);
    altered[Math.floor(Math.random() * altered.length)]! ^= 1 << (i % 8);
    try {
      parseCertificate(altered);
    } catch (error) {
      assert(
        error instanceof KeyFailure || /key|parse/i.test(`${error}`),
        `${error}`,
      );
    }
  }
});

/** Logins to OpenSSH's sshd with all that its sshd_config(5) can ask for. */
import assert from "node:assert/strict";
import { I2ptunError } from "../../src/errors.ts";
import { Secrets } from "../../src/ssh/secrets.ts";
import { makeScratchDir, removeDir } from "../support/scratch.ts";
import { type Sshd, startSshd } from "../support/sshd.ts";
import { testUser } from "../support/test_user.ts";
import { run } from "./key_samples.ts";
import {
  answering,
  login,
  logInAndOut,
  type LoginOptions,
  recorder,
  testLogin,
} from "./login.ts";

/** A new key without passphrase; the path of its private half. */
async function newKey(folder: string, name = "key"): Promise<string> {
  const path = `${folder}/${name}`;
  run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", path);
  await Deno.stat(path);
  return path;
}

async function withFolder(body: (folder: string) => Promise<void>) {
  const folder = await makeScratchDir();
  try {
    await body(folder);
  } finally {
    await removeDir(folder);
  }
}

async function authorize(sshd: Sshd, key: string): Promise<void> {
  await sshd.authorize(await Deno.readTextFile(`${key}.pub`));
}

async function assertRefused(
  options: LoginOptions,
  message: RegExp,
): Promise<I2ptunError> {
  let refusal: unknown;
  await assert.rejects(logInAndOut(options), (error) => {
    refusal = error;
    return true;
  });
  assert(refusal instanceof I2ptunError, String(refusal));
  assert.equal(refusal.kind, "login-refused", refusal.message);
  assert.match(refusal.message, message);
  return refusal;
}

const SECOND_FACTORS: [methods: string, kinds: string[]][] = [
  ["publickey,password", ["password"]],
  ["publickey,keyboard-interactive", ["interactive"]],
  ["password,publickey", ["password"]],
  ["password,keyboard-interactive", ["password", "interactive"]],
  ["keyboard-interactive,publickey,password", ["interactive", "password"]],
  ["publickey,password publickey,keyboard-interactive", ["interactive"]],
];

for (const [methods, kinds] of SECOND_FACTORS) {
  testLogin(
    ["sshd", "test-user"],
    `AuthenticationMethods ${methods}`,
    () =>
      withFolder(async (folder) => {
        await using user = await testUser();
        await using sshd = await startSshd({
          config: `AuthenticationMethods ${methods}\nUsePAM yes\n` +
            "KbdInteractiveAuthentication yes\nLogLevel DEBUG1\nMaxAuthTries 2",
        });
        const key = await newKey(folder);
        await authorize(sshd, key);
        const { ask, asked } = answering(user.password, user.password);
        const secrets = new Secrets();
        const options = {
          ...{ host: sshd.host, port: sshd.port, user: user.name },
          authentication: { named: [key], secrets },
        };
        await logInAndOut({ ...options, ask });
        // the same secret by another method need not be typed again
        assert.deepEqual(asked.map((each) => each.kind), kinds.slice(0, 1));
        // a reconnect, with nobody there
        await logInAndOut(options);
      }),
  );
}

testLogin(
  ["sshd"],
  "two keys are wanted, and both are found",
  () =>
    withFolder(async (folder) => {
      await using sshd = await startSshd({
        config: "AuthenticationMethods publickey,publickey",
      });
      const keys = [await newKey(folder, "a"), await newKey(folder, "b")];
      for (const key of keys) await authorize(sshd, key);
      const options = { host: sshd.host, port: sshd.port, user: sshd.user };
      await logInAndOut({ ...options, authentication: { named: keys } });
      await assertRefused(
        { ...options, authentication: { named: [keys[0]!] } },
        /was refused: tried key \S+\/a; the server accepts publickey$/,
      );
    }),
);

testLogin(
  ["sshd", "test-user"],
  "keyboard-interactive through PAM",
  () =>
    withFolder(async () => {
      await using user = await testUser();
      await using sshd = await startSshd({
        config: "UsePAM yes\nKbdInteractiveAuthentication yes\n" +
          "PasswordAuthentication no",
      });
      const secrets = new Secrets();
      const options = {
        ...{ host: sshd.host, port: sshd.port, user: user.name },
        authentication: { secrets },
      };
      // sshd ends the connection over a missing answer, so none must be sent
      await assertRefused(
        options,
        /tried keyboard-interactive; .*; the answer to "Password:" needs you$/,
      );
      const { ask, asked } = answering("wrong", user.password);
      await logInAndOut({ ...options, ask });
      assert.equal(asked.length, 2);
      assert.deepEqual(
        asked.map((each) => each.kind === "interactive" && each.echo),
        [false, false],
      );
      await logInAndOut(options);
    }),
);

testLogin(
  ["sshd"],
  "MaxAuthTries ends in a refusal that names the keys",
  () =>
    withFolder(async (folder) => {
      await using sshd = await startSshd({ config: "MaxAuthTries 2" });
      const named = await Promise.all(
        ["a", "b", "c", "d"].map((name) => newKey(folder, name)),
      );
      const options = { host: sshd.host, port: sshd.port, user: sshd.user };
      const { remedy } = await assertRefused(
        { ...options, authentication: { named } },
        /Too many authentication failures.*tried key \S+\/a, key \S+\/b/,
      );
      assert.match(remedy!, /name the right key/);
    }),
);

testLogin(
  ["sshd"],
  "a passphrase is asked for only when the key is wanted",
  () =>
    withFolder(async (folder) => {
      await using sshd = await startSshd();
      const path = `${folder}/locked`;
      run("ssh-keygen", "-q", "-t", "ed25519", "-N", "open", "-f", path);
      const options = {
        ...{ host: sshd.host, port: sshd.port, user: sshd.user },
        authentication: { named: [path], methods: ["publickey" as const] },
      };
      const unwanted = answering("open");
      await assertRefused({ ...options, ask: unwanted.ask }, /was refused/);
      assert.equal(unwanted.asked.length, 0);

      await authorize(sshd, path);
      const typo = answering("opne", "open");
      await logInAndOut({ ...options, ask: typo.ask });
      assert.deepEqual(
        typo.asked.map((each) => each.kind === "passphrase" && each.attempt),
        [1, 2],
      );
      const wrong = answering("1", "2", "3", "open");
      const { details } = await assertRefused(
        { ...options, ask: wrong.ask },
        /was refused/,
      );
      assert.equal(wrong.asked.length, 3);
      assert.match(details.join(), /the passphrase for \S+locked was wrong/);
    }),
);

testLogin(
  ["sshd"],
  "what is wrong with a key is told",
  () =>
    withFolder(async (folder) => {
      await using sshd = await startSshd();
      const key = await newKey(folder);
      await authorize(sshd, key);
      const attempt = (...named: string[]) => ({
        ...{ host: sshd.host, port: sshd.port, user: sshd.user },
        authentication: { named, methods: ["publickey" as const] },
      });
      await Deno.chmod(key, 0o644);
      const open = await assertRefused(attempt(key), /nothing to try/);
      assert.match(open.details.join(), /open to other users .*\(chmod 600/);
      await Deno.chmod(key, 0o600);
      await logInAndOut(attempt(key));

      const gone = await assertRefused(attempt(`${folder}/no`), /nothing/);
      assert.match(gone.details.join(), /there is no key file \S+\/no/);
      const half = await assertRefused(attempt(`${key}.pub`), /nothing/);
      assert.match(
        half.details.join(),
        /public half of a key that the SSH agent/,
      );

      // the .pub file of another key beside a locked one
      const locked = `${folder}/locked`;
      run(
        "ssh-keygen",
        "-q",
        "-t",
        "rsa",
        "-m",
        "PEM",
        "-N",
        "locked",
        "-f",
        locked,
      );
      await Deno.copyFile(`${key}.pub`, `${locked}.pub`);
      const stale = await assertRefused(
        { ...attempt(locked), ask: () => Promise.resolve("locked") },
        /was refused/,
      );
      assert.match(stale.details.join(), /locked.pub does not belong to/);
    }),
);

testLogin(
  ["sshd"],
  "strict key exchange is on, and RSA signs with SHA-2",
  () =>
    withFolder(async (folder) => {
      await using sshd = await startSshd({ config: "LogLevel DEBUG1" });
      const rsa = `${folder}/rsa`;
      run("ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", rsa);
      await authorize(sshd, rsa);
      const { log, lines } = recorder();
      await logInAndOut({
        ...{ host: sshd.host, port: sshd.port, user: sshd.user, log },
        authentication: { named: [rsa] },
      });
      assert.match(
        lines.join("\n"),
        /OpenSSH_\S+.*: curve25519-sha256 \(strict\)/,
      );
      await sshd.waitForLog(/resetting read seqnr/);
      assert.match(sshd.log(), /rsa-sha2-256|RSA SHA256/);
    }),
);

testLogin(
  ["sshd"],
  "what the server tells after a login is acknowledged, and no more",
  () =>
    withFolder(async (folder) => {
      await using sshd = await startSshd({ config: "LogLevel DEBUG3" });
      const key = await newKey(folder);
      await authorize(sshd, key);
      const connection = await login({
        host: sshd.host,
        port: sshd.port,
        user: sshd.user,
        authentication: { named: [key] },
      });
      // answered after the list of host keys, which comes with the login
      await connection.exec("true", "");
      connection.end();
      await sshd.waitForLog(/Disconnected from user|Closing connection/);
      const log = sshd.log();
      assert.doesNotMatch(log, /hostkeys-prove/);
      const loggedIn = log.indexOf("Accepted publickey");
      assert.match(log.slice(loggedIn), /receive packet: type 2\b/);
    }),
);

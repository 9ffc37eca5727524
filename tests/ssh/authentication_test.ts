/** The order of methods, second factors, and what is asked when. */
import assert from "node:assert/strict";
import { I2ptunError } from "../../src/errors.ts";
import {
  generateKeyPair,
  type KeyPair,
  writeKeyPair,
} from "../../src/ssh/key_pair.ts";
import { Secrets } from "../../src/ssh/secrets.ts";
import { makeScratchDir, removeDir } from "../support/scratch.ts";
import { run } from "./key_samples.ts";
import {
  answering,
  type Attempt,
  logInAndOut,
  type LoginOptions,
  startScriptedServer,
  testLogin,
} from "./login.ts";

const refused = (message: RegExp) => (error: unknown) => {
  assert(error instanceof I2ptunError);
  assert.equal(error.kind, "login-refused");
  assert.match(error.message, message);
  return true;
};

/** Takes the password, then asks for a code, in one method or two. */
function passwordThenCode(attempt: Attempt) {
  if (attempt.method === "password") {
    return attempt.password === "secret"
      ? attempt.reject(["keyboard-interactive"], true)
      : attempt.reject(["password"]);
  }
  if (attempt.method !== "keyboard-interactive") {
    return attempt.reject(["password"]);
  }
  attempt.prompt(
    [{ prompt: "Verification code: ", echo: true }],
    "Second factor",
    "From your telephone",
    ([code]: string[]) =>
      code === "123456" ? attempt.accept() : attempt.reject(["password"]),
  );
}

testLogin([], "a password, then a code", async () => {
  await using server = await startScriptedServer(passwordThenCode);
  const { ask, asked } = answering("secret", "123456");
  await logInAndOut({ ...server, ask });
  assert.deepEqual(asked, [
    { kind: "password", login: `me@127.0.0.1:${server.port}`, attempt: 1 },
    {
      kind: "interactive",
      login: `me@127.0.0.1:${server.port}`,
      name: "Second factor",
      instructions: "From your telephone",
      prompt: "Verification code: ",
      echo: true,
    },
  ]);
});

testLogin(
  [],
  "a reconnect reuses the password, and a code needs the person",
  async () => {
    await using server = await startScriptedServer(passwordThenCode);
    const secrets = new Secrets();
    const authentication = { secrets, attend: "i2ptun profile start home" };
    const { ask } = answering("secret", "123456");
    await logInAndOut({ ...server, ask, authentication });
    server.attempts.length = 0;

    // nobody to ask
    await assert.rejects(
      logInAndOut({ ...server, authentication }),
      refused(
        /the answer to "Verification code:" needs you: i2ptun profile start home$/,
      ),
    );
    assert.deepEqual(server.attempts, [
      ...["none", "password secret", "keyboard-interactive"],
    ]);
    // the password was right, so the next start need not ask for it
    assert.equal(secrets.password(`me@127.0.0.1:${server.port}`), "secret");
  },
);

testLogin(
  [],
  "several prompts at once; only the password is kept",
  async () => {
    const answers: string[][] = [];
    await using server = await startScriptedServer((attempt) => {
      if (attempt.method !== "keyboard-interactive") {
        return attempt.reject(["keyboard-interactive"]);
      }
      attempt.prompt([
        { prompt: "Password: ", echo: false },
        { prompt: "One-time password (OATH) for `me': ", echo: false },
      ], (given: string[]) => {
        answers.push(given);
        if (given[0] === "secret" && given[1] === "111") attempt.accept();
        else attempt.reject(["keyboard-interactive"]);
      });
    });
    const secrets = new Secrets();
    const first = answering("secret", "111");
    await logInAndOut({
      ...server,
      ask: first.ask,
      authentication: { secrets },
    });
    assert.deepEqual(
      first.asked.map((each) => each.kind === "interactive" && each.echo),
      [false, false],
    );
    const again = answering("111");
    await logInAndOut({
      ...server,
      ask: again.ask,
      authentication: { secrets },
    });
    assert.equal(again.asked.length, 1);
    assert.deepEqual(answers, [["secret", "111"], ["secret", "111"]]);
  },
);

testLogin([], "round after round of prompts, and none in one", async () => {
  await using server = await startScriptedServer((attempt) => {
    if (attempt.method !== "keyboard-interactive") {
      return attempt.reject(["keyboard-interactive"]);
    }
    attempt.prompt(
      [],
      () =>
        attempt.prompt(
          [{ prompt: "Passwort:", echo: false }],
          () =>
            attempt.prompt(
              [{ prompt: "New password:", echo: false }],
              ([given]: string[]) =>
                given === "better" ? attempt.accept() : attempt.reject(),
            ),
        ),
    );
  });
  const secrets = new Secrets();
  const { ask, asked } = answering("secret", "better");
  await logInAndOut({ ...server, ask, authentication: { secrets } });
  assert.equal(asked.length, 2);
});

testLogin(
  [],
  "what nobody answers is given up, and the next method tried",
  async () => {
    let answered = 0;
    await using server = await startScriptedServer((attempt) => {
      const methods = ["keyboard-interactive", "password"];
      if (attempt.method === "keyboard-interactive") {
        // ssh2 hands over an error if the attempt was given up
        return attempt.prompt("Token:", (given: unknown) => {
          if (Array.isArray(given)) answered++;
        });
      }
      if (attempt.password === "secret") attempt.accept();
      else attempt.reject(methods);
    });
    const secrets = new Secrets();
    secrets.keepPassword(`me@127.0.0.1:${server.port}`, "secret");
    await logInAndOut({ ...server, authentication: { secrets } });
    assert.deepEqual(server.attempts, [
      ...["none", "keyboard-interactive", "password secret"],
    ]);
    assert.equal(answered, 0, "no answer was made up");
  },
);

testLogin(
  [],
  "a wrong password is asked for again, three times at most",
  async () => {
    await using server = await startScriptedServer((attempt) => {
      if (attempt.password === "right") attempt.accept();
      else attempt.reject(["password"]);
    });
    const { ask, asked } = answering("a", "b", "right");
    await logInAndOut({ ...server, ask });
    assert.deepEqual(
      asked.map((each) => each.kind === "password" && each.attempt),
      [1, 2, 3],
    );
    const wrong = answering("a", "b", "c", "right");
    await assert.rejects(
      logInAndOut({ ...server, ask: wrong.ask }),
      refused(
        /^login as me@\S+ was refused: tried password; .* accepts password$/,
      ),
    );
    assert.equal(wrong.asked.length, 3);
  },
);

testLogin([], "a password that is no longer right is forgotten", async () => {
  await using server = await startScriptedServer((attempt) => {
    if (attempt.password === "new") attempt.accept();
    else attempt.reject(["password"]);
  });
  const secrets = new Secrets();
  const login = `me@127.0.0.1:${server.port}`;
  secrets.keepPassword(login, "old");
  await assert.rejects(
    logInAndOut({ ...server, authentication: { secrets } }),
    refused(/the password needs you/),
  );
  // one attempt, so that no account gets locked
  assert.deepEqual(server.attempts, ["none", "password old"]);
  assert.equal(secrets.password(login), undefined);
});

testLogin([], "an expired password is told", async () => {
  await using server = await startScriptedServer((attempt) => {
    if (attempt.method === "password") {
      attempt.requestChange("Your password has expired.", () => {});
    } else attempt.reject(["password"]);
  });
  const { ask } = answering("secret");
  await assert.rejects(
    logInAndOut({ ...server, ask }),
    refused(/the password of me@\S+ has expired/),
  );
});

testLogin(
  [],
  "a server that wants one method after another has an end",
  async () => {
    await using server = await startScriptedServer((attempt) =>
      attempt.reject(["password"], attempt.method === "password")
    );
    await assert.rejects(
      logInAndOut({ ...server, ask: () => Promise.resolve("again") }),
      refused(/was refused/),
    );
    assert(server.attempts.length < 15);
  },
);

testLogin([], "a server that takes nothing there is here", async () => {
  await using server = await startScriptedServer((attempt) =>
    attempt.reject(["gssapi-with-mic", "hostbased"])
  );
  await assert.rejects(
    logInAndOut(server),
    refused(/nothing to try; the server accepts gssapi-with-mic, hostbased$/),
  );
});

testLogin([], "who gives up while asked is not asked again", async () => {
  let questions = 0;
  await using server = await startScriptedServer((attempt) =>
    attempt.method === "keyboard-interactive"
      ? attempt.prompt("Password:", () => attempt.reject())
      : attempt.reject(["keyboard-interactive", "password"])
  );
  const gaveUp = new I2ptunError("interrupted", "interrupted");
  const ask = () => {
    questions++;
    return Promise.reject(gaveUp);
  };
  await assert.rejects(logInAndOut({ ...server, ask }), gaveUp);
  assert.equal(questions, 1);
});

/** Servers of before RFC 8308 do not say which signatures they take. */
// deno-lint-ignore no-explicit-any
function withoutExtensions(client: any): void {
  // deno-lint-ignore no-explicit-any
  let kex: any;
  Object.defineProperty(client._protocol, "_kex", {
    get: () => kex,
    set(value) {
      kex = value;
      if (kex) kex.remoteExtInfoEnabled = false;
    },
  });
}

testLogin(["ssh-keygen"], "an RSA key never signs with SHA-1", async () => {
  const folder = await makeScratchDir();
  try {
    const path = `${folder}/rsa`;
    run("ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", path);
    const hashes: string[] = [];
    await using server = await startScriptedServer((attempt) => {
      if (attempt.method !== "publickey") return attempt.reject(["publickey"]);
      hashes.push(attempt.hashAlgo);
      attempt.accept();
    }, { onClient: withoutExtensions });
    await logInAndOut({ ...server, authentication: { named: [path] } });
    assert.deepEqual(hashes, ["sha256"]);
  } finally {
    await removeDir(folder);
  }
});

/** A server that takes one key, and whether each attempt was signed. */
async function startKeyServer(publicKey: Uint8Array) {
  const attempts: string[] = [];
  const server = await startScriptedServer((attempt) => {
    if (attempt.method !== "publickey") return attempt.reject(["publickey"]);
    attempts.push(attempt.signature ? "signed" : "offered");
    if (attempt.key.data.equals(publicKey)) attempt.accept();
    else attempt.reject(["publickey"]);
  });
  return { ...server, server, attempts };
}

testLogin(
  [],
  "a key that is named signs without a question first",
  async () => {
    const folder = await makeScratchDir();
    const [wrong, right, locked] = await Promise.all([
      generateKeyPair("ed25519", "", ""),
      generateKeyPair("ed25519", "", ""),
      generateKeyPair("ed25519", "", "passphrase"),
    ]);
    await writeKeyPair(`${folder}/wrong`, wrong);
    await writeKeyPair(`${folder}/right`, right);
    await writeKeyPair(`${folder}/locked`, locked);
    const attemptsWith = async (
      key: KeyPair,
      authentication: Required<LoginOptions>["authentication"],
    ) => {
      const { server, attempts, ...at } = await startKeyServer(key.publicKey);
      await using _server = server;
      const { ask } = answering("passphrase");
      await logInAndOut({ ...at, ask, authentication });
      return attempts;
    };
    try {
      const both = [`${folder}/wrong`, `${folder}/right`];
      assert.deepEqual(
        await attemptsWith(right, { named: both }),
        ["signed", "signed"],
      );
      // nobody has said that they are for this server
      assert.deepEqual(
        await attemptsWith(right, { defaults: both }),
        ["offered", "offered", "signed"],
      );
      // nobody is asked for a passphrase in vain
      assert.deepEqual(
        await attemptsWith(right, { named: [`${folder}/locked`, ...both] }),
        ["offered", "signed", "signed"],
      );
      assert.deepEqual(
        await attemptsWith(locked, { named: [`${folder}/locked`] }),
        ["offered", "signed"],
      );
    } finally {
      await removeDir(folder);
    }
  },
);

testLogin(
  ["linux"],
  "a key is read, once, while the server thinks",
  async () => {
    const folder = await makeScratchDir();
    const path = `${folder}/key`;
    run("mkfifo", "-m", "600", path);
    const { publicKey, privateText } = await generateKeyPair("ed25519", "", "");
    await Deno.writeTextFile(`${folder}/text`, privateText);
    // a process of its own: to open a pipe waits for the other end
    const writer = new Deno.Command("sh", {
      args: ["-c", 'cat "$0" > "$1"', `${folder}/text`, path],
    }).spawn();
    await using server = await startScriptedServer(async (attempt) => {
      if (attempt.method === "none") {
        // ends when somebody has read
        await writer.status;
        return attempt.reject(["publickey"]);
      }
      assert(attempt.key.data.equals(publicKey));
      attempt.accept();
    });
    try {
      await logInAndOut({ ...server, authentication: { named: [path] } });
    } finally {
      try {
        writer.kill();
      } catch {
        // it has ended
      }
      await removeDir(folder);
    }
  },
);

/** Keys from an SSH agent: a real one, and what only looks like one. */
import assert from "node:assert/strict";
import { I2ptunError } from "../../src/errors.ts";
import { findAgent } from "../../src/ssh/agent_path.ts";
import { agentIdentities } from "../../src/ssh/agent.ts";
import { Child } from "../support/child.ts";
import { execute, makeScratchDir, removeDir } from "../support/scratch.ts";
import { startSshd } from "../support/sshd.ts";
import { run } from "./key_samples.ts";
import {
  logInAndOut,
  recorder,
  startScriptedServer,
  testLogin,
} from "./login.ts";

async function withFolder(body: (folder: string) => Promise<void>) {
  const folder = await makeScratchDir();
  try {
    await body(folder);
  } finally {
    await removeDir(folder);
  }
}

/** An agent with new keys of these names, and the paths of their files. */
async function startAgent(
  folder: string,
  names: string[],
  type = "ed25519",
  env: Record<string, string> = {},
) {
  const socket = `${folder}/agent`;
  const child = new Child("ssh-agent", ["-D", "-a", socket], { env });
  await child.waitFor(/SSH_AUTH_SOCK/);
  const paths: string[] = [];
  for (const name of names) {
    const path = `${folder}/${name}`;
    run("ssh-keygen", "-q", "-t", type, "-C", name, "-N", "", "-f", path);
    await execute("env", [`SSH_AUTH_SOCK=${socket}`, "ssh-add", "-q", path]);
    paths.push(path);
  }
  return {
    socket,
    paths,
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

testLogin(
  ["sshd", "ssh-agent", "ssh-add"],
  "more keys in the agent than the server takes attempts",
  () =>
    withFolder(async (folder) => {
      const names = ["a", "b", "c", "d", "e", "right"];
      await using agent = await startAgent(folder, names);
      const right = agent.paths.at(-1)!;
      await using sshd = await startSshd({ config: "MaxAuthTries 3" });
      await sshd.authorize(await Deno.readTextFile(`${right}.pub`));
      // the private halves are with the agent only
      for (const path of agent.paths) await Deno.remove(path);
      const attempt = (
        named: string[],
        onlyNamed = false,
        defaults: string[] = [],
      ) =>
        logInAndOut({
          ...{ host: sshd.host, port: sshd.port, user: sshd.user },
          authentication: { agent: agent.socket, named, onlyNamed, defaults },
        });
      await assert.rejects(
        attempt([]),
        /Too many authentication failures.*tried key a \(agent\), key b/,
      );
      await attempt([right]);
      await attempt([`${right}.pub`], true);
      // as ssh does: those with a file in the usual place go first
      await attempt([], false, [right]);
      await attempt([], true, [right]);
      await assert.rejects(
        attempt([agent.paths[0]!], true),
        /was refused: tried key a \(agent\); the server accepts/,
      );
    }),
);

testLogin(
  ["sshd", "ssh-agent", "ssh-add"],
  "RSA and ECDSA keys and certificates in an agent",
  () =>
    withFolder(async (folder) => {
      for (const type of ["rsa", "ecdsa"]) {
        await using agent = await startAgent(folder, [type], type);
        const [path] = agent.paths as [string];
        // an agent gives out a certificate as another key
        const ca = `${folder}/ca-${type}`;
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", ca);
        run("ssh-keygen", "-q", "-s", ca, "-I", "me", `${path}.pub`);
        const env = [`SSH_AUTH_SOCK=${agent.socket}`];
        await execute("env", [...env, "ssh-add", "-q", path]);
        const held = await execute("env", [...env, "ssh-add", "-l"]);
        assert.match(held, /-CERT/);
        await using sshd = await startSshd();
        await sshd.authorize(await Deno.readTextFile(`${path}.pub`));
        await logInAndOut({
          ...{ host: sshd.host, port: sshd.port, user: sshd.user },
          authentication: { agent: agent.socket },
        });
        await Deno.remove(agent.socket).catch(() => {});
      }
    }),
);

testLogin(
  [],
  "an agent that is gone, silent or none is passed over",
  () =>
    withFolder(async (folder) => {
      await using server = await startScriptedServer((attempt) =>
        attempt.method === "password"
          ? attempt.accept()
          : attempt.reject(["publickey", "password"])
      );
      const answers: (Uint8Array | undefined)[] = [
        undefined,
        new Uint8Array(), // closes at once
        new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n"),
        Uint8Array.of(0, 0, 0, 1, 5), // SSH_AGENT_FAILURE
        Uint8Array.of(0, 0, 0, 5, 12, 255, 255, 255, 255), // so many keys
        Uint8Array.of(0, 0, 0, 9, 12, 0, 0, 0, 1, 0, 0, 0, 99), // cut off
      ];
      for (const [i, answer] of [...answers, "silence" as const].entries()) {
        const path = `${folder}/${i}`;
        const listener = answer === undefined
          ? undefined
          : Deno.listen({ transport: "unix", path });
        const served = listener?.accept().then(async (connection) => {
          if (answer === "silence") return connection;
          await connection.read(new Uint8Array(100));
          if (answer!.length > 0) await connection.write(answer!);
          return connection;
        });
        if (answer && answer.length === 0) {
          served!.then((connection) => connection.close());
        }
        const { log, lines } = recorder();
        await logInAndOut({
          ...server,
          log,
          ask: () => Promise.resolve("secret"),
          authentication: { agent: path, agentPatienceMs: 200 },
        });
        assert.match(
          lines.join("\n"),
          new RegExp(`the SSH agent at ${path} cannot be used: `),
        );
        if (answer?.length !== 0) (await served)?.close();
        listener?.close();
      }
    }),
);

testLogin(
  ["ssh-agent", "ssh-add"],
  "an agent lists its keys",
  () =>
    withFolder(async (folder) => {
      await using agent = await startAgent(folder, ["x", "y"]);
      const { signal } = new AbortController();
      const held = await agentIdentities(agent.socket, signal);
      assert.deepEqual(held.map(({ comment }) => comment), ["x", "y"]);
      assert.deepEqual(held.map(({ key }) => key.type), [
        "ssh-ed25519",
        "ssh-ed25519",
      ]);
    }),
);

Deno.test("Pageant is found by its pipe", async () => {
  const service = "\\\\.\\pipe\\openssh-ssh-agent";
  const pipes = ["lsass", "pageant.Other.12", "Pageant.Anna.4f3e", "x"];
  const list = () => Promise.resolve(pipes);
  const find = (usual?: string, all = list) =>
    findAgent("windows", "anna", usual, all);
  assert.equal(await find(service), "\\\\.\\pipe\\Pageant.Anna.4f3e");
  assert.equal(await find(service, () => Promise.resolve([])), service);
  assert.equal(await find(service, () => Promise.reject("denied")), service);
  assert.equal(await find("\\\\.\\pipe\\mine"), "\\\\.\\pipe\\mine");
  assert.equal(await findAgent("linux", "anna", "/s", list), "/s");
  assert.equal(await findAgent("linux", "anna", undefined, list), undefined);
});

testLogin([], "a refusal says so when an agent could not be used", async () => {
  await using server = await startScriptedServer((attempt) =>
    attempt.reject(["publickey"])
  );
  await assert.rejects(
    logInAndOut({ ...server, authentication: { agent: "/nonexistent" } }),
    (error) => {
      assert(error instanceof I2ptunError);
      assert.match(error.details.join(), /agent at \/nonexistent cannot be/);
      return true;
    },
  );
});

testLogin(
  ["sshd", "ssh-agent", "ssh-add"],
  "an agent that asks its user is no silence of the server's",
  () =>
    withFolder(async (folder) => {
      const times = `${folder}/times`;
      const askpass = `${folder}/askpass`;
      await Deno.writeTextFile(
        askpass,
        `#!/bin/sh\ndate +%s%3N >>${times}\nsleep 0.4\ndate +%s%3N >>${times}\n`,
        { mode: 0o755 },
      );
      const env = { SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: "force" };
      await using agent = await startAgent(folder, ["key"], "ed25519", env);
      const [path = ""] = agent.paths;
      await execute("env", [
        ...[`SSH_AUTH_SOCK=${agent.socket}`, "ssh-add", "-q", "-c", path],
      ]);
      await using sshd = await startSshd();
      await sshd.authorize(await Deno.readTextFile(`${path}.pub`));
      const silent: number[] = [];
      await logInAndOut({
        ...{ host: sshd.host, port: sshd.port, user: sshd.user },
        authentication: { agent: agent.socket },
        keepalive: { intervalMs: 100, count: 1 },
        onSilence: () => silent.push(Date.now()),
      });
      const text = await Deno.readTextFile(times);
      const [began = 0, ended = 0] = text.trim().split("\n").map(Number);
      assert(ended - began >= 400, "it has asked");
      assert.deepEqual(silent.filter((at) => at > began && at < ended), []);
    }),
);

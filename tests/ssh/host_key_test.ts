/** Which host keys are trusted, against real servers with several. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { I2ptunError } from "../../src/errors.ts";
import { requireCheckable } from "../../src/ssh/host_key.ts";
import { encodeWire } from "../../src/ssh/key_wire.ts";
import { execute, makeScratchDir, removeDir } from "../support/scratch.ts";
import { type Sshd, startSshd } from "../support/sshd.ts";
import {
  answering,
  logInAndOut,
  type LoginOptions,
  recorder,
  testLogin,
} from "./login.ts";

/** Whether the host key was taken: only then does the login get refused. */
async function outcome(options: LoginOptions): Promise<string> {
  try {
    await logInAndOut(options);
    return "logged in";
  } catch (error) {
    assert(error instanceof I2ptunError, String(error));
    return error.kind === "login-refused" ? "trusted" : error.message;
  }
}

interface Setup {
  sshd: Sshd;
  file: string;
  attempt: (changes?: Partial<LoginOptions>) => Promise<string>;
}

async function withServer(
  types: ("ed25519" | "rsa" | "ecdsa")[],
  body: (setup: Setup) => Promise<void>,
) {
  const folder = await makeScratchDir();
  try {
    await using sshd = await startSshd({ hostKeyTypes: types });
    const file = `${folder}/known_hosts`;
    const { host, port } = sshd;
    const attempt = ({ hostKey, ...rest }: Partial<LoginOptions> = {}) =>
      outcome({
        ...{ host, port, ...rest },
        hostKey: { files: [file], store: file, unknown: "ask", ...hostKey },
      });
    await body({ sshd, file, attempt });
  } finally {
    await removeDir(folder);
  }
}

const ALL = ["ed25519", "ecdsa", "rsa"] as const;

testLogin(
  ["sshd"],
  "the server is asked for the type that is on file",
  () =>
    withServer([...ALL], async ({ sshd, file, attempt }) => {
      const name = `[${sshd.host}]:${sshd.port}`;
      for (const { publicLine } of sshd.hostKeys) {
        await Deno.writeTextFile(file, `${name} ${publicLine}\n`);
        assert.equal(await attempt(), "trusted", publicLine);
      }
      // hashed, too, and with a broken line before it
      await Deno.writeTextFile(
        file,
        `${name} ${sshd.hostKeys[2]!.publicLine}\n`,
      );
      await execute("ssh-keygen", ["-q", "-H", "-f", file]);
      const hashed = await Deno.readTextFile(file);
      assert.match(hashed, /^\|1\|/);
      await Deno.writeTextFile(file, `nonsense\n${hashed}`);
      const { log, lines } = recorder();
      assert.equal(await attempt({ log }), "trusted");
      assert.match(lines.join("\n"), /warning: \S+known_hosts:1: skipped/);
    }),
);

testLogin(
  ["sshd"],
  "a changed key names every line on file",
  () =>
    withServer(["ed25519"], async ({ sshd, file, attempt }) => {
      await using other = await startSshd({ hostKeyTypes: ["ed25519", "rsa"] });
      const [ed25519, rsa] = other.hostKeys as [
        Sshd["hostKeys"][0],
        Sshd["hostKeys"][0],
      ];
      const name = `[${sshd.host}]:${sshd.port}`;
      await Deno.writeTextFile(
        file,
        `${name} ${rsa.publicLine}\n# x\n${name} ${ed25519.publicLine}\n`,
      );
      const { ask, asked } = answering("yes");
      const message = await attempt({ ask, hostKey: { unknown: "accept" } });
      assert.match(message, /^the host key of \S+ has changed: /);
      for (
        const part of [
          sshd.hostKeys[0]!.sha256,
          `${file}:3 has ${ed25519.sha256} (ssh-ed25519)`,
          `${file}:1 has ${rsa.sha256} (ssh-rsa)`,
        ]
      ) assert(message.includes(part), message);
      assert.equal(asked.length, 0);
    }),
);

testLogin(
  ["sshd"],
  "an unknown key is asked about, stored and hashed",
  () =>
    withServer(["ed25519"], async ({ sshd, file, attempt }) => {
      const [{ sha256, publicLine }] = sshd.hostKeys as [Sshd["hostKeys"][0]];
      for (const answer of ["no", "", "SHA256:other"]) {
        const { ask } = answering(answer);
        assert.match(await attempt({ ask }), /was not accepted$/);
      }
      assert.match(await attempt(), /is unknown .*nobody is there to confirm/);
      assert.match(
        await attempt({ hostKey: { unknown: "refuse" } }),
        /StrictHostKeyChecking yes/,
      );
      await assert.rejects(Deno.stat(file), Deno.errors.NotFound);

      const { ask, asked } = answering(sha256);
      assert.equal(await attempt({ ask, hostKey: { hash: true } }), "trusted");
      assert.equal(asked[0]?.kind, "host-key");
      assert.match(
        await Deno.readTextFile(file),
        /^\|1\|\S+ ssh-ed25519 \S+\n$/,
      );
      assert.equal((await Deno.stat(file)).mode! & 0o777, 0o600);
      const name = `[${sshd.host}]:${sshd.port}`;
      const found = await execute("ssh-keygen", ["-F", name, "-f", file]);
      assert(found.includes(publicLine));
      assert.equal(await attempt(), "trusted");
    }),
);

testLogin(
  ["sshd"],
  "HostKeyAlias, pins, revoked keys, authorities",
  () =>
    withServer(["ed25519"], async ({ sshd, file, attempt }) => {
      const [{ sha256, publicLine }] = sshd.hostKeys as [Sshd["hostKeys"][0]];
      await Deno.writeTextFile(file, `router ${publicLine}\n`);
      assert.equal(await attempt({ hostKey: { alias: "router" } }), "trusted");
      assert.match(await attempt({ hostKey: { alias: "else" } }), /is unknown/);

      assert.equal(await attempt({ hostKey: { pin: sha256 } }), "trusted");
      const pin = `SHA256:${"A".repeat(43)}`;
      assert.match(
        await attempt({ hostKey: { pin, alias: "router" } }),
        /is SHA256:\S+, but the profile pins SHA256:A+$/,
      );

      await Deno.writeTextFile(file, `@revoked * ${publicLine}\n`);
      assert.match(
        await attempt({ hostKey: { unknown: "accept" } }),
        /is marked as revoked in \S+known_hosts:1$/,
      );
      await Deno.writeTextFile(file, `@cert-authority * ${publicLine}\n`);
      const { log, lines } = recorder();
      assert.match(await attempt({ log }), /is unknown/);
      assert.match(lines.join("\n"), /does not check certificates of hosts/);
    }),
);

testLogin(
  ["sshd"],
  "a pin of any of the server's keys will do",
  () =>
    withServer([...ALL], async ({ sshd, attempt }) => {
      for (const { sha256 } of sshd.hostKeys) {
        assert.equal(await attempt({ hostKey: { pin: sha256 } }), "trusted");
      }
    }),
);

testLogin(
  ["sshd"],
  "without a file to store in, nothing is stored",
  () =>
    withServer(["ed25519"], async ({ file, attempt }) => {
      await Deno.writeTextFile(file, "");
      const hostKey = { unknown: "accept" as const, store: undefined };
      assert.equal(await attempt({ hostKey }), "trusted");
      assert.equal(await Deno.readTextFile(file), "");
    }),
);

Deno.test("a host key too long to be checked", () => {
  const check = (bits: bigint) =>
    requireCheckable(
      encodeWire("ssh-rsa", 65537n, 1n << (bits - 1n)),
      "router",
    );
  assert.throws(
    () => check(8192n),
    /^I2ptunError: router proves itself by an RSA host key of 8192 bits, and/,
  );
  check(4096n);
  requireCheckable(encodeWire("ssh-ed25519", randomBytes(32)), "router");
});

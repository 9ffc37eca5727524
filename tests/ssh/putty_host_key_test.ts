import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { readPuttyHostKey } from "../../src/ssh/putty_host_key.ts";
import { Child } from "../support/child.ts";
import { testWith } from "../support/requirements.ts";
import { makeScratchDir, removeDir } from "../support/scratch.ts";
import { type HostKeyType, startSshd } from "../support/sshd.ts";

const TYPES: HostKeyType[] = ["ed25519", "rsa", "ecdsa"];

testWith(
  ["sshd", "plink"],
  "the keys that plink caches are those of the server",
  async () => {
    const dir = await makeScratchDir();
    try {
      await Deno.mkdir(`${dir}/sessions`);
      // a point's parity is in the encoding: several keys have both
      for (let round = 0; round < 4; round++) {
        await using sshd = await startSshd({
          hostKeyTypes: round === 0 ? TYPES : ["ed25519"],
        });
        for (const key of sshd.hostKeys) {
          const type = TYPES.find((each) => key.type.includes(each))!;
          const order = [...new Set([type, ...TYPES, "dsa", "WARN"])];
          await Deno.writeTextFile(
            `${dir}/sessions/s`,
            `HostName=${sshd.host}\nPortNumber=${sshd.port}\nProtocol=ssh\n` +
              `UserName=nobody\nTryAgent=0\nPreferKnownHostKeys=0\nHostKey=${order}\n`,
          );
          await using plink = new Child("plink", ["-load", "s", "true"], {
            env: { HOME: dir, PUTTYDIR: dir, PATH: Deno.env.get("PATH")! },
          });
          await plink.write("y\n");
          await plink.closeInput();
          await plink.exit;
        }
        const cached = await Deno.readTextFile(`${dir}/sshhostkeys`);
        const read = cached.trim().split("\n").map((line) => {
          const [name, value] = line.split(" ");
          return readPuttyHostKey(name!, value!)!;
        }).filter(({ port }) => port === sshd.port);
        assert.deepEqual(
          read.map(({ host, key }) => [
            host,
            Buffer.from(key).toString("base64"),
          ]).sort(),
          sshd.hostKeys.map(({ publicLine }) => [
            sshd.host,
            publicLine.split(" ")[1]!,
          ]).sort(),
        );
      }
    } finally {
      await removeDir(dir);
    }
  },
);

Deno.test("what is no key of PuTTY's cache is none", () => {
  const p256 = `nistp256,0x${"a".repeat(64)},0x${"b".repeat(64)}`;
  assert(readPuttyHostKey("ecdsa-sha2-nistp256@22:::1", p256));
  for (
    const [name, value] of [
      ["rsa@22:host", "0x10001,0xabcdef"],
      ["dss@22:host", "0x1,0x2,0x3,0x4"],
      ["rsa2@22:", "0x10001,0xabcdef"],
      ["rsa2@22:host", "0x10001"],
      ["rsa2@22:host", "0x10001,0xxyz"],
      ["ssh-ed25519@22:host", `0x1,0x${"f".repeat(65)}`],
      ["ssh-ed25519@22:host", `0x1,0x${"f".repeat(64)}`],
      ["ecdsa-sha2-nistp256@22:host", `nistp256,0x1${"a".repeat(64)},0x1`],
      ["ssh-ed448@22:host", "0x1,0x2"],
      ["", ""],
    ] as const
  ) assert.equal(readPuttyHostKey(name, value), undefined, name);
});

Deno.test("no entry of PuTTY's cache does any harm", () => {
  fc.assert(fc.property(fc.string(), fc.string(), (name, value) => {
    readPuttyHostKey(name, value);
    readPuttyHostKey(`rsa2@22:${name}`, `0x1,${value}`);
  }));
});

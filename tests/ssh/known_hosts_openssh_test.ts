import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { fingerprint } from "../../src/ssh/fingerprint.ts";
import { addKnownHost, KnownHosts } from "../../src/ssh/known_hosts.ts";
import {
  ed25519,
  entry,
  HAVE_OPENSSH,
  rsa,
  run,
  withFolder,
} from "./openssh.ts";

Deno.test({
  name: "finds what ssh-keygen -F finds",
  ignore: !HAVE_OPENSSH,
  fn: () => withFolder(compareWithKeygen),
});

async function compareWithKeygen(folder: string) {
  const host = fc.constantFrom("a", "b.a", "B.a", "::1", "10.0.0.1");
  const port = fc.constantFrom(22, 22, 2222);
  const name = fc.oneof(
    host,
    fc.tuple(host, fc.constantFrom(22, 2222, 2223)).map(([h, p]) =>
      `[${h}]:${p}`
    ),
    fc.constantFrom("*", "?", "*.a", "?.*", "10.0.0.*", "[*]:2222", "a**"),
  );
  const names = fc.array(
    fc.tuple(fc.boolean(), name).map(([not, n]) => (not ? "!" : "") + n),
    { minLength: 1, maxLength: 3 },
  ).map((list) => list.join(","));
  const marker = fc.constantFrom("", "", "", "@revoked", "@cert-authority");
  let run = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(marker, names, fc.boolean()), { maxLength: 6 }),
      host,
      port,
      async (lines, host, port) => {
        const file = `${folder}/${run++}`;
        const keys = lines.map((_, i) => i % 2 ? rsa(9 + 2 * i) : ed25519(i));
        await Deno.writeTextFile(
          file,
          lines.map(([marker, names], i) => entry(names, keys[i]!, marker))
            .join("\n") + "\n",
        );
        // Leaves what has patterns or markers as it is, and splits lists.
        if (lines.some(([, , hash]) => hash)) await hashAll(file);
        const hosts = await KnownHosts.read([file]);
        assert.deepEqual(hosts.warnings, []);
        const found = await keygenFind(file, host, port);
        const bare = await keygenFind(file, host, 22);
        keys.forEach((key, i) => {
          assert.equal(
            hosts.check(host, port, key).status,
            expectedStatus(found, bare, key),
            `${host}:${port}, line ${i + 1}`,
          );
        });
      },
    ),
    { numRuns: 100 },
  );
}

async function hashAll(file: string) {
  await run("ssh-keygen", "-q", "-H", "-f", file);
}

/** The keys on file for the host, in base64, each with its marker. */
async function keygenFind(file: string, host: string, port: number) {
  // In lower case, as ssh asks: -F finds hashed names as they are spelt only.
  const lower = host.toLowerCase();
  const name = port === 22 ? lower : `[${lower}]:${port}`;
  const { out } = await run("ssh-keygen", "-F", name, "-f", file);
  return new Map(
    [...out.matchAll(/^# Host .* found: line \d+ ?(.*)\n.* (\S+)$/gm)].map(
      ([, marker, key]) => [key!, marker!.trim()],
    ),
  );
}

function expectedStatus(
  found: Map<string, string>,
  bare: Map<string, string>,
  key: Uint8Array,
): string {
  const base64 = Buffer.from(key).toString("base64");
  if (found.get(base64) === "REVOKED") return "revoked";
  if (found.get(base64) === "") return "known";
  if ([...found.values()].includes("")) return "changed";
  if (bare.get(base64) === "REVOKED") return "revoked";
  return bare.get(base64) === "" ? "known" : "unknown";
}

Deno.test({
  name: "fingerprints are those of ssh-keygen -l",
  ignore: !HAVE_OPENSSH,
  fn: () =>
    withFolder(async (folder) => {
      for (const type of ["ed25519", "rsa", "ecdsa"]) {
        const file = `${folder}/${type}`;
        const key = await makeKey(file, type);
        const { out } = await run("ssh-keygen", "-l", "-f", `${file}.pub`);
        assert.equal(fingerprint(key), out.split(" ")[1]);
      }
    }),
});

async function makeKey(file: string, type: string): Promise<Uint8Array> {
  await run("ssh-keygen", "-q", "-t", type, "-N", "", "-f", file);
  const text = await Deno.readTextFile(`${file}.pub`);
  return Buffer.from(text.split(" ")[1]!, "base64");
}

Deno.test({
  name: "ssh itself says the same about a real server",
  ignore: !HAVE_OPENSSH,
  fn: () =>
    withFolder(async (folder) => {
      const key = await makeKey(`${folder}/host_key`, "ed25519");
      const other = await makeKey(`${folder}/other`, "ed25519");
      const otherType = await makeKey(`${folder}/rsa`, "rsa");
      await Deno.writeTextFile(
        `${folder}/sshd_config`,
        `HostKey ${folder}/host_key\nAuthorizedKeysFile none\n`,
      );
      const file = `${folder}/known_hosts`;
      const texts = [
        "",
        entry("example.test", key),
        entry("[example.test]:2222", key),
        entry("example.test", other),
        entry("example.test", otherType),
        entry("[example.test]:2222", otherType),
        entry("[example.test]:2222", other) + "\n" + entry("example.test", key),
        entry("example.test", key) + "\n" + entry("*", key, "@revoked"),
        entry("example.test", key, "@revoked"),
        entry("example.test", key, "@cert-authority"),
        entry("*,!example.test", key),
        entry("example.test", other) + "\n" + entry("EXAMPLE.test", key),
        `example.test ssh-ed25519 AAAA\r\n${entry("example.test", key)}\r\n`,
      ];
      for (const hash of [false, true]) {
        await Deno.remove(file).catch(() => {});
        await addKnownHost(file, "Example.test", 2222, key, { hash });
        texts.push(await Deno.readTextFile(file));
      }
      for (const text of texts) {
        await Deno.writeTextFile(file, text);
        const hosts = await KnownHosts.read([file]);
        for (const port of [22, 2222]) {
          assert.equal(
            hosts.check("example.test", port, key).status,
            await askSsh(folder, file, port),
            `port ${port} with\n${text}`,
          );
        }
      }
    }),
});

/** What ssh says about the host key of an sshd that it starts by itself. */
async function askSsh(folder: string, file: string, port: number) {
  // Without it, sshd refuses to run as root.
  if (Deno.uid() === 0) await Deno.mkdir("/run/sshd", { recursive: true });
  const options = [
    `ProxyCommand=/usr/sbin/sshd -i -f ${folder}/sshd_config`,
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    `UserKnownHostsFile=${file}`,
    "GlobalKnownHostsFile=none",
    "IdentityFile=none",
    "IdentityAgent=none",
  ].flatMap((option) => ["-o", option]);
  const { err } = await run(
    "ssh",
    "-F",
    "none",
    ...options,
    "-p",
    String(port),
    "example.test",
    "true",
  );
  if (/Permission denied \(/.test(err)) return "known";
  if (/REVOKED HOST KEY/.test(err)) return "revoked";
  if (/IDENTIFICATION HAS CHANGED/.test(err)) return "changed";
  if (/No .* host key is known/.test(err)) return "unknown";
  return err;
}

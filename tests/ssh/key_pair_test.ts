/** New keys, as OpenSSH's own programs see them. */
import assert from "node:assert/strict";
import { I2ptunError } from "../../src/errors.ts";
import { fingerprint } from "../../src/ssh/fingerprint.ts";
import { generateKeyPair, writeKeyPair } from "../../src/ssh/key_pair.ts";
import { parsePrivateKey } from "../../src/ssh/private_key.ts";
import { run, testInFolder } from "./key_samples.ts";

testInFolder("ssh-keygen reads what is made here", async (folder, t) => {
  for (const type of ["ed25519", "ecdsa", "rsa"] as const) {
    for (const passphrase of ["", "pä55 wörd ✓"]) {
      await t.step(`${type} ${passphrase}`, async () => {
        // half of all ECDSA scalars begin with a bit that looks like a sign
        const count = type === "ecdsa" && passphrase === "" ? 6 : 1;
        for (let i = 0; i < count; i++) {
          const pair = await generateKeyPair(type, "me@here", passphrase);
          const path = `${folder}/${type}${passphrase.length}-${i}`;
          await writeKeyPair(path, pair);
          const line = await Deno.readTextFile(`${path}.pub`);
          assert.equal(
            run("ssh-keygen", "-y", "-P", passphrase, "-f", path),
            line,
          );
          const shown = run("ssh-keygen", "-l", "-f", path);
          assert(shown.includes(fingerprint(pair.publicKey)), shown);
          assert(shown.includes("me@here"), shown);
          if (type === "rsa") assert(Number.parseInt(shown) >= 3072, shown);
          const read = parsePrivateKey(pair.privateText, path);
          assert.equal(read.encrypted, passphrase !== "");
          const key = await read.decrypt(passphrase);
          assert.deepEqual(
            new Uint8Array(key.getPublicSSH()),
            new Uint8Array(pair.publicKey),
          );
        }
      });
    }
  }
});

testInFolder(
  "an encrypted key is opened by its passphrase only",
  async (folder) => {
    const pair = await generateKeyPair("ed25519", "x", "right one");
    const path = `${folder}/key`;
    await writeKeyPair(path, pair);
    assert.throws(() => run("ssh-keygen", "-y", "-P", "wrong", "-f", path));
    const [, ...lines] = pair.privateText.split("\n");
    const head = atob(lines.slice(0, 2).join(""));
    assert(head.includes("aes256-ctr") && head.includes("bcrypt"), head);
  },
);

testInFolder(
  "nothing is overwritten, and only the owner may read",
  async (folder) => {
    const pair = await generateKeyPair("ed25519", "x", "");
    const path = `${folder}/new/key`;
    await writeKeyPair(path, pair);
    assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
    assert.equal((await Deno.stat(`${path}.pub`)).mode! & 0o777, 0o644);
    assert.equal((await Deno.stat(`${folder}/new`)).mode! & 0o777, 0o700);
    const before = await Deno.readTextFile(path);
    const refuse = (file: string) =>
      assert.rejects(writeKeyPair(file, pair), (error) => {
        assert(error instanceof I2ptunError);
        assert.equal(error.kind, "usage");
        assert.match(error.message, /exists already, and is not overwritten/);
        return true;
      });
    await refuse(path);
    assert.equal(await Deno.readTextFile(path), before);
    // one half is enough, and a link that leads nowhere too
    await Deno.writeTextFile(`${folder}/half.pub`, "x");
    await refuse(`${folder}/half`);
    run("ln", "-s", `${folder}/nowhere`, `${folder}/link`);
    await refuse(`${folder}/link`);
    await assert.rejects(Deno.lstat(`${folder}/half`), Deno.errors.NotFound);
    await assert.rejects(Deno.lstat(`${folder}/nowhere`), Deno.errors.NotFound);
  },
);

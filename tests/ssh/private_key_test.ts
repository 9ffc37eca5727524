import { Buffer } from "node:buffer";
import { createHash, createHmac } from "node:crypto";
import assert from "node:assert/strict";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  parsePrivateKey,
  readPrivateKey,
  WrongPassphraseError,
} from "../../src/ssh/private_key.ts";
import { ed25519Key, publicBlob } from "../../src/ssh/key_material.ts";
import { encodeWire } from "../../src/ssh/key_wire.ts";
import { type ParsedKey, parseKey } from "../../src/ssh/ssh2.ts";
import {
  hexByte,
  KEY_TYPES,
  PASSPHRASE,
  run,
  testInFolder,
  writeKeySamples,
} from "./key_samples.ts";

/** Lets the public key that ssh-keygen wrote verify a signature. */
function assertSigns(key: ParsedKey, publicLine: string): void {
  const open = parseKey(publicLine);
  assert(!(open instanceof Error));
  assert.equal(key.type, open.type);
  assert.deepEqual(
    Buffer.from(key.getPublicSSH()),
    Buffer.from(open.getPublicSSH()),
  );
  const data = Buffer.from("what the server wants signed");
  const hashes = key.type === "ssh-rsa"
    ? ["sha256", "sha512", "sha1"]
    : [undefined];
  for (const hash of hashes) {
    assert.equal(open.verify(data, key.sign(data, hash), hash), true);
  }
}

testInFolder("private keys in every format sign", async (folder, t) => {
  for (const sample of writeKeySamples(folder)) {
    await t.step(sample.name, async () => {
      const file = await readPrivateKey(sample.path, {
        checkPermissions: false,
      });
      assert.equal(file.encrypted, sample.encrypted);
      const blob = sample.publicLine.split(" ")[1];
      // what an encrypted file says in clear, and all of one that is not
      if (!sample.encrypted || /OpenSSH|PPK/.test(sample.name)) {
        assert.equal(file.type, sample.publicLine.split(" ")[0]);
        assert.equal(file.publicKey?.toBase64(), blob);
      } else {
        assert.equal(file.publicKey, undefined);
      }
      if (/OpenSSH|PPK/.test(sample.name)) {
        const key = await file.decrypt(PASSPHRASE);
        assert.equal(key.comment, "me@here");
      }
      if (sample.encrypted) {
        await assert.rejects(file.decrypt(), WrongPassphraseError);
        await assert.rejects(file.decrypt(""), WrongPassphraseError);
        await assert.rejects(file.decrypt("wrong"), WrongPassphraseError);
      }
      assertSigns(
        await file.decrypt(sample.encrypted ? PASSPHRASE : undefined),
        sample.publicLine,
      );
    });
  }
});

testInFolder("ECDSA numbers of every length sign", async (folder, t) => {
  const curves = [
    { type: "nistp256", length: 32, oid: "06082a8648ce3d030107" },
    { type: "nistp384", length: 48, oid: "06052b81040022" },
    { type: "nistp521", length: 66, oid: "06052b81040023" },
  ];
  for (const { type, length, oid } of curves) {
    const scalars = {
      "with its highest bit set": new Uint8Array(length).fill(
        // the order of nistp521 has one bit in its first byte
        length === 66 ? 0x01 : 0x80,
        0,
        1,
      ).fill(0x11, 1),
      "with a zero in front": new Uint8Array(length).fill(0x7f, 1),
      "with a zero in front and then a high bit": new Uint8Array(length)
        .fill(0x80, 1),
      "with three zeros in front": new Uint8Array(length).fill(0x33, 3),
    };
    for (const [name, scalar] of Object.entries(scalars)) {
      await t.step(`${type} ${name}`, async () => {
        const path = join(folder, `${type} ${name}`);
        const content = `02010104${hexByte(length)}${scalar.toHex()}` +
          `a0${hexByte(oid.length / 2)}${oid}`;
        const der = Uint8Array.fromHex(
          `30${hexByte(content.length / 2)}${content}`,
        );
        writeFileSync(`${path}.der`, der);
        // openssl adds the public key, ssh-keygen makes it OpenSSH's format
        // deno-fmt-ignore
        run("openssl", "ec", "-inform", "DER", "-in", `${path}.der`,
            "-out", path);
        chmodSync(path, 0o600);
        const publicLine = run("ssh-keygen", "-yf", path);
        const pem = parsePrivateKey(readFileSync(path), path);
        assertSigns(await pem.decrypt(), publicLine);

        run("ssh-keygen", "-qp", "-P", "", "-N", "", "-f", path);
        const text = readFileSync(path, "utf8");
        assert.match(text, /OPENSSH/);
        const openssh = parsePrivateKey(text, path);
        assertSigns(await openssh.decrypt(), publicLine);

        run("puttygen", path, "-O", "private", "-o", `${path}.ppk`);
        const ppk = parsePrivateKey(readFileSync(`${path}.ppk`), path);
        assertSigns(await ppk.decrypt(), publicLine);
      });
    }
  }
});

testInFolder(
  "an Ed25519 key whose zeros an old PuTTY left out signs",
  async (folder) => {
    const seed = new Uint8Array(32).fill(7, 0, 30);
    const blob = Buffer.from(publicBlob(ed25519Key(seed)));
    const secret = encodeWire(seed.subarray(0, 30));
    const macKey = createHash("sha1").update("putty-private-key-file-mac-key");
    const mac = createHmac("sha1", macKey.digest())
      .update(encodeWire("ssh-ed25519", "none", "me", blob, secret));
    const text = `PuTTY-User-Key-File-2: ssh-ed25519
Encryption: none
Comment: me
Public-Lines: 2
${blob.toString("base64").replace(/.{64}/, "$&\n")}
Private-Lines: 1
${secret.toBase64()}
Private-MAC: ${mac.digest("hex")}
`;
    const path = join(folder, "key");
    writeFileSync(`${path}.ppk`, text);
    // deno-fmt-ignore
    run("puttygen", `${path}.ppk`, "-O", "private-openssh-new", "-o", path);
    const ppk = parsePrivateKey(text, path);
    assertSigns(await ppk.decrypt(), run("ssh-keygen", "-yf", path));
  },
);

testInFolder("a large RSA key signs", async (folder) => {
  const path = join(folder, "large");
  // deno-fmt-ignore
  run("ssh-keygen", "-qt", "rsa", "-b", "4096", "-N", "", "-f", path);
  const file = parsePrivateKey(readFileSync(path), path);
  assertSigns(await file.decrypt(), readFileSync(`${path}.pub`, "utf8"));
});

testInFolder("a key survives Windows editors", async (folder) => {
  const path = join(folder, "key");
  run("ssh-keygen", "-q", "-N", "", "-f", path, ...KEY_TYPES.ed25519);
  const publicLine = readFileSync(`${path}.pub`, "utf8");
  run("puttygen", path, "-O", "private", "-o", `${path}.ppk`);
  for (const each of [path, `${path}.ppk`]) {
    const text = readFileSync(each, "utf8").replaceAll("\n", "\r\n");
    const utf16 = Buffer.from(`\ufeff${text}`, "utf16le");
    for (const content of [text, `\ufeff${text}`, `\r\n${text}`, utf16]) {
      const file = parsePrivateKey(content, path);
      assertSigns(await file.decrypt(), publicLine);
    }
  }
});

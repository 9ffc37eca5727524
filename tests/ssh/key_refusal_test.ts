import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { I2ptunError } from "../../src/errors.ts";
import {
  parsePrivateKey,
  readPrivateKey,
  WrongPassphraseError,
} from "../../src/ssh/private_key.ts";
import { encodeWire } from "../../src/ssh/key_wire.ts";
import { hexByte, KEY_TYPES, run, testInFolder } from "./key_samples.ts";

function assertRefused(
  content: string | Uint8Array,
  message: RegExp,
  remedy?: RegExp,
): void {
  assert.throws(() => parsePrivateKey(content, "/keys/mine"), (error) => {
    assert(error instanceof I2ptunError);
    assert.equal(error.kind, "login-refused");
    assert.match(error.message, message);
    assert.match(error.message, /\/keys\/mine/);
    if (remedy) assert.match(error.remedy ?? "", remedy);
    return true;
  });
}

testInFolder("halves that do not belong together are noticed", (folder) => {
  const path = join(folder, "key");
  // deno-fmt-ignore
  run("ssh-keygen", "-qmPEM", "-trsa", "-b1024", "-N", "", "-f", path);
  const pem = readFileSync(path, "latin1").split("\n").slice(1, -2).join("");
  const der = Uint8Array.fromBase64(pem);
  der[der.length - 1]! ^= 1;
  assertRefused(
    `-----BEGIN RSA PRIVATE KEY-----\n${der.toBase64()}\n-----END RSA PRIVATE KEY-----\n`,
    /RSA numbers do not belong together/,
  );

  run("ssh-keygen", "-q", "-N", "", "-f", `${path}2`, ...KEY_TYPES.ed25519);
  const lines = readFileSync(`${path}2`, "latin1").split("\n");
  const bytes = Uint8Array.fromBase64(lines.slice(1, -2).join(""));
  const publicHalf = Buffer.from(bytes).indexOf("ssh-ed25519") + 11 + 4;
  bytes[publicHalf]! ^= 1;
  assertRefused(
    `${lines[0]}\n${bytes.toBase64()}\n${lines.at(-2)}\n`,
    /public and private halves do not belong together/,
  );
});

Deno.test("an ECDSA number beyond the curve is damaged", () => {
  const content = "0201010420" + "ff".repeat(32) + "a00a06082a8648ce3d030107";
  const der = Uint8Array.fromHex(`30${hexByte(content.length / 2)}${content}`);
  assertRefused(
    `-----BEGIN EC PRIVATE KEY-----\n${der.toBase64()}\n-----END EC PRIVATE KEY-----\n`,
    /is damaged/,
  );
});

testInFolder(
  "a wrong passphrase is told from a damaged key",
  async (folder) => {
    const path = join(folder, "key");
    // deno-fmt-ignore
    run("openssl", "genrsa", "-traditional", "-aes128", "-passout", "pass:right",
      "-out", path, "1024");
    const file = parsePrivateKey(readFileSync(path), path);
    // One in 256 of these decrypts to what ends like padding.
    for (let attempt = 0; attempt < 1500; attempt++) {
      await assert.rejects(file.decrypt(`wrong${attempt}`), (error) => {
        assert(error instanceof WrongPassphraseError);
        assert(error instanceof I2ptunError);
        assert.equal(error.exitCode, 5);
        assert.equal(error.message, `wrong passphrase for ${path}`);
        return true;
      });
    }
    assert.equal((await file.decrypt("right")).type, "ssh-rsa");
  },
);

testInFolder("an altered comment in a PPK file is noticed", (folder) => {
  const path = join(folder, "key");
  run("ssh-keygen", "-qN", "", "-C", "me", "-f", path, ...KEY_TYPES.ed25519);
  for (const version of [2, 3]) {
    // deno-fmt-ignore
    run("puttygen", path, "-O", "private", "-o", `${path}.ppk`,
        "--ppk-param", `version=${version}`);
    const text = readFileSync(`${path}.ppk`, "utf8");
    assert.equal(parsePrivateKey(text, path).comment, "me");
    assertRefused(
      text.replace("Comment: me", "Comment: you"),
      /is damaged: its checksum does not match/,
    );
  }
});

Deno.test("keys of FIDO devices are sent to the agent", () => {
  const blob = encodeWire("sk-ssh-ed25519@openssh.com", "point", "ssh:");
  const file = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    encodeWire("none", "none", "", 1, blob, "secret"),
  ]);
  assertRefused(
    "-----BEGIN OPENSSH PRIVATE KEY-----\n" + file.toString("base64") +
      "\n-----END OPENSSH PRIVATE KEY-----\n",
    /FIDO security key/,
    /ssh-add/,
  );
});

testInFolder("a key that others can read is refused", async (folder) => {
  const path = join(folder, "my key");
  run("ssh-keygen", "-q", "-N", "", "-f", path, ...KEY_TYPES.ed25519);
  const check = { checkPermissions: true };
  await readPrivateKey(path, check);
  chmodSync(path, 0o400);
  await readPrivateKey(path, check);
  for (const mode of [0o644, 0o640, 0o602, 0o610]) {
    chmodSync(path, mode);
    await assert.rejects(readPrivateKey(path, check), (error) => {
      assert(error instanceof I2ptunError);
      assert.equal(error.kind, "login-refused");
      assert.match(error.message, new RegExp(`0${mode.toString(8)}`));
      assert.equal(error.remedy, `chmod 600 '${path}'`);
      return true;
    });
    await readPrivateKey(path, { checkPermissions: false });
    // somebody else's file, as when root runs it
    await readPrivateKey(path, { ...check, uid: Deno.uid()! + 1 });
  }
});

testInFolder("what cannot be read says why", async (folder) => {
  const options = { checkPermissions: true };
  await assert.rejects(
    readPrivateKey(join(folder, "missing"), options),
    Deno.errors.NotFound,
  );
  await assert.rejects(readPrivateKey(folder, options), /is a folder/);
  const large = join(folder, "large");
  writeFileSync(large, "-----BEGIN ".repeat(200_000), { mode: 0o600 });
  await assert.rejects(readPrivateKey(large, options), /too large/);
});

testInFolder("what is no private key is named", (folder) => {
  const path = join(folder, "key");
  run("ssh-keygen", "-q", "-N", "", "-f", path, ...KEY_TYPES.ed25519);
  run("ssh-keygen", "-q", "-s", path, "-I", "me", `${path}.pub`);
  const ssh2Public = run("ssh-keygen", "-ef", path);
  const pem = join(folder, "pem");
  run("openssl", "genrsa", "-out", pem, "1024");
  // deno-fmt-ignore
  run("openssl", "req", "-new", "-x509", "-key", pem, "-subj", "/CN=x",
      "-out", `${pem}.crt`);
  // deno-fmt-ignore
  run("openssl", "pkcs12", "-export", "-inkey", pem, "-in", `${pem}.crt`,
      "-passout", "pass:x", "-out", `${pem}.p12`);

  const without = /without \.pub/;
  assertRefused(readFileSync(`${path}.pub`), /is a public key/, without);
  assertRefused(ssh2Public, /is a public key/, without);
  assertRefused(
    run("openssl", "pkey", "-in", pem, "-pubout"),
    /is a public key/,
    without,
  );
  assertRefused(readFileSync(`${path}-cert.pub`), /is a certificate/);
  assertRefused(readFileSync(`${pem}.crt`), /X\.509 certificate/);
  assertRefused(readFileSync(`${pem}.p12`), /PKCS#12/, /\/keys\/mine/);
  assertRefused("", /is empty/);
  assertRefused("version: 1\n", /nothing in it looks like one/);
  assertRefused(new Uint8Array([0, 255, 3, 200]), /nothing in it/);
  assertRefused(
    "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n",
    /ssh\.com/,
    /ssh-keygen -i -f \/keys\/mine/,
  );
  assertRefused("SSH PRIVATE KEY FILE FORMAT 1.1\n\0", /SSH version 1/);
  assertRefused("PuTTY-User-Key-File-1: ssh-rsa\n", /version 1/, /PuTTYgen/);
});

testInFolder("keys of other types are named", (folder) => {
  const path = join(folder, "key");
  run(
    "puttygen",
    "-t",
    "ed448",
    "-O",
    "private",
    "-o",
    path,
    "-C",
    "",
    "--new-passphrase",
    "/dev/null",
  );
  assertRefused(readFileSync(path), /ssh-ed448/, /key create/);
  run("openssl", "ecparam", "-name", "secp256k1", "-genkey", "-out", path);
  assertRefused(readFileSync(path), /ECDSA on the curve 1\.3\.132\.0\.10/);
  // deno-fmt-ignore
  run("openssl", "ecparam", "-name", "prime256v1", "-param_enc", "explicit",
      "-genkey", "-out", path);
  assertRefused(readFileSync(path), /explicit curve parameters/);
  run("openssl", "genpkey", "-algorithm", "x25519", "-out", path);
  assertRefused(readFileSync(path), /1\.3\.101\.110/);
  assertRefused(
    "-----BEGIN DSA PRIVATE KEY-----\nMAA=\n-----END DSA PRIVATE KEY-----\n",
    /DSA keys are no longer accepted/,
  );
  run(
    "puttygen",
    "-t",
    "dsa",
    "-b",
    "1024",
    "-O",
    "private",
    "-o",
    path,
    "-C",
    "",
    "--new-passphrase",
    "/dev/null",
  );
  assertRefused(readFileSync(path), /DSA keys are no longer accepted/);
});

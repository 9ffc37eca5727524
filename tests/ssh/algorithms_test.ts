import assert from "node:assert/strict";
import { algorithmOffer } from "../../src/ssh/algorithms.ts";

Deno.test("nothing weak is offered", () => {
  const offer = Object.values(algorithmOffer()).flat();
  assert(offer.length > 20);
  assert.deepEqual(
    offer.filter((name) =>
      /sha1|md5|cbc|arcfour|3des|^ssh-(rsa|dss)$|-96|zlib/.test(name)
    ),
    [],
  );
});

Deno.test("lists as ssh_config(5) has them", () => {
  const kex = (kexAlgorithms: string) =>
    algorithmOffer([], { kexAlgorithms }).kex;
  const usual = algorithmOffer().kex;
  assert.deepEqual(kex("ecdh-sha2-nistp384,curve25519-sha256"), [
    "ecdh-sha2-nistp384",
    "curve25519-sha256",
  ]);
  // what ssh has and i2ptun has not is passed over
  assert.deepEqual(
    kex("sntrup761x25519-sha512@openssh.com,curve25519-sha256"),
    ["curve25519-sha256"],
  );
  assert.deepEqual(kex("+diffie-hellman-group14-sha1"), [
    ...usual,
    "diffie-hellman-group14-sha1",
  ]);
  assert.deepEqual(kex("-ecdh-*,*group*"), [
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
  ]);
  assert.equal(kex("^ecdh-sha2-nistp256")[0], "ecdh-sha2-nistp256");
  assert.equal(kex("^ecdh-sha2-nistp256").length, usual.length);
  for (const nothing of ["sntrup761x25519-sha512", "-*", ""]) {
    assert.throws(
      () => kex(nothing),
      /^I2ptunError: KexAlgorithms .*leaves nothing that i2ptun can use$/,
    );
  }
});

Deno.test("key types on file go first, unless the order is given", () => {
  const order = (known: string[], hostKeyAlgorithms?: string) =>
    algorithmOffer(known, { hostKeyAlgorithms }).serverHostKey;
  const usual = algorithmOffer().serverHostKey;
  assert.deepEqual(order(["ssh-rsa"]).slice(0, 3), [
    ...["rsa-sha2-512", "rsa-sha2-256", "ssh-ed25519"],
  ]);
  assert.deepEqual(order(["ssh-rsa", "ssh-ed25519"]).slice(0, 3), [
    ...["ssh-ed25519", "rsa-sha2-512", "rsa-sha2-256"],
  ]);
  assert.deepEqual(order(["ssh-dss"]), usual);
  assert.deepEqual(order(["ssh-rsa"], "-ssh-ed25519")[0], "rsa-sha2-512");
  assert.equal(order(["ssh-rsa"], "+ssh-rsa")[0], "rsa-sha2-512");
  assert.equal(order(["ssh-rsa"], "^ssh-ed25519")[0], "ssh-ed25519");
  const given = ["ecdsa-sha2-nistp256", "rsa-sha2-256"];
  assert.deepEqual(order(["ssh-rsa"], given.join(",")), given);
});

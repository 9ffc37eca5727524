import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import fc from "fast-check";
import { readFileSync } from "node:fs";
import { I2ptunError } from "../../src/errors.ts";
import { encodeWire } from "../../src/ssh/key_wire.ts";
import {
  parsePrivateKey,
  WrongPassphraseError,
} from "../../src/ssh/private_key.ts";
import { PASSPHRASE, testInFolder, writeKeySamples } from "./key_samples.ts";

/** Uses a file to the end; returns whether there was a key in it. */
async function use(content: Uint8Array): Promise<boolean> {
  try {
    await parsePrivateKey(content, "key").decrypt(PASSPHRASE);
    return true;
  } catch (error) {
    if (!(error instanceof I2ptunError)) throw error;
    assert.notEqual(error.message, "");
    return false;
  }
}

Deno.test("arbitrary bytes are refused", async () => {
  const labels = ["OPENSSH ", "RSA ", "EC ", "ENCRYPTED ", ""];
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 400 }),
      fc.constantFrom(...labels),
      async (bytes, label) => {
        assert.equal(await use(bytes), false);
        const text = pem(`${label}PRIVATE KEY`, bytes);
        assert.equal(await use(new TextEncoder().encode(text)), false);
      },
    ),
    { numRuns: 300 },
  );
});

const mutations = fc.array(
  fc.record({
    /** Where, from the beginning (0) to the end (1). */
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    remove: fc.nat(3),
    insert: fc.uint8Array({ maxLength: 3 }),
  }),
  { minLength: 1, maxLength: 3 },
);

/** Where what makes decryption slow by design is over. */
function endOfCosts(text: string): number {
  return Math.max(250, text.indexOf("Private-Lines"));
}

testInFolder(
  "altered private keys are refused or still whole",
  async (folder) => {
    const samples = writeKeySamples(folder).map((sample) => ({
      ...sample,
      bytes: readFileSync(sample.path),
    }));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...samples),
        mutations,
        async ({ bytes, encrypted }, changes) => {
          const altered = [...bytes];
          let first = Infinity;
          for (const { at, remove, insert } of changes) {
            const position = Math.floor(at * altered.length);
            first = Math.min(first, position);
            altered.splice(position, remove, ...insert);
          }
          const content = Uint8Array.from(altered);
          if (encrypted && first < endOfCosts(bytes.toString())) {
            try {
              parsePrivateKey(content, "key");
            } catch (error) {
              assert(error instanceof I2ptunError);
            }
          } else await use(content);
        },
      ),
      { numRuns: 600 },
    );
    for (const { name, bytes, encrypted } of samples) {
      for (const part of [0.2, 0.5, 0.9, 0.97]) {
        const cut = bytes.subarray(0, Math.floor(part * bytes.length));
        assert.equal(await use(cut), false, `${name} at ${part}`);
        if (part < 0.97 || encrypted) continue;
        assert.throws(() => parsePrivateKey(cut, "key"), /is damaged/);
      }
    }
  },
);

/** A DER value of less than 128 bytes. */
function der(identifier: number, ...parts: (Uint8Array | string)[]) {
  const content = Buffer.concat(
    parts.map((part) =>
      typeof part === "string" ? Buffer.from(part, "hex") : part
    ),
  );
  return Buffer.concat([Buffer.of(identifier, content.length), content]);
}

function pem(label: string, bytes: Uint8Array): string {
  return `-----BEGIN ${label}-----\n${bytes.toBase64()}\n-----END ${label}-----\n`;
}

Deno.test("what would take hours or all memory is refused", async () => {
  const point = new Uint8Array(32);
  const salt = new Uint8Array(16);
  const blob = Buffer.from(encodeWire("ssh-ed25519", point));
  const data = new Uint8Array(16);
  const openSsh = (rounds: number) =>
    pem(
      "OPENSSH PRIVATE KEY",
      Buffer.concat([
        Buffer.from("openssh-key-v1\0"),
        encodeWire("aes256-ctr", "bcrypt", encodeWire(salt, rounds)),
        encodeWire(1, blob, data),
      ]),
    );
  const ppk = (memory: number, passes: number) =>
    `PuTTY-User-Key-File-3: ssh-ed25519
Encryption: aes256-cbc
Comment: me
Public-Lines: 1
${blob.toString("base64")}
Key-Derivation: Argon2id
Argon2-Memory: ${memory}
Argon2-Passes: ${passes}
Argon2-Parallelism: 1
Argon2-Salt: 00000000000000000000000000000000
Private-Lines: 1
${data.toBase64()}
Private-MAC: 00
`;
  const pkcs8 = (oid: string, ...costs: string[]) => {
    const parameters = costs.map((cost) => der(0x02, cost));
    return pem(
      "ENCRYPTED PRIVATE KEY",
      der(
        0x30,
        der(
          0x30,
          "06092a864886f70d01050d",
          der(
            0x30,
            der(0x30, oid, der(0x30, der(0x04, salt), ...parameters)),
            der(0x30, "060960864801650304012a", der(0x04, salt)),
          ),
        ),
        der(0x04, data),
      ),
    );
  };
  const pbkdf2 = "06092a864886f70d01050c";
  const scrypt = "06092b06010401da47040b";
  // the same with a bearable cost, so that it is the cost which is refused
  const bearable = [
    openSsh(1),
    ppk(64, 1),
    pkcs8(pbkdf2, "0800"),
    pkcs8(scrypt, "0400", "08", "01"),
  ];
  for (const text of bearable) {
    await assert.rejects(
      parsePrivateKey(text, "key").decrypt("wrong"),
      WrongPassphraseError,
    );
  }
  const absurd = [
    openSsh(100_000),
    openSsh(0xffff_ffff),
    ppk(2 ** 30, 1),
    ppk(1024, 10_000_000),
    pkcs8(pbkdf2, "7fffffff"),
    pkcs8(pbkdf2, "7fffffffffffffffffff"),
    pkcs8(scrypt, "01000000", "08", "01"),
    pkcs8(scrypt, "4000", "7fffffff", "01"),
    pkcs8(scrypt, "4000", "08", "7fffffff"),
  ];
  for (const text of absurd) {
    await assert.rejects(
      async () => await parsePrivateKey(text, "key").decrypt("wrong"),
      /absurd/,
    );
  }
});

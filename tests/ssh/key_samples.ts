/**
 * Private key files in every format, written by the programs that people use.
 *
 * @module
 */

import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Buffer } from "node:buffer";
import { encodeWire } from "../../src/ssh/key_wire.ts";
import { testWith } from "../support/requirements.ts";
import { makeScratchDir, removeDir } from "../support/scratch.ts";

/** Not ASCII, since passphrases are UTF-8 in all formats. */
export const PASSPHRASE = "pä55 wörd ✓";

export interface KeySample {
  /** What it is and who wrote it. */
  name: string;
  path: string;
  encrypted: boolean;
  /** The line of the `.pub` file that ssh-keygen made with the key. */
  publicLine: string;
}

export const KEY_TYPES = {
  rsa: ["-t", "rsa", "-b", "2048"],
  nistp256: ["-t", "ecdsa", "-b", "256"],
  nistp384: ["-t", "ecdsa", "-b", "384"],
  nistp521: ["-t", "ecdsa", "-b", "521"],
  ed25519: ["-t", "ed25519"],
};

/** Runs a program, without a terminal to ask at. */
export function run(program: string, ...args: string[]): string {
  return new TextDecoder().decode(runForBytes(program, ...args));
}

function runForBytes(program: string, ...args: string[]): Uint8Array {
  const { success, stdout, stderr } = new Deno.Command(program, {
    args,
    stdin: "null",
  }).outputSync();
  if (success) return stdout;
  throw new Error(`${program}: ${new TextDecoder().decode(stderr)}`);
}

/** Writes one key of each type in each format into `folder`. */
export function writeKeySamples(folder: string): KeySample[] {
  const samples: KeySample[] = [];
  const passphraseFile = join(folder, "passphrase");
  const noPassphraseFile = join(folder, "no-passphrase");
  writeFileSync(passphraseFile, PASSPHRASE);
  writeFileSync(noPassphraseFile, "");

  for (const [type, options] of Object.entries(KEY_TYPES)) {
    const base = join(folder, type);
    run("ssh-keygen", "-q", "-N", "", "-C", "me@here", "-f", base, ...options);
    let publicLine = readFileSync(`${base}.pub`, "utf8").trim();
    const add = (
      name: string,
      encrypted: boolean,
      write: (path: string) => void,
    ) => {
      const path = `${base} ${name}`;
      write(path);
      samples.push({ name: `${type} ${name}`, path, encrypted, publicLine });
    };
    const keygen =
      (encrypted: boolean, ...more: string[]) => (path: string) => {
        copyFileSync(base, path);
        const phrase = encrypted ? PASSPHRASE : "";
        run("ssh-keygen", "-qp", "-P", "", "-N", phrase, "-f", path, ...more);
      };
    const puttygen =
      (encrypted: boolean, parameters: string) => (path: string) => {
        const phrase = encrypted ? passphraseFile : noPassphraseFile;
        // deno-fmt-ignore
        run("puttygen", base, "-O", "private", "-o", path,
        "--new-passphrase", phrase, "--ppk-param", parameters);
      };

    add("OpenSSH", false, keygen(false));
    const ciphers = type === "ed25519" ? OPENSSH_CIPHERS : ["aes256-ctr"];
    for (const cipher of ciphers) {
      add(`OpenSSH ${cipher}`, true, keygen(true, "-Z", cipher, "-a", "2"));
    }
    add("PPK 2", false, puttygen(false, "version=2"));
    add("PPK 2 encrypted", true, puttygen(true, "version=2"));
    add("PPK 3", false, puttygen(false, "version=3"));
    for (const kdf of ["argon2id", "argon2i", "argon2d"]) {
      const parameters = `version=3,kdf=${kdf},memory=256,passes=3`;
      add(`PPK 3 ${kdf}`, true, puttygen(true, parameters));
    }

    const pkcs8 = `${base} PKCS#8`;
    if (type === "ed25519") {
      // Not every ssh-keygen can write this one, so openssl makes its own.
      run("openssl", "genpkey", "-algorithm", "ed25519", "-out", pkcs8);
      const point = runForBytes(
        "openssl",
        ...["pkey", "-in", pkcs8, "-pubout", "-outform", "DER"],
      ).subarray(-32);
      const blob = Buffer.from(encodeWire("ssh-ed25519", point));
      publicLine = `ssh-ed25519 ${blob.toString("base64")}`;
      add("PKCS#8", false, () => {});
    } else {
      add("PKCS#8", false, keygen(false, "-m", "PKCS8"));
      add("PKCS#8 ssh-keygen", true, keygen(true, "-m", "PKCS8"));
      add("PEM", false, keygen(false, "-m", "PEM"));
      add("PEM ssh-keygen", true, keygen(true, "-m", "PEM"));
      const command = type === "rsa" ? ["rsa", "-traditional"] : ["ec"];
      for (const cipher of ["aes128", "aes192", "aes256", "des3"]) {
        add(`PEM ${cipher}`, true, (path) => {
          // deno-fmt-ignore
          run("openssl", ...command, `-${cipher}`, "-in", pkcs8, "-out", path,
            "-passout", `file:${passphraseFile}`);
        });
      }
    }
    if (type.startsWith("nistp")) {
      for (
        const [name, ...form] of [
          ["without public key", "-no_public"],
          ["with compressed public key", "-conv_form", "compressed"],
        ]
      ) {
        add(`PEM ${name}`, false, (path) => {
          run("openssl", "ec", ...form, "-in", pkcs8, "-out", path);
        });
      }
      add("PEM after EC PARAMETERS", false, (path) => {
        const parameters = run(
          "openssl",
          "ecparam",
          "-name",
          { nistp256: "prime256v1", nistp384: "secp384r1" }[type] ??
            "secp521r1",
        );
        const key = readFileSync(`${base} PEM`, "utf8");
        const text = (parameters + key).replaceAll("\n", "\r\n");
        writeFileSync(path, text, { mode: 0o600 });
      });
    }
    for (
      const options of type === "rsa" ? PBES2_OPTIONS : [["-v2", "aes256"]]
    ) {
      add(`PKCS#8 ${options.join(" ")}`, true, (path) => {
        // deno-fmt-ignore
        run("openssl", "pkcs8", "-topk8", ...options, "-in", pkcs8, "-out", path,
          "-passout", `file:${passphraseFile}`);
      });
    }
  }
  return samples;
}

const OPENSSH_CIPHERS = [
  "3des-cbc",
  "aes128-cbc",
  "aes192-cbc",
  "aes256-cbc",
  "aes128-ctr",
  "aes192-ctr",
  "aes256-ctr",
  "aes128-gcm@openssh.com",
  "aes256-gcm@openssh.com",
  "chacha20-poly1305@openssh.com",
];

const PBES2_OPTIONS = [
  ["-v2", "aes128"],
  ["-v2", "aes192"],
  ["-v2", "aes256", "-v2prf", "hmacWithSHA512"],
  ["-v2", "des3", "-v2prf", "hmacWithSHA1"],
  ["-scrypt"],
];

/** A test with a folder of its own, left out where there are no key tools. */
export function testInFolder(
  name: string,
  test: (folder: string, t: Deno.TestContext) => void | Promise<void>,
): void {
  testWith(["ssh-keygen", "puttygen"], name, async (t) => {
    const folder = await makeScratchDir();
    try {
      await test(folder, t);
    } finally {
      await removeDir(folder);
    }
  });
}

/** Two hexadecimal digits. */
export function hexByte(value: number): string {
  return value.toString(16).padStart(2, "0");
}

import { hostname } from "node:os";
import { resolve } from "node:path";
import { I2ptunError } from "../../errors.ts";
import { type Environment, expandHome, pathsOf } from "../../platform/paths.ts";
import { fingerprint } from "../../ssh/fingerprint.ts";
import {
  checkFree,
  generateKeyPair,
  type KeyPairType,
  writeKeyPair,
} from "../../ssh/key_pair.ts";
import type { Context } from "../context.ts";
import { print, printJson } from "../output.ts";
import { askNewPassphrase, isInteractive, readLine } from "../prompts.ts";

export interface KeyCreateOptions {
  type: KeyPairType;
  file?: string | undefined;
  /** False: `--no-passphrase`. */
  passphrase: boolean;
  passwordStdin?: boolean | undefined;
}

/** `key create` */
export async function keyCreate(
  options: KeyCreateOptions,
  context: Context,
): Promise<void> {
  const { environment } = context;
  const { type } = options;
  const file = options.file === undefined
    ? pathsOf(environment).identities.find((each) => each.endsWith(type))!
    : resolve(expandHome(options.file, environment));
  await checkFree(file);
  const passphrase = await newPassphrase(file, options);
  const made = await createKey(type, file, passphrase, environment);
  const about = {
    file,
    publicFile: `${file}.pub`,
    fingerprint: made,
    encrypted: passphrase !== "",
  };
  if (context.json) return printJson(about);
  print(`wrote ${about.file} and ${about.publicFile}`);
  print(`its fingerprint is ${about.fingerprint}`);
  print(`let it log in with: i2ptun key install NAME --file ${file}.pub`);
}

/**
 * Makes a key pair in a new file.
 *
 * @returns its fingerprint
 */
export async function createKey(
  type: KeyPairType,
  file: string,
  passphrase: string,
  environment: Environment,
): Promise<string> {
  const comment = `${environment.userName}@${hostname()}`
    .replace(/[\s\p{Cc}]/gu, "");
  const pair = await generateKeyPair(type, comment, passphrase);
  await writeKeyPair(file, pair);
  return fingerprint(pair.publicKey);
}

async function newPassphrase(
  file: string,
  options: KeyCreateOptions,
): Promise<string> {
  if (!options.passphrase) return "";
  if (options.passwordStdin) return await readLine();
  if (isInteractive()) return await askNewPassphrase(file);
  throw new I2ptunError("usage", "there is nobody to ask for a passphrase", {
    remedy: "--no-passphrase, or give one with --password-stdin",
  });
}

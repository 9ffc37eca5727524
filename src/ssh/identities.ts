/**
 * The public keys a login may try, in order, each with a way to sign: from the
 * SSH agent or from a key file. A key file's passphrase is asked for only when
 * the server has said that it would accept the key.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { readFile } from "node:fs/promises";
import { I2ptunError } from "../errors.ts";
import { type Certificate, CertificateFiles } from "./certificate.ts";
import { agentIdentities, agentSign, type SignatureHash } from "./agent.ts";
import type { KeyFiles } from "./key_files.ts";
import {
  type PrivateKeyFile,
  readPrivateKey,
  WrongPassphraseError,
} from "./private_key.ts";
import type { Prompter } from "./prompter.ts";
import type { Secrets } from "./secrets.ts";
import { SigningKey } from "./signing_key.ts";
import { type ParsedKey, parseKey } from "./ssh2.ts";

export interface IdentityOptions {
  /** Key files named by the user. */
  named: string[];
  /** Certificates, besides those beside the keys (ssh_config CertificateFile). */
  certificates?: string[] | undefined;
  /** Key files tried when none is named. */
  defaults: string[];
  /** Try the named ones only, wherever their private half is. */
  onlyNamed: boolean;
  /** The agent's socket or pipe; undefined: no agent. */
  agent: string | undefined;
  /** How long the agent may take to list its keys. */
  agentPatienceMs?: number | undefined;
  /** Told of each signature by the agent, which may ask its user first. */
  signing?: (<T>(signature: Promise<T>) => Promise<T>) | undefined;
  checkPermissions: boolean;
  ask: Prompter;
  secrets: Secrets;
  /** Told why a key cannot be used. */
  note: (message: string) => void;
}

/** A key to try. `agent` is what ssh2 asks for the key and its signature. */
export interface Identity {
  label: string;
  /** The public half or certificate as it travels, in base64. */
  blob: string;
  /** The public half as it travels, in base64. */
  plain: string;
  agent: SigningKey;
}

const PASSPHRASE_ATTEMPTS = 3;

/** An agent that runs answers at once; asking its user is for signatures. */
const AGENT_PATIENCE_MS = 5000;

/**
 * Yields the keys in the order they should be tried: the named ones (by the
 * agent where it holds them), then the usual ones that the agent holds, then
 * what else it has, and without named ones the usual files. Named first, since
 * servers end a login after a few wrong keys (sshd_config MaxAuthTries).
 *
 * @param files of the same options; some may be read already
 */
export async function* identities(
  options: IdentityOptions,
  files: KeyFiles,
): AsyncGenerator<Identity> {
  const held = await heldByAgent(options);
  const tried = new Set<string>();
  const once = function* (all: Iterable<Identity>) {
    for (const identity of all) {
      if (tried.has(identity.blob)) continue;
      tried.add(identity.blob);
      yield identity;
    }
  };
  const ofAgent = async (path: string) => {
    if (held.length === 0) return [];
    const blob = await publicBlob(path);
    return held.filter((each) => each.blob === blob || each.plain === blob);
  };
  const certificates = new CertificateFiles(options.note);
  const certified = async function* (found: Identity[], path?: string) {
    yield* once(found);
    const beside = path === undefined
      ? []
      : [`${path.replace(/\.pub$/, "")}-cert.pub`];
    for (const file of [...beside, ...options.certificates ?? []]) {
      const certificate = await certificates.read(file);
      if (certificate) yield* once(certify(found, file, certificate));
    }
  };

  const { named, defaults, onlyNamed } = options;
  for (const path of named) {
    const inAgent = await ofAgent(path);
    yield* certified(inAgent, path);
    if (inAgent.some(isPlain)) continue;
    yield* certified(await fileIdentity(path, options, files, true), path);
  }
  const usual = named.length > 0 ? [] : defaults;
  for (const path of usual) yield* certified(await ofAgent(path), path);
  if (!onlyNamed) yield* certified(held);
  for (const path of usual) {
    if ((await ofAgent(path)).some(isPlain)) continue;
    yield* certified(await fileIdentity(path, options, files, false), path);
  }
}

/** Whether it is a key, not a certificate. */
function isPlain({ blob, plain }: Identity): boolean {
  return blob === plain;
}

/** The keys that a certificate is for, with it. */
function certify(
  identities: Identity[],
  path: string,
  { key, plain }: Certificate,
): Identity[] {
  return identities.filter((each) => each.plain === base64(plain)).map((
    { plain, agent },
  ) => ({
    label: path,
    blob: base64(key.getPublicSSH()),
    plain,
    agent: new SigningKey(key, agent.signature),
  }));
}

async function heldByAgent(options: IdentityOptions): Promise<Identity[]> {
  const { agent: path, signing = (signature) => signature } = options;
  if (path === undefined) return [];
  try {
    const patience = AbortSignal.timeout(
      options.agentPatienceMs ?? AGENT_PATIENCE_MS,
    );
    const held = await agentIdentities(path, patience);
    return held.map(({ key, comment, plain }) => ({
      label: `${comment || key.type} (agent)`,
      blob: base64(key.getPublicSSH()),
      plain: base64(plain),
      agent: new SigningKey(
        key,
        (data, hash) =>
          signing(agentSign(path, key.getPublicSSH(), data, hash)),
      ),
    }));
  } catch (error) {
    const { message } = error as Error;
    options.note(`the SSH agent at ${path} cannot be used: ${message}`);
    return [];
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

/** The public key of a key file, from itself or from the `.pub` beside it. */
async function publicBlob(path: string): Promise<string | undefined> {
  try {
    const file = await readPrivateKey(path, { checkPermissions: false });
    if (file.publicKey) return base64(file.publicKey);
  } catch {
    // what is wrong with it is told when its turn comes
  }
  try {
    const text = await readFile(
      path.endsWith(".pub") ? path : `${path}.pub`,
      "utf8",
    );
    return text.trim().split(/\s+/)[1];
  } catch {
    return undefined;
  }
}

/** The key of a file; none, with a note, if it cannot be used. */
async function fileIdentity(
  path: string,
  options: IdentityOptions,
  files: KeyFiles,
  named: boolean,
): Promise<Identity[]> {
  if (path.endsWith(".pub") && await publicBlob(path) !== undefined) {
    options.note(
      `${path} is the public half of a key that the SSH agent does not hold (name the private key instead)`,
    );
    return [];
  }
  let file: PrivateKeyFile;
  try {
    file = await files.read(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      if (named) options.note(`there is no key file ${path}`);
    } else {
      const known = I2ptunError.from(error);
      options.note(
        known.remedy ? `${known.message} (${known.remedy})` : known.message,
      );
    }
    return [];
  }
  const blob = file.publicKey ? base64(file.publicKey) : await publicBlob(path);
  const open = () => unlock(file, options, files);
  // without its public half, the key cannot even be offered while it is locked
  const key = blob === undefined
    ? await open()
    : parseKey(Buffer.from(blob, "base64"));
  if (key instanceof Error) {
    options.note(`${path}: ${key.message}`);
    return [];
  }
  if (key === undefined) return [];
  const sign = async (data: Buffer, hash: SignatureHash | undefined) => {
    const opened = await open();
    if (!opened) throw new Error(`${path} is locked`);
    if (base64(opened.getPublicSSH()) !== base64(key.getPublicSSH())) {
      options.note(`${path}.pub does not belong to ${path}`);
      throw new Error(`${path}.pub does not belong to ${path}`);
    }
    const signature: Buffer | Error = opened.sign(data, hash);
    if (signature instanceof Error) throw signature;
    return signature;
  };
  const plain = base64(key.getPublicSSH());
  // nobody need be asked, and it is meant for this server
  const isReady = named && !file.encrypted;
  const agent = new SigningKey(key, sign, isReady);
  return [{ label: path, blob: plain, plain, agent }];
}

/** The key ready to sign; undefined, with a note, if it cannot be had. */
async function unlock(
  file: PrivateKeyFile,
  options: IdentityOptions,
  files: KeyFiles,
): Promise<ParsedKey | undefined> {
  const kept = options.secrets.key(file.path);
  if (kept) return kept;
  try {
    return file.encrypted
      ? await askAndDecrypt(file, options)
      : await files.open(file);
  } catch (error) {
    const { kind, message } = I2ptunError.from(error);
    if (kind === "interrupted") throw error;
    options.note(message);
    return undefined;
  }
}

async function askAndDecrypt(
  file: PrivateKeyFile,
  options: IdentityOptions,
): Promise<ParsedKey | undefined> {
  for (let attempt = 1; attempt <= PASSPHRASE_ATTEMPTS; attempt++) {
    const answer = await options.ask({
      kind: "passphrase",
      path: file.path,
      attempt,
    });
    if (answer === undefined || answer === "") {
      options.note(
        attempt === 1
          ? `${file.path} needs its passphrase`
          : `the passphrase for ${file.path} was wrong`,
      );
      return undefined;
    }
    try {
      const key = await file.decrypt(answer);
      options.secrets.keepKey(file.path, key);
      return key;
    } catch (error) {
      if (!(error instanceof WrongPassphraseError)) throw error;
    }
  }
  options.note(`the passphrase for ${file.path} was wrong`);
  return undefined;
}

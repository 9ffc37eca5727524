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
import { agentIdentities, agentSign, type SignatureHash } from "./agent.ts";
import {
  type PrivateKeyFile,
  readPrivateKey,
  WrongPassphraseError,
} from "./private_key.ts";
import type { Prompter } from "./prompter.ts";
import type { Secrets } from "./secrets.ts";
import { BaseAgent, type ParsedKey, utils } from "./ssh2.ts";

export interface IdentityOptions {
  /** Key files named by the user. */
  named: string[];
  /** Key files tried when none is named. */
  defaults: string[];
  /** Try the named ones only, wherever their private half is. */
  onlyNamed: boolean;
  /** The agent's socket or pipe; undefined: no agent. */
  agent: string | undefined;
  /** How long the agent may take to list its keys. */
  agentPatienceMs?: number | undefined;
  checkPermissions: boolean;
  ask: Prompter;
  secrets: Secrets;
  /** Told why a key cannot be used. */
  note: (message: string) => void;
}

/** A key to try. `agent` is what ssh2 asks for the key and its signature. */
export interface Identity {
  label: string;
  /** The public half as it travels, in base64. */
  blob: string;
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
 */
export async function* identities(
  options: IdentityOptions,
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
    const blob = await publicBlob(path);
    return held.filter((each) => each.blob === blob);
  };

  const { named, defaults, onlyNamed } = options;
  for (const path of named) {
    const inAgent = await ofAgent(path);
    yield* once(inAgent);
    if (inAgent.length > 0) continue;
    const identity = await fileIdentity(path, options, true);
    if (identity) yield* once([identity]);
  }
  const usual = named.length > 0 ? [] : defaults;
  for (const path of usual) yield* once(await ofAgent(path));
  if (!onlyNamed) yield* once(held);
  for (const path of usual) {
    if ((await ofAgent(path)).length > 0) continue;
    const identity = await fileIdentity(path, options, false);
    if (identity) yield* once([identity]);
  }
}

async function heldByAgent(options: IdentityOptions): Promise<Identity[]> {
  const path = options.agent;
  if (path === undefined) return [];
  try {
    const patience = AbortSignal.timeout(
      options.agentPatienceMs ?? AGENT_PATIENCE_MS,
    );
    return (await agentIdentities(path, patience)).map(({ key, comment }) => ({
      label: `${comment || key.type} (agent)`,
      blob: base64(key.getPublicSSH()),
      agent: new SigningKey(
        key,
        (data, hash) => agentSign(path, key.getPublicSSH(), data, hash),
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

async function fileIdentity(
  path: string,
  options: IdentityOptions,
  named: boolean,
): Promise<Identity | undefined> {
  if (path.endsWith(".pub") && await publicBlob(path) !== undefined) {
    options.note(
      `${path} is the public half of a key that the SSH agent does not hold (name the private key instead)`,
    );
    return undefined;
  }
  let file: PrivateKeyFile;
  try {
    file = await readPrivateKey(path, {
      checkPermissions: options.checkPermissions,
    });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      if (named) options.note(`there is no key file ${path}`);
    } else {
      const known = I2ptunError.from(error);
      options.note(
        known.remedy ? `${known.message} (${known.remedy})` : known.message,
      );
    }
    return undefined;
  }
  const blob = await publicBlob(path);
  const open = () => unlock(file, options);
  // without its public half, the key cannot even be offered while it is locked
  const key = blob === undefined
    ? await open()
    : utils.parseKey(Buffer.from(blob, "base64"));
  if (key instanceof Error) {
    options.note(`${path}: ${key.message}`);
    return undefined;
  }
  if (key === undefined) return undefined;
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
  return {
    label: path,
    blob: base64(key.getPublicSSH()),
    agent: new SigningKey(key, sign),
  };
}

/** The key ready to sign; undefined, with a note, if it cannot be had. */
async function unlock(
  file: PrivateKeyFile,
  options: IdentityOptions,
): Promise<ParsedKey | undefined> {
  const kept = options.secrets.key(file.path);
  if (kept) return kept;
  try {
    return file.encrypted
      ? await askAndDecrypt(file, options)
      : await file.decrypt();
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

type SignCallback = (error?: Error | null, signature?: Buffer) => void;
type SignOptions = { hash?: SignatureHash | "sha1" };

/** One key, as ssh2 takes it from an agent: its signature may take its time. */
class SigningKey extends BaseAgent<ParsedKey> {
  constructor(
    readonly key: ParsedKey,
    readonly signature: (
      data: Buffer,
      hash: SignatureHash | undefined,
    ) => Promise<Buffer>,
  ) {
    super();
  }

  getIdentities(done: (error?: Error | null, keys?: ParsedKey[]) => void) {
    done(null, [this.key]);
  }

  sign(
    _key: ParsedKey,
    data: Buffer,
    options: SignOptions | SignCallback,
    done?: SignCallback,
  ) {
    // ssh2 gives options wherever it calls an agent
    const { hash } = options as SignOptions;
    if (hash === "sha1") return done?.(new Error("SHA-1 is too weak"));
    this.signature(data, hash)
      .then((signature) => done?.(null, signature), (error) => done?.(error));
  }
}

/**
 * The public keys a login may try, in order, each with a way to sign: from the
 * SSH agent or from a key file. A key file's passphrase is asked for only when
 * the server has said that it would accept the key.
 *
 * @module
 */

import { I2ptunError } from "../errors.ts";
import { readFile } from "node:fs/promises";
import { Buffer } from "node:buffer";
import { BaseAgent, createAgent, type ParsedKey, utils } from "./ssh2.ts";
import {
  type PrivateKeyFile,
  readPrivateKey,
  WrongPassphraseError,
} from "./private_key.ts";
import type { Prompter } from "./prompter.ts";
import type { Secrets } from "./secrets.ts";

export interface IdentityOptions {
  /** Key files named by the user. */
  named: string[];
  /** Key files tried when none is named. */
  defaults: string[];
  /** Try the named ones only, wherever their private half is. */
  onlyNamed: boolean;
  /** The agent's socket or pipe; undefined: no agent. */
  agent: string | undefined;
  checkPermissions: boolean;
  ask: Prompter;
  secrets: Secrets;
  /** Told why a key cannot be used. */
  note: (message: string) => void;
}

/** A key to try. `agent` is what ssh2 asks for the key and its signature. */
export interface Identity {
  label: string;
  agent: AgentKey | FileKey;
}

const PASSPHRASE_ATTEMPTS = 3;

/**
 * Yields the keys in the order they should be tried: the named ones (by the
 * agent where it holds them), then what else the agent has, and without named
 * ones the default files. Named first, since servers end a login after a few
 * wrong keys (sshd_config MaxAuthTries).
 */
export async function* identities(
  options: IdentityOptions,
): AsyncGenerator<Identity> {
  const held = await agentKeys(options);
  const tried = new Set<string>();
  const fromAgent = function* (wanted: (blob: string) => boolean) {
    for (const key of held) {
      const blob = blobOf(key);
      if (tried.has(blob) || !wanted(blob)) continue;
      tried.add(blob);
      yield {
        label: `${key.comment || key.type} (agent)`,
        agent: new AgentKey(options.agent ?? "", key),
      };
    }
  };

  for (const path of options.named) {
    const blob = await publicBlob(path);
    if (blob !== undefined) yield* fromAgent((each) => each === blob);
    if (blob !== undefined && tried.has(blob)) continue;
    const identity = await fileIdentity(path, options, true);
    if (identity) yield identity;
  }
  if (!options.onlyNamed) yield* fromAgent(() => true);
  if (options.named.length > 0) return;
  for (const path of options.defaults) {
    const blob = await publicBlob(path);
    if (blob !== undefined && tried.has(blob)) continue;
    const identity = await fileIdentity(path, options, false);
    if (identity) yield identity;
  }
}

function agentKeys(options: IdentityOptions): Promise<ParsedKey[]> {
  const path = options.agent;
  if (path === undefined) return Promise.resolve([]);
  return new Promise((resolve) => {
    createAgent(path).getIdentities((error, keys) => {
      if (error) options.note(`the SSH agent at ${path} does not answer`);
      resolve(
        (keys ?? []).filter((key): key is ParsedKey =>
          typeof key === "object" && "getPublicSSH" in key
        ),
      );
    });
  });
}

function blobOf(key: ParsedKey): string {
  return Buffer.from(key.getPublicSSH()).toString("base64");
}

/** The public key of a key file, from itself or from the `.pub` beside it. */
async function publicBlob(path: string): Promise<string | undefined> {
  try {
    const file = await readPrivateKey(path, { checkPermissions: false });
    if (file.publicKey) return Buffer.from(file.publicKey).toString("base64");
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
  const open = () => decrypt(file, options);
  if (blob === undefined) {
    const key = await open();
    return key && { label: path, agent: new FileKey(key, () => open()) };
  }
  const publicKey = utils.parseKey(Buffer.from(blob, "base64"));
  if (publicKey instanceof Error) {
    options.note(`${path}: ${publicKey.message}`);
    return undefined;
  }
  return { label: path, agent: new FileKey(publicKey, open) };
}

async function decrypt(
  file: PrivateKeyFile,
  options: IdentityOptions,
): Promise<ParsedKey | undefined> {
  const kept = options.secrets.key(file.path);
  if (kept) return kept;
  if (!file.encrypted) return await file.decrypt();
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
type SignOptions = { hash?: "sha1" | "sha256" | "sha512" };

/** One key that the SSH agent holds. */
class AgentKey extends BaseAgent<ParsedKey> {
  constructor(readonly path: string, readonly key: ParsedKey) {
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
    createAgent(this.path).sign(this.key, data, options as SignOptions, done);
  }
}

/** One key file, opened when the server wants its signature. */
class FileKey extends BaseAgent<ParsedKey> {
  constructor(
    readonly key: ParsedKey,
    readonly open: () => Promise<ParsedKey | undefined>,
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
    this.open().then((key) => {
      if (!key) return done?.(new Error("the key is locked"));
      // ssh2 gives options wherever it calls its own agents
      const hash = (options as SignOptions).hash;
      const signature = key.sign(data, hash);
      if (signature instanceof Error) done?.(signature);
      else done?.(null, signature);
    }).catch((error) => done?.(error));
  }
}

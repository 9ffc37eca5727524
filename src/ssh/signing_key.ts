/**
 * A key as ssh2 takes it from an agent: one at a time, and its signature may
 * take its time.
 *
 * @module
 */

import type { Buffer } from "node:buffer";
import type { SignatureHash } from "./agent.ts";
import { BaseAgent, type ParsedKey } from "./ssh2.ts";

type SignCallback = (error?: Error | null, signature?: Buffer) => void;
type SignOptions = { hash?: SignatureHash | "sha1" };

const ready = new WeakSet<ParsedKey>();

/** Whether a key can sign without anybody being asked. */
export function isReady(key: ParsedKey): boolean {
  return ready.has(key);
}

/** An agent with one key. */
export class SigningKey extends BaseAgent<ParsedKey> {
  /** @param isReady default false; see {@link isReady} */
  constructor(
    readonly key: ParsedKey,
    readonly signature: (
      data: Buffer,
      hash: SignatureHash | undefined,
    ) => Promise<Buffer>,
    isReady = false,
  ) {
    super();
    if (isReady) ready.add(key);
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
    let { hash } = options as SignOptions;
    // of certificates it knows no hash
    if (this.key.type.startsWith("rsa-sha2-512")) hash = "sha512";
    if (hash === "sha1") return done?.(new Error("SHA-1 is too weak"));
    this.signature(data, hash)
      .then((signature) => done?.(null, signature), (error) => done?.(error));
  }
}

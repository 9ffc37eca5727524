/**
 * The SSH agent: who has the keys unlocked and signs with them
 * (draft-ietf-sshm-ssh-agent).
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { connect } from "node:net";
import { type Certificate, parseCertificate } from "./certificate.ts";
import { encodeWire, WireReader } from "./key_wire.ts";
import { type ParsedKey, parseKey } from "./ssh2.ts";

/** A key that an agent holds. */
export interface AgentIdentity {
  /** Its public half, or a certificate. */
  key: ParsedKey;
  /** Its public half as it travels, without certificate. */
  plain: Uint8Array;
  comment: string;
}

const REQUEST_IDENTITIES = 11;
const IDENTITIES_ANSWER = 12;
const SIGN_REQUEST = 13;
const SIGN_RESPONSE = 14;

/** §3.6.1 of the draft; other keys have one hash only. */
const SIGN_FLAGS = { sha256: 2, sha512: 4 } as const;

/** OpenSSH's own limit, AGENT_MAX_LEN. */
const MAX_ANSWER_BYTES = 256 * 1024;

export type SignatureHash = keyof typeof SIGN_FLAGS;

/**
 * The keys and certificates that the agent holds and that can be used here; keys
 * on security tokens are left out.
 *
 * @param path its socket or named pipe
 * @throws {Error} if it cannot be reached or does not answer as an agent
 */
export async function agentIdentities(
  path: string,
  signal: AbortSignal,
): Promise<AgentIdentity[]> {
  const reader = await request(
    path,
    Buffer.of(REQUEST_IDENTITIES),
    IDENTITIES_ANSWER,
    signal,
  );
  const identities: AgentIdentity[] = [];
  for (let left = reader.uint32(); left > 0; left--) {
    const blob = Buffer.from(reader.string());
    const comment = reader.text();
    const certificate = certificateOf(blob);
    const key = certificate?.key ?? parseKey(blob);
    if (key instanceof Error) continue;
    identities.push({ key, comment, plain: certificate?.plain ?? blob });
  }
  return identities;
}

function certificateOf(blob: Uint8Array): Certificate | undefined {
  try {
    return parseCertificate(blob);
  } catch {
    return undefined;
  }
}

/**
 * Has the agent sign `data`. It may ask its user first, so this can take long.
 *
 * @param key the public half, as it travels
 * @param hash for RSA keys
 * @returns the signature without the name of its algorithm
 * @throws {Error} if the agent does not sign
 */
export async function agentSign(
  path: string,
  key: Uint8Array,
  data: Uint8Array,
  hash: SignatureHash | undefined,
): Promise<Buffer> {
  const body = encodeWire(key, data, hash ? SIGN_FLAGS[hash] : 0);
  const reader = await request(
    path,
    Buffer.concat([Buffer.of(SIGN_REQUEST), body]),
    SIGN_RESPONSE,
  );
  const signature = new WireReader(reader.string());
  signature.string(); // the algorithm
  return Buffer.from(signature.string());
}

/** One question and its answer, whose type was read already. */
function request(
  path: string,
  message: Uint8Array,
  answerType: number,
  signal?: AbortSignal,
): Promise<WireReader> {
  return new Promise<WireReader>((resolve, reject) => {
    const socket = connect({ path });
    let heard = Buffer.alloc(0);
    const settle = (error: Error | undefined, reader?: WireReader) => {
      signal?.removeEventListener("abort", onAbort);
      socket.destroy();
      if (error) reject(error);
      else resolve(reader!);
    };
    const onAbort = () => settle(new Error("it does not answer"));
    if (signal?.aborted) return onAbort();
    signal?.addEventListener("abort", onAbort, { once: true });
    socket.on("connect", () => socket.write(encodeWire(message)));
    socket.on("data", (chunk) => {
      heard = Buffer.concat([heard, chunk]);
      if (heard.length < 4) return;
      const length = heard.readUInt32BE();
      if (length === 0 || length > MAX_ANSWER_BYTES) {
        return settle(new Error("what answers is no agent"));
      }
      if (heard.length < 4 + length) return;
      const reader = new WireReader(heard.subarray(4, 4 + length));
      const [type] = reader.raw(1);
      if (type === answerType) settle(undefined, reader);
      else settle(new Error("the agent refused"));
    });
    socket.on("error", settle);
    socket.on("close", () => settle(new Error("it closed the connection")));
  });
}

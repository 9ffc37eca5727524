/**
 * What goes wrong with a private key file, thrown without the file's name by
 * the readers of each format and turned into an error with the name, once, by
 * `private_key.ts`.
 *
 * @module
 */

export type KeyFailureKind =
  /** Cut off, altered, or never a whole key. */
  | "damaged"
  /** A sound key of a kind that cannot be used here. */
  | "unsupported"
  /** Something else than a private key. */
  | "not-a-key"
  | "wrong-passphrase";

/**
 * Why a key cannot be read. `message` continues a sentence about the file,
 * `FILE` in the remedy stands for its name.
 */
export class KeyFailure extends Error {
  constructor(
    readonly kind: KeyFailureKind,
    message: string,
    readonly remedy?: string,
  ) {
    super(message);
  }
}

/** A {@link KeyFailure} for a file that was cut off or altered. */
export function damaged(detail: string): KeyFailure {
  return new KeyFailure("damaged", detail);
}

/** Decodes base64 with any white space in it. @throws {KeyFailure} */
export function decodeBase64(text: string): Uint8Array {
  try {
    return Uint8Array.fromBase64(text);
  } catch {
    throw damaged("it is not valid base64");
  }
}

/** The {@link KeyFailure} for a key type that is not RSA, ECDSA or Ed25519. */
export function unsupportedType(type: string): KeyFailure {
  if (type.startsWith("sk-")) {
    return new KeyFailure(
      "unsupported",
      `it belongs to a FIDO security key (${type})`,
      "add it to the SSH agent with ssh-add, which can talk to the security key",
    );
  }
  return new KeyFailure(
    "unsupported",
    type === "ssh-dss"
      ? "DSA keys are no longer accepted by SSH servers"
      : `keys of type ${JSON.stringify(type.slice(0, 60))} are not supported`,
    "make an Ed25519 key: i2ptun key create",
  );
}

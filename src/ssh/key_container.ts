/**
 * What the reader of each key file format hands over.
 *
 * @module
 */

import type { KeyMaterial } from "./key_material.ts";

/** A decrypted key. */
export interface OpenedKey {
  material: KeyMaterial;
  comment: string;
}

/** A key file taken apart, not yet decrypted. */
export interface KeyContainer {
  /** Such as `ssh-ed25519`; undefined if only the passphrase reveals it. */
  type: string | undefined;
  /** As it travels in SSH; undefined if only the passphrase reveals it. */
  publicKey: Uint8Array | undefined;
  /** Empty if there is none or only the passphrase reveals it. */
  comment: string;
  encrypted: boolean;
  /** @throws {KeyFailure}, and anything if the decrypted bytes are damaged */
  open(passphrase: Uint8Array): Promise<OpenedKey>;
}

/** The container of a key that is not encrypted. */
export function openContainer(
  key: OpenedKey,
  publicKey: Uint8Array,
): KeyContainer {
  return {
    type: key.material.type,
    publicKey,
    comment: key.comment,
    encrypted: false,
    open: () => Promise.resolve(key),
  };
}

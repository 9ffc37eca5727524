/**
 * Frees ssh2's ciphers. It makes one for each packet that chacha20-poly1305
 * takes, uses it once and leaves it; Deno (2.7.11 and 2.9.6) keeps a cipher for
 * ever that was not finished, some 10 kB for each forwarded connection.
 *
 * To be loaded before ssh2, which looks its functions up then.
 *
 * @module
 */

import crypto from "node:crypto";

/** What ssh2 uses of a cipher; of this one, once. */
interface OneUse {
  update(data: Uint8Array): unknown;
  final(): unknown;
}

type Create = (algorithm: string, ...rest: unknown[]) => OneUse;

function finishing(create: Create): Create {
  return (algorithm, ...rest) => {
    const cipher = create(algorithm, ...rest);
    if (algorithm !== "chacha20") return cipher;
    const update = cipher.update;
    cipher.update = (data) => {
      const result = update.call(cipher, data);
      // a stream cipher has nothing left to give
      cipher.final();
      return result;
    };
    return cipher;
  };
}

const functions = crypto as unknown as Record<
  "createCipheriv" | "createDecipheriv",
  Create
>;
functions.createCipheriv = finishing(functions.createCipheriv);
functions.createDecipheriv = finishing(functions.createDecipheriv);

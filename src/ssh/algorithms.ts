/**
 * What is offered to a server: nothing weak, the fastest first.
 *
 * @module
 */

import { getCiphers } from "node:crypto";

/** Names as in the IANA registry "SSH Protocol Parameters" and OpenSSH's PROTOCOL. */
export interface AlgorithmOffer {
  kex: string[];
  serverHostKey: string[];
  cipher: string[];
  hmac: string[];
  compress: string[];
}

/** ecdh-sha2-nistp521 is left out: Deno's node:crypto says `invalid curve`. */
const KEX = [
  "curve25519-sha256",
  "curve25519-sha256@libssh.org",
  "ecdh-sha2-nistp256",
  "ecdh-sha2-nistp384",
  "diffie-hellman-group16-sha512",
  "diffie-hellman-group18-sha512",
  "diffie-hellman-group14-sha256",
  "diffie-hellman-group-exchange-sha256",
];

const HOST_KEYS = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "rsa-sha2-512",
  "rsa-sha2-256",
];

/** Measured over one download through a tunnel, fastest first. */
const CIPHERS = [
  "chacha20-poly1305@openssh.com",
  "aes128-ctr",
  "aes128-gcm@openssh.com",
  "aes256-gcm@openssh.com",
  "aes192-ctr",
  "aes256-ctr",
];

const MACS = [
  "hmac-sha2-256-etm@openssh.com",
  "hmac-sha2-512-etm@openssh.com",
  "hmac-sha2-256",
  "hmac-sha2-512",
];

/** The key type (as known_hosts names it) that a host key algorithm uses. */
function keyTypeOf(algorithm: string): string {
  return algorithm.startsWith("rsa-sha2-") ? "ssh-rsa" : algorithm;
}

/**
 * The offer for one server.
 *
 * @param knownKeyTypes types on file for the host: their algorithms go first,
 *   so that the server proves a key we can compare (as OpenSSH's
 *   order_hostkeyalgs does).
 */
export function algorithmOffer(knownKeyTypes: string[] = []): AlgorithmOffer {
  const known = HOST_KEYS.filter((each) =>
    knownKeyTypes.includes(keyTypeOf(each))
  );
  const available = getCiphers();
  return {
    kex: KEX,
    serverHostKey: [
      ...known,
      ...HOST_KEYS.filter((each) => !known.includes(each)),
    ],
    cipher: CIPHERS.filter((each) =>
      !each.startsWith("chacha20") || available.includes("chacha20")
    ),
    hmac: MACS,
    compress: ["none"],
  };
}

/**
 * Files that are taken for private keys of SSH and are none, or none that can
 * be used.
 *
 * @module
 */

import { KeyFailure } from "./key_failure.ts";

const SSH_PUBLIC_KEY =
  /^(?:ssh-|ecdsa-sha2-|sk-)[\w@.-]+[ \t]+AAAA|^---- BEGIN SSH2 PUBLIC KEY|^-----BEGIN (?:RSA |EC )?PUBLIC KEY/;

/**
 * What a file seems to be in which no private key was found. `FILE` in the
 * remedy stands for its name.
 *
 * @param text one character for each byte
 */
export function notAKey(text: string): KeyFailure {
  const is = (message: string, remedy?: string) =>
    new KeyFailure("not-a-key", message, remedy);
  const withKeygen = "convert it: ssh-keygen -i -f FILE";
  if (text === "") return is("it is empty");
  if (/^[\w@.-]+-cert-v0\d@openssh\.com[ \t]/.test(text)) {
    return is("it is a certificate", "give the private key that belongs to it");
  }
  if (SSH_PUBLIC_KEY.test(text)) {
    return is(
      "it is a public key",
      "give the private key, usually the same name without .pub",
    );
  }
  if (text.startsWith("---- BEGIN SSH2 ENCRYPTED PRIVATE KEY")) {
    return new KeyFailure(
      "unsupported",
      "it is in the format of ssh.com",
      withKeygen,
    );
  }
  if (text.startsWith("SSH PRIVATE KEY FILE FORMAT 1.")) {
    return new KeyFailure(
      "unsupported",
      "it is for SSH version 1",
      "make a new key: i2ptun key create",
    );
  }
  if (/^-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE/.test(text)) {
    return is("it is an X.509 certificate", "give the private key itself");
  }
  if (/^0[\x80-\x84]/.test(text)) {
    return is(
      "it is binary (DER or PKCS#12)",
      "convert it: openssl pkcs12 -in FILE -nocerts, or openssl pkey -inform DER -in FILE",
    );
  }
  return is("nothing in it looks like one");
}

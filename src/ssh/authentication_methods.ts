/**
 * The methods of logging in (RFC 4252, RFC 4256) that there are here.
 *
 * @module
 */

/** In OpenSSH's order. */
export const METHODS = [
  "publickey",
  "keyboard-interactive",
  "password",
] as const;

export type Method = typeof METHODS[number];

import { isIPv6 } from "node:net";

/** The longest name of RFC 1928 §5 (one byte for its length) and of DNS. */
const LONGEST_NAME = 255;

/**
 * The host that a proxy's client named, to be passed on as it is: never looked
 * up here. An IPv6 address may be in brackets.
 *
 * @returns undefined if it cannot be a host's name or address
 */
export function proxyHost(text: string): string | undefined {
  const bracketed = /^\[(.*)\]$/.exec(text)?.[1];
  if (bracketed !== undefined) return isIPv6(bracketed) ? bracketed : undefined;
  if (text === "" || text.length > LONGEST_NAME) return undefined;
  // such characters would forge lines of the log and of HTTP
  return /[\s\p{Cc}\uFFFD/?#@[\]\\]/u.test(text) ? undefined : text;
}

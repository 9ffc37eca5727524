/**
 * What kind of server speaks, by the first thing it says: for a port where
 * another one was expected.
 *
 * @module
 */

/** How servers begin, of the protocols that are often met by mistake. */
const BEGINNINGS: [beginning: RegExp, name: string][] = [
  [/^SSH-/, "an SSH server"], // RFC 4253 §4.2
  [/^HTTP\//, "a web server (HTTP)"], // RFC 9112 §4
  [/^<(!doctype|html)/i, "a web server (HTTP)"],
  // a record of an alert or a handshake, RFC 8446 §5.1
  // deno-lint-ignore no-control-regex
  [/^[\x15\x16]\x03[\x00-\x04]/, "a TLS server (as for HTTPS)"],
  [/^220[ -].*\bE?SMTP\b/i, "a mail server (SMTP)"], // RFC 5321 §4.2
  [/^220[ -].*\bFTP/i, "a file server (FTP)"],
  [/^220[ -]/, "a mail or file server (SMTP or FTP)"],
  [/^\+OK/, "a mail server (POP3)"], // RFC 1939 §4
  [/^\* (OK|PREAUTH)/, "a mail server (IMAP)"], // RFC 3501 §7.1
  [/^RFB \d/, "a screen server (VNC)"],
  [/^HELLO REPLY/, "I2P's SAM bridge"],
  [/^BOB \d/, "I2P's BOB bridge"],
  [/^.{4}\n\d+\.\d+\.\d+[-\w.]*\0/s, "a MySQL server"],
  [/^-(ERR|DENIED|NOAUTH)/, "a Redis server"],
  // deno-lint-ignore no-control-regex
  [/^\x05[\x00-\x02\xff]/, "a SOCKS proxy"], // RFC 1928 §3
];

/**
 * Names a server by what it said first, such as "a web server (HTTP)";
 * undefined if it is none that is known here.
 *
 * @param said its bytes as latin1 text
 */
export function protocolName(said: string): string | undefined {
  return BEGINNINGS.find(([beginning]) => beginning.test(said))?.[1];
}

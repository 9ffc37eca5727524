/**
 * Whether this machine still has an address: a laptop that has changed networks
 * has not, and connections from that address are dead.
 *
 * @param address of IP, with or without a zone
 * @returns true too if the system does not tell
 */
export function hasAddress(address: string): boolean {
  // the whole 127.0.0.0/8 is this machine's, listed or not (RFC 1122 §3.2.1.3)
  if (address.startsWith("127.")) return true;
  const plain = withoutZone(address);
  try {
    return Deno.networkInterfaces()
      .some((each) => withoutZone(each.address) === plain);
  } catch {
    return true;
  }
}

function withoutZone(address: string): string {
  return address.replace(/%.*/, "").replace(/^::ffff:(?=\d+\.)/, "");
}

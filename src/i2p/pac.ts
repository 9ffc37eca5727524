/**
 * A proxy auto-config file, for a browser that one already has.
 *
 * @module
 */

import { type Entrance, formatAddress } from "./entrance.ts";

/**
 * The file: `.i2p` through the tunnel, and only there, all else directly.
 * Old JavaScript, as some systems run it with engines of their own.
 *
 * @param name the profile's
 */
export function proxyAutoConfig(name: string, { proxy }: Entrance): string {
  const keyword = proxy.kind === "http" ? "PROXY" : "SOCKS5";
  return `// Proxy auto-config: .i2p through the i2ptun profile ${name}, all else directly.
// It takes the place of a proxy that was set before: if you need that one,
// return it instead of "DIRECT", as "PROXY host:port".
function FindProxyForURL(url, host) {
  if (/\\.i2p\\.?$/i.test(host)) return "${keyword} ${formatAddress(proxy)}";
  return "DIRECT";
}
`;
}

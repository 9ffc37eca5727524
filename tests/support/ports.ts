/**
 * Ports for test servers.
 *
 * @module
 */

/**
 * A port that is free on 127.0.0.1 and, where it exists, ::1. It lies below the
 * range from which systems take the ports of outgoing connections, so that a
 * server which is stopped can have it again.
 */
export function freePort(): number {
  while (true) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (isFree(port) && isFree(port, "::1")) return port;
  }
}

/** Whether nothing listens at a port of this address. */
export function isFree(port: number, hostname = "127.0.0.1"): boolean {
  try {
    Deno.listen({ hostname, port }).close();
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.AddrInUse);
  }
}

/**
 * Ports for test servers.
 *
 * @module
 */

/** Where ports for tests begin. */
const FIRST = 20_000;

/** How many there are. */
const COUNT = 12_000;

/** Those that were given: a server's host key is remembered with its port. */
const given = new Set<number>();

/**
 * A port that is free on 127.0.0.1 and, where it exists, ::1. It lies below the
 * range from which systems take the ports of outgoing connections, so that a
 * server which is stopped can have it again; nobody else in the same test file
 * gets it. Runs at the same time keep out of each other's way if
 * `I2PTUN_TEST_PORTS` says so: `2/3` is the second third.
 */
export function freePort(): number {
  const range = Deno.env.get("I2PTUN_TEST_PORTS") || "1/1";
  const [part = 1, parts = 1] = range.split("/").map(Number);
  const count = Math.floor(COUNT / parts);
  const first = FIRST + (part - 1) * count;
  while (true) {
    const port = first + Math.floor(Math.random() * count);
    if (given.has(port) || !isFree(port) || !isFree(port, "::1")) continue;
    given.add(port);
    return port;
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

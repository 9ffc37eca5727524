/**
 * A long way to the server, as a process of its own: relays that hold every byte
 * back for half a round trip in each direction, in order, however many are under
 * way. Arguments: the server's port, and round trips in milliseconds. Writes the
 * relays' ports, in that order, to standard output.
 *
 * TCP itself does not see the distance: what is measured is how well SSH's own
 * windows and waiting for answers cope with it.
 *
 * @module
 */

async function relay(
  near: Deno.TcpConn,
  serverPort: number,
  delayMs: number,
): Promise<void> {
  const far = await Deno.connect({ hostname: "127.0.0.1", port: serverPort });
  near.setNoDelay(true);
  far.setNoDelay(true);
  try {
    await Promise.all([
      pass(near, far, delayMs),
      pass(far, near, delayMs),
    ]);
  } finally {
    far.close();
  }
}

async function pass(
  from: Deno.TcpConn,
  to: Deno.TcpConn,
  delayMs: number,
): Promise<void> {
  /** What is under way; null is the end. */
  const queue: { due: number; chunk: Uint8Array | null }[] = [];
  let arrived = Promise.withResolvers<void>();

  const read = async () => {
    const buffer = new Uint8Array(256 * 1024);
    while (true) {
      const count = await from.read(buffer);
      const chunk = count === null ? null : buffer.slice(0, count);
      queue.push({ due: performance.now() + delayMs, chunk });
      arrived.resolve();
      if (chunk === null) return;
    }
  };

  const write = async () => {
    while (true) {
      const next = queue.shift();
      if (next === undefined) {
        await arrived.promise;
        arrived = Promise.withResolvers();
        continue;
      }
      const early = next.due - performance.now();
      if (early > 0) {
        await new Promise((resolve) => setTimeout(resolve, early));
      }
      if (next.chunk === null) return await to.closeWrite();
      let rest = next.chunk;
      while (rest.length > 0) rest = rest.subarray(await to.write(rest));
    }
  };

  try {
    await Promise.all([read(), write()]);
  } catch (error) {
    // one side is gone: let the other direction find out
    for (const conn of [from, to]) await conn.closeWrite().catch(() => {});
    throw error;
  }
}

if (import.meta.main) {
  const [serverPort, ...roundTrips] = Deno.args.map(Number);
  for (const roundTrip of roundTrips) {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    console.log(listener.addr.port);
    (async () => {
      for await (const conn of listener) {
        relay(conn, serverPort!, roundTrip / 2).catch(() => {
          // a client that was ended; there is nobody to tell
        }).finally(() => conn.close());
      }
    })();
  }
}

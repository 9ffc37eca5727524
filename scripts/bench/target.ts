/**
 * What is behind the server, as a process of its own: does what it is asked to
 * (wire.ts). Writes its port to standard output.
 *
 * @module
 */
import {
  decodeRequest,
  encodeCount,
  readFull,
  REQUEST_BYTES,
  SINK,
  writeAll,
  writeZeros,
} from "./wire.ts";

async function serve(conn: Deno.TcpConn): Promise<void> {
  conn.setNoDelay(true);
  const header = new Uint8Array(REQUEST_BYTES);
  while (await readFull(conn, header)) {
    const request = decodeRequest(header);
    switch (request.kind) {
      case "send":
        await readFull(conn, new Uint8Array(request.more ?? 0));
        await writeZeros(conn, request.bytes);
        break;
      case "give":
        return await writeZeros(conn, request.bytes);
      case "take":
        return await take(conn, request.bytes, request.limitMs);
      case "echo":
        return await echo(conn);
    }
  }
}

async function take(
  conn: Deno.TcpConn,
  bytes: number,
  limitMs: number,
): Promise<void> {
  const until = performance.now() + limitMs;
  let taken = 0;
  while (taken < bytes && performance.now() < until) {
    const count = await conn.read(SINK);
    if (count === null) return;
    taken += count;
  }
  await writeAll(conn, encodeCount(taken));
  // closing now would reset the connection and could lose the answer
  while (await conn.read(SINK) !== null);
}

async function echo(conn: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(1024);
  while (true) {
    const count = await conn.read(buffer);
    if (count === null) return;
    await writeAll(conn, buffer.subarray(0, count));
  }
}

if (import.meta.main) {
  const listener = Deno.listen({
    hostname: "127.0.0.1",
    port: 0,
    // thousands come at once, and a full queue would cost each a second
    tcpBacklog: 4096,
  });
  console.log(listener.addr.port);
  for await (const conn of listener) {
    serve(conn).catch(() => {
      // a client that was ended; there is nobody to tell
    }).finally(() => conn.close());
  }
}

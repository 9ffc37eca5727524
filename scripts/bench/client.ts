/**
 * The near end of the tunnel: asks the target for things through a local port,
 * and takes the time.
 *
 * What takes long ends early: a slow program is as comparable after some
 * seconds as after minutes.
 *
 * @module
 */
import {
  decodeCount,
  encodeGet,
  encodePageGet,
  encodeRequest,
  readFull,
  SINK,
  writeAll,
  writeZeros,
} from "./wire.ts";

/** Bytes that came through, and how long they took. */
export interface Transfer {
  bytes: number;
  ms: number;
}

/** How much, and for how long at most. */
export interface Amount {
  bytes: number;
  limitMs: number;
}

/** Fetches over one connection. */
export async function download(
  port: number,
  { bytes, limitMs }: Amount,
): Promise<Transfer> {
  const start = performance.now();
  using conn = await connect(port);
  await writeAll(conn, encodeRequest({ kind: "send", bytes }));
  let taken = 0;
  while (taken < bytes && performance.now() - start < limitMs) {
    const count = await conn.read(SINK);
    if (count === null) throw endedAfter(taken, bytes);
    taken += count;
  }
  return { bytes: taken, ms: performance.now() - start };
}

/** Fetches over so many connections at once; the bytes are those of all. */
export async function downloads(
  port: number,
  count: number,
  { bytes, limitMs }: Amount,
): Promise<Transfer> {
  const start = performance.now();
  const each = { bytes: Math.ceil(bytes / count), limitMs };
  const transfers = await Promise.all(
    Array.from({ length: count }, () => download(port, each)),
  );
  return {
    bytes: transfers.reduce((sum, transfer) => sum + transfer.bytes, 0),
    ms: performance.now() - start,
  };
}

/** Sends over one connection; what counts is what has arrived at the target. */
export async function upload(
  port: number,
  { bytes, limitMs }: Amount,
): Promise<Transfer> {
  const start = performance.now();
  using conn = await connect(port);
  await writeAll(conn, encodeRequest({ kind: "take", bytes, limitMs }));
  let answered = false;
  const writing = writeZeros(conn, bytes, () => answered);
  writing.catch(() => {
    // closed while it was still writing, because the time was over
  });
  const answer = new Uint8Array(8);
  if (!await readFull(conn, answer)) throw endedAfter(0, bytes);
  answered = true;
  return { bytes: decodeCount(answer), ms: performance.now() - start };
}

/** One byte there and back again and again. @returns the time of each, in ms */
export async function roundTrips(
  port: number,
  count: number,
  limitMs: number,
): Promise<number[]> {
  using conn = await connect(port);
  await writeAll(conn, encodeRequest({ kind: "echo" }));
  const byte = new Uint8Array(1);
  return await repeat(count, limitMs, async () => {
    await conn.write(byte);
    if (!await readFull(conn, byte)) throw endedAfter(0, 1);
  });
}

/** New connections one after the other, one byte each. @returns ms of each */
export function openings(
  port: number,
  count: number,
  limitMs: number,
): Promise<number[]> {
  return repeat(count, limitMs, () => fetchExactly(port, 1));
}

/** As {@link openings}, but the target closes them. @returns ms of each */
export function given(
  port: number,
  count: number,
  limitMs: number,
): Promise<number[]> {
  return repeat(count, limitMs, async () => {
    using conn = await connect(port);
    await writeAll(conn, encodeRequest({ kind: "give", bytes: 1 }));
    await take(conn, 1);
  });
}

/** So many connections, all opened at once. @returns ms until all are served */
export async function connections(
  port: number,
  count: number,
  bytes: number,
): Promise<number> {
  const start = performance.now();
  await Promise.all(
    Array.from({ length: count }, () => fetchExactly(port, bytes)),
  );
  return performance.now() - start;
}

/**
 * A page and its files, as a browser loads them: the page first; then the files,
 * by up to six connections that stay open (the one of the page among them), each
 * asking for the next when it has one.
 *
 * @returns ms until all are there
 */
export async function page(
  port: number,
  files: number,
  fileBytes: number,
): Promise<number> {
  const start = performance.now();
  using first = await connect(port);
  await get(first, fileBytes, encodePageGet);
  let left = files;
  const share = async (conn: Deno.Conn) => {
    while (left-- > 0) await get(conn, fileBytes);
  };
  const further = Array.from({ length: Math.min(5, files - 1) }, async () => {
    using conn = await connect(port);
    await share(conn);
  });
  await Promise.all([share(first), ...further]);
  return performance.now() - start;
}

/**
 * Waits for a tunnel: tries to connect every two milliseconds, until a byte
 * comes through.
 *
 * @param running says whether the program still runs
 * @throws {Error} when it does not, or after half a minute
 */
export async function firstByte(
  port: number,
  running: () => boolean,
): Promise<void> {
  const until = performance.now() + 30_000;
  while (performance.now() < until && running()) {
    try {
      return await fetchExactly(port, 1);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
  throw new Error("no byte comes through");
}

async function fetchExactly(port: number, bytes: number): Promise<void> {
  using conn = await connect(port);
  await fetchOver(conn, bytes);
}

async function fetchOver(conn: Deno.Conn, bytes: number): Promise<void> {
  await writeAll(conn, encodeRequest({ kind: "send", bytes }));
  await take(conn, bytes);
}

async function get(
  conn: Deno.Conn,
  bytes: number,
  encode = encodeGet,
): Promise<void> {
  await writeAll(conn, encode(bytes));
  await take(conn, bytes);
}

async function take(conn: Deno.Conn, bytes: number): Promise<void> {
  let taken = 0;
  while (taken < bytes) {
    const count = await conn.read(SINK);
    if (count === null) throw endedAfter(taken, bytes);
    taken += count;
  }
}

async function connect(port: number): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  conn.setNoDelay(true);
  return conn;
}

async function repeat(
  count: number,
  limitMs: number,
  once: () => Promise<void>,
): Promise<number[]> {
  const times: number[] = [];
  const until = performance.now() + limitMs;
  for (let i = 0; i < count && performance.now() < until; i++) {
    const start = performance.now();
    await once();
    times.push(performance.now() - start);
  }
  return times;
}

function endedAfter(taken: number, bytes: number): Error {
  return new Error(`a connection ended after ${taken} of ${bytes} bytes`);
}

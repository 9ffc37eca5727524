/**
 * What the client says to the target behind the server: requests of 16 bytes,
 * one after the other on a connection, so that neither end has text to parse
 * and both cost next to nothing.
 *
 * @module
 */

/** The length of an encoded {@link Request}. */
export const REQUEST_BYTES = 16;

/** What the target is to do. */
export type Request =
  /** Sends so many bytes, after so many more of the request that mean nothing. */
  | { kind: "send"; bytes: number; more?: number }
  /**
   * Takes so many bytes, or what comes within `limitMs`; then answers how many
   * came (8 bytes) and throws away the rest. The last request of a connection.
   */
  | { kind: "take"; bytes: number; limitMs: number }
  /** Sends back whatever comes. The last request of a connection. */
  | { kind: "echo" }
  /** Sends so many bytes and closes, as HTTP does without keep-alive. */
  | { kind: "give"; bytes: number };

const KINDS = ["send", "take", "echo", "give"] as const;

/** A request as it is sent. */
export function encodeRequest(request: Request): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(REQUEST_BYTES));
  view.setUint8(0, KINDS.indexOf(request.kind));
  if (request.kind === "take") view.setUint32(4, request.limitMs);
  if (request.kind !== "echo") view.setFloat64(8, request.bytes);
  return new Uint8Array(view.buffer);
}

/** The reverse of both. @throws {Error} if it is none */
export function decodeRequest(bytes: Uint8Array): Request {
  const get = decodeGet(bytes);
  if (get) return get;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const kind = KINDS[view.getUint8(0)];
  const count = view.getFloat64(8);
  switch (kind) {
    case "send":
    case "give":
      return { kind, bytes: count };
    case "take":
      return { kind, bytes: count, limitMs: view.getUint32(4) };
    case "echo":
      return { kind };
    default:
      throw new Error("no such request");
  }
}

/**
 * To send so many bytes, as a browser asks for them: HTTP in the length of any
 * other request.
 */
export function encodeGet(bytes: number): Uint8Array<ArrayBuffer> {
  const text = `GET /${String(bytes).padStart(9, "0")}\r\n`;
  return new TextEncoder().encode(text);
}

const PAGE_HEADERS = "Accept: text/html\r\n\r\n";

/** As {@link encodeGet}, but to show it as a page. */
export function encodePageGet(bytes: number): Uint8Array<ArrayBuffer> {
  const text = `GET .${String(bytes).padStart(9, "0")}\r\n${PAGE_HEADERS}`;
  return new TextEncoder().encode(text);
}

/** The reverse of both; undefined if it is none. */
function decodeGet(bytes: Uint8Array): Request | undefined {
  const text = new TextDecoder().decode(bytes);
  const [, mark, count] = /^GET ([./])(\d{9})\r\n$/.exec(text) ?? [];
  if (mark === undefined) return undefined;
  const more = mark === "." ? PAGE_HEADERS.length : 0;
  return { kind: "send", bytes: Number(count), more };
}

/** The answer to `take`. */
export function encodeCount(count: number): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, count);
  return new Uint8Array(view.buffer);
}

/** The reverse of {@link encodeCount}. */
export function decodeCount(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getFloat64(0);
}

/** What is sent: zeros, always the same. */
const ZEROS = new Uint8Array(1024 * 1024);

/** Where what nobody looks at goes; one for all connections. */
export const SINK = new Uint8Array(1024 * 1024);

/** Writes so many bytes, or fewer once `stopped` says so. */
export async function writeZeros(
  conn: Deno.Conn,
  count: number,
  stopped: () => boolean = () => false,
): Promise<void> {
  while (count > 0 && !stopped()) {
    count -= await conn.write(
      count < ZEROS.length ? ZEROS.subarray(0, count) : ZEROS,
    );
  }
}

/** Writes all of it. */
export async function writeAll(
  conn: Deno.Conn,
  bytes: Uint8Array,
): Promise<void> {
  while (bytes.length > 0) bytes = bytes.subarray(await conn.write(bytes));
}

/** Fills the buffer. @returns false if the connection ended before */
export async function readFull(
  conn: Deno.Conn,
  buffer: Uint8Array,
): Promise<boolean> {
  while (buffer.length > 0) {
    const count = await conn.read(buffer);
    if (count === null) return false;
    buffer = buffer.subarray(count);
  }
  return true;
}

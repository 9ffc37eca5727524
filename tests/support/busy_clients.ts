/**
 * Clients of a forward to an echo, each connection after connection, that see
 * whether a byte is lost, doubled or changed.
 *
 * @module
 */

/** What became of the connections so far. */
export interface Tally {
  /** Everything that was sent came back, then the end. */
  completed: number;
  /** Ended before that, which a client can see. */
  cut: number;
  /** Could not be opened at all. */
  refused: number;
  /** Something else came back than was sent, or more. */
  damaged: number;
  /** Nothing came and nothing ended it for {@link PATIENCE_MS}. */
  hanging: number;
}

const PATIENCE_MS = 60_000;
const PIECES = 8;
const PIECE_BYTES = 4096;
/** Between two pieces, so that faults find connections that are under way. */
const PACE_MS = 40;
/** After a connection that was cut. */
const REST_MS = 100;

const TOTAL = PIECES * PIECE_BYTES;
const CONTENT = crypto.getRandomValues(new Uint8Array(64 * 1024 - 1));

/** So many clients at `port` of 127.0.0.1, until they are stopped. */
export class BusyClients {
  readonly tally: Tally = {
    completed: 0,
    cut: 0,
    refused: 0,
    damaged: 0,
    hanging: 0,
  };
  readonly #port: number;
  readonly #running: Promise<unknown>;
  readonly #open = new Set<Deno.Conn>();
  readonly #listeners = new Set<(openedAt: number) => void>();
  #stopping = false;
  #opened = 0;

  constructor(port: number, count: number) {
    this.#port = port;
    this.#running = Promise.all(
      Array.from({ length: count }, () => this.#work()),
    );
  }

  /**
   * Waits until something comes back over a connection that was opened later.
   *
   * @param openedAfter of `performance.now()`
   * @returns when it came, of `performance.now()`; undefined if it did not within `timeoutMs`
   */
  firstByte(
    openedAfter: number,
    timeoutMs: number,
  ): Promise<number | undefined> {
    return new Promise((resolve) => {
      const done = (at: number | undefined) => {
        clearTimeout(timer);
        this.#listeners.delete(listener);
        resolve(at);
      };
      const listener = (openedAt: number) => {
        if (openedAt > openedAfter) done(performance.now());
      };
      const timer = setTimeout(() => done(undefined), timeoutMs);
      this.#listeners.add(listener);
    });
  }

  /** Lets each finish its connection, or cuts it after `graceMs`. */
  async stop(graceMs = 5000): Promise<Tally> {
    this.#stopping = true;
    const timer = setTimeout(() => {
      for (const each of this.#open) close(each);
    }, graceMs);
    await this.#running;
    clearTimeout(timer);
    return this.tally;
  }

  async #work(): Promise<void> {
    while (!this.#stopping) {
      const outcome = await this.#exchange();
      this.tally[outcome]++;
      if (outcome !== "completed") await sleep(REST_MS);
    }
  }

  async #exchange(): Promise<keyof Tally> {
    const openedAt = performance.now();
    let conn: Deno.TcpConn;
    try {
      conn = await Deno.connect({ hostname: "127.0.0.1", port: this.#port });
    } catch {
      return "refused";
    }
    this.#open.add(conn);
    const start = this.#opened++ * 7919 % (CONTENT.length - TOTAL);
    const sent = CONTENT.subarray(start, start + TOTAL);
    let isHanging = false;
    const timer = setTimeout(() => {
      isHanging = !this.#stopping;
      close(conn);
    }, PATIENCE_MS);
    send(conn, sent).catch(() => {});
    let at = 0;
    try {
      const buffer = new Uint8Array(TOTAL + 1);
      for (;;) {
        const n = await conn.read(buffer);
        if (n === null) break;
        if (at === 0) this.#listeners.forEach((each) => each(openedAt));
        const isRight = at + n <= TOTAL &&
          buffer.subarray(0, n).every((byte, i) => byte === sent[at + i]);
        if (!isRight) return "damaged";
        at += n;
      }
    } catch {
      // a reset, or it was closed here
    } finally {
      clearTimeout(timer);
      this.#open.delete(conn);
      close(conn);
    }
    return at === TOTAL ? "completed" : isHanging ? "hanging" : "cut";
  }
}

async function send(to: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let piece = 0; piece < PIECES; piece++) {
    if (piece > 0) await sleep(PACE_MS);
    const end = (piece + 1) * PIECE_BYTES;
    for (let at = piece * PIECE_BYTES; at < end;) {
      at += await to.write(bytes.subarray(at, end));
    }
  }
  await to.closeWrite();
}

function close(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // closed already
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Where the body of an HTTP/1.1 request ends. What a client sends after it is
 * its next request, perhaps for another server, and must not reach this one.
 *
 * @module
 */

/** In bytes, or as the chunks say. */
export type BodyLength = number | "chunked";

/** What of a connection's bytes belongs to one request's body. */
export interface Body {
  /** The part of `bytes`, from its start, that belongs to it. */
  take(bytes: Uint8Array): Uint8Array;
}

export function bodyOf(length: BodyLength): Body {
  return length === "chunked" ? new ChunkedBody() : new SizedBody(length);
}

class SizedBody implements Body {
  constructor(private left: number) {}

  take(bytes: Uint8Array): Uint8Array {
    const taken = bytes.subarray(0, this.left);
    this.left -= taken.length;
    return taken;
  }
}

const LINE_FEED = 10;

/** Longer lines of sizes and trailers than any client sends. */
const LONGEST_LINE = 8192;

/** RFC 9112 §7.1. Ends where the chunks are malformed. */
class ChunkedBody implements Body {
  #state: "size" | "data" | "after data" | "trailer" | "end" = "size";
  #line = "";
  #left = 0;

  take(bytes: Uint8Array): Uint8Array {
    let at = 0;
    while (at < bytes.length && this.#state !== "end") {
      if (this.#state === "data") {
        const step = Math.min(this.#left, bytes.length - at);
        at += step;
        this.#left -= step;
        if (this.#left === 0) this.#state = "after data";
      } else {
        const byte = bytes[at++]!;
        if (byte === LINE_FEED) this.#endLine();
        else this.#line += String.fromCharCode(byte);
        if (this.#line.length > LONGEST_LINE) this.#state = "end";
      }
    }
    return bytes.subarray(0, at);
  }

  #endLine(): void {
    const line = this.#line.replace(/\r$/, "");
    this.#line = "";
    switch (this.#state) {
      case "size": {
        const size = /^[0-9a-f]{1,12}(?=[ \t]*(;|$))/i.exec(line)?.[0];
        this.#left = size === undefined ? NaN : parseInt(size, 16);
        this.#state = size === undefined
          ? "end"
          : this.#left === 0
          ? "trailer"
          : "data";
        break;
      }
      case "after data":
        this.#state = line === "" ? "size" : "end";
        break;
      case "trailer":
        if (line === "") this.#state = "end";
    }
  }
}

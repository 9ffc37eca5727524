/**
 * Channels that are opened before their clients come.
 *
 * A browser opens one connection for a page and, when it has that, some more for
 * what is in it: far away from the server each would wait a round trip for its
 * channel. So when the first asks for a page, the others are opened, and one for
 * the next page; later with anything as many as there were lately.
 *
 * Only for clients that speak HTTP, and speak first: to a service that greets
 * (IRC, SMTP, SSH) a connection that nobody uses means something.
 *
 * @module
 */

import { I2ptunError } from "../errors.ts";
import type { Channel } from "../ssh/channel.ts";
import type { Sleep } from "./time_limit.ts";

/** Nearer than that there is nothing to gain; a round trip in milliseconds. */
const FAR_MS = 20;

/** How many clients at once count at most: browsers have six to a host. */
const MOST = 6;

/** For how long it counts that they were there at once, in milliseconds. */
const LATELY_MS = 10 * 60_000;

/** Unused for so long they are closed, well before servers do; milliseconds. */
const UNUSED_MS = 5000;

/** For how long none are opened after one was refused, in milliseconds. */
const REFUSED_MS = 60_000;

/** How requests begin (RFC 9112 §3, RFC 9110 §9). */
const HTTP = /^(GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|CONNECT) /;

/** Of those, with the space that follows it, in bytes. */
const LONGEST_METHOD = 8;

const LATIN1 = new TextDecoder("latin1");

/** What a browser says that wants to show a page (RFC 9110 §12.5.1). */
const FOR_A_PAGE = /^GET [^]*\r\nAccept:[^\r\n]*\btext\/html\b/i;

export interface SpareChannelsOptions {
  /** Opens a channel to the target; undefined without a connection. */
  open: () => Promise<Channel> | undefined;
  /** How far away the server is, in milliseconds; 0 if that is not known. */
  roundTripMs: () => number;
  /** Milliseconds, never going back. */
  now: () => number;
  sleep: Sleep;
}

interface Spare {
  channel: Channel;
  /** Aborts when it is not unused any more. */
  used: AbortController;
}

/** Those to one target. */
export class SpareChannels {
  readonly #options: SpareChannelsOptions;
  readonly #ready: Spare[] = [];
  #opening = 0;
  /** When somebody last asked for a page. */
  #pageAt = -Infinity;
  /** The most clients at once lately, and when that was. */
  #most = { clients: 0, at: 0 };
  /** None are opened before. */
  #notBefore = 0;
  /** How often all were discarded. */
  #discards = 0;

  constructor(options: SpareChannelsOptions) {
    this.#options = options;
  }

  /** One for a client that has come; undefined if there is none. */
  take(): Channel | undefined {
    const spare = this.#ready.shift();
    spare?.used.abort();
    spare?.channel.receive(undefined);
    return spare?.channel;
  }

  /**
   * A client has come and said something.
   *
   * @param first what it began with
   * @param clients how many there are now, with this one
   */
  heard(first: Uint8Array, clients: number): void {
    const { now, roundTripMs } = this.#options;
    // cheap, and enough for most that is not HTTP
    if (!isCapital(first[0]!)) return;
    if (!HTTP.test(LATIN1.decode(first.subarray(0, LONGEST_METHOD)))) return;
    const at = now();
    const isOver = at - this.#most.at > LATELY_MS;
    if (clients >= this.#most.clients || isOver) this.#most = { clients, at };
    const isForPage = FOR_A_PAGE.test(LATIN1.decode(first));
    if (isForPage) this.#pageAt = at;
    if (roundTripMs() < FAR_MS || at < this.#notBefore) return;
    const lately = isForPage ? MOST : Math.min(this.#most.clients, MOST);
    const forNextPage = at - this.#pageAt < UNUSED_MS ? 1 : 0;
    const wanted = Math.max(lately - clients, forNextPage);
    for (let i = this.#ready.length + this.#opening; i < wanted; i++) {
      this.#open();
    }
  }

  /** Closes all. */
  discard(): void {
    this.#discards++;
    for (const spare of [...this.#ready]) this.#drop(spare);
  }

  #open(): void {
    const opening = this.#options.open();
    if (!opening) return;
    const discards = this.#discards;
    this.#opening++;
    opening.then((channel) => {
      if (this.#discards > discards) channel.close();
      else this.#keep(channel);
    }, (error) => {
      if (I2ptunError.from(error).kind === "forward") this.#stop(REFUSED_MS);
    }).finally(() => this.#opening--);
  }

  #keep(channel: Channel): void {
    const spare = { channel, used: new AbortController() };
    this.#ready.push(spare);
    const drop = () => this.#drop(spare);
    this.#options.sleep(UNUSED_MS, spare.used.signal).then(() => {
      if (!spare.used.signal.aborted) drop();
    });
    channel.receive({
      data: (bytes) => {
        channel.consumed(bytes.length);
        // a service that greets
        this.#stop(Infinity);
        this.discard();
      },
      end: drop,
      closed: drop,
    });
  }

  #drop(spare: Spare): void {
    const at = this.#ready.indexOf(spare);
    if (at >= 0) this.#ready.splice(at, 1);
    spare.used.abort();
    spare.channel.close();
  }

  #stop(ms: number): void {
    this.#notBefore = Math.max(this.#notBefore, this.#options.now() + ms);
  }
}

function isCapital(byte: number): boolean {
  return byte >= 0x41 && byte <= 0x5a;
}

/**
 * Channels that are opened before their clients come.
 *
 * A browser opens one connection for a page and, when it has that, some more for
 * what is in it: far away from the server each would wait a round trip for its
 * channel. So when the first asks for a page, the others are opened, and later
 * with anything as many as there were lately.
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

/** Those to one target. */
export class SpareChannels {
  readonly #options: SpareChannelsOptions;
  readonly #ready: Channel[] = [];
  #opening = 0;
  /** The most clients at once lately, and when that was. */
  #most = { clients: 0, at: 0 };
  /** None are opened before. */
  #notBefore = 0;
  /** Ends the time of those that are ready or opening. */
  #time: AbortController | undefined;

  constructor(options: SpareChannelsOptions) {
    this.#options = options;
  }

  /** One for a client that has come; undefined if there is none. */
  take(): Channel | undefined {
    const channel = this.#ready.shift();
    channel?.receive(undefined);
    this.#settle();
    return channel;
  }

  /**
   * A client has come and said something.
   *
   * @param first what it began with
   * @param clients how many there are now, with this one
   */
  heard(first: Uint8Array, clients: number): void {
    const { now, roundTripMs } = this.#options;
    const text = LATIN1.decode(first);
    if (!HTTP.test(text)) return;
    const at = now();
    const isOver = at - this.#most.at > LATELY_MS;
    if (clients >= this.#most.clients || isOver) this.#most = { clients, at };
    if (roundTripMs() < FAR_MS || at < this.#notBefore) return;
    const lately = FOR_A_PAGE.test(text) ? MOST : this.#most.clients;
    const wanted = Math.min(lately, MOST) - clients;
    for (let i = this.#ready.length + this.#opening; i < wanted; i++) {
      this.#open();
    }
  }

  /** Closes all. */
  discard(): void {
    for (const channel of this.#ready.splice(0)) channel.close();
    this.#time?.abort();
    this.#time = undefined;
  }

  #open(): void {
    const opening = this.#options.open();
    if (!opening) return;
    const time = this.#time ??= this.#startTime();
    this.#opening++;
    opening.then((channel) => {
      if (time.signal.aborted) channel.close();
      else this.#keep(channel);
    }, (error) => {
      if (I2ptunError.from(error).kind === "forward") this.#stop(REFUSED_MS);
    }).finally(() => {
      this.#opening--;
      this.#settle();
    });
  }

  #keep(channel: Channel): void {
    this.#ready.push(channel);
    const drop = () => {
      const at = this.#ready.indexOf(channel);
      if (at >= 0) this.#ready.splice(at, 1);
      channel.close();
      this.#settle();
    };
    channel.receive({
      data: (bytes) => {
        channel.consumed(bytes.length);
        // a service that greets
        this.#stop(Infinity);
        this.discard();
        drop();
      },
      end: drop,
      closed: drop,
    });
  }

  #stop(ms: number): void {
    this.#notBefore = Math.max(this.#notBefore, this.#options.now() + ms);
  }

  /** The only timer, as long as there are any. */
  #startTime(): AbortController {
    const time = new AbortController();
    this.#options.sleep(UNUSED_MS, time.signal).then(() => {
      if (!time.signal.aborted) this.discard();
    });
    return time;
  }

  #settle(): void {
    if (this.#ready.length + this.#opening > 0) return;
    this.#time?.abort();
    this.#time = undefined;
  }
}

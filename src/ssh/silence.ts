/**
 * Whether a server goes on while it logs somebody in. It cannot be asked for a
 * sign of life before that (RFC 4254 §4), and how long it may think is its own
 * business: a slow machine, a directory behind PAM. So nobody is given up for
 * silence; it is only told.
 *
 * @module
 */

import type { Duplex } from "node:stream";

export interface SilenceOptions {
  /** How long a server that has begun may say nothing, in milliseconds. */
  limitMs: number;
  /** Called with its first word, and with the next one after a silence. */
  onWord: () => void;
  /** @param ms how long it has said nothing now */
  onSilence: (ms: number) => void;
  /** Calls back after `ms`; tests bring their own. @returns cancels it */
  after?: (ms: number, callBack: () => void) => () => void;
}

export class Silence {
  readonly #transport: Duplex;
  readonly #options: SilenceOptions;
  #isSilent = true;
  #people = 0;
  #cancel: (() => void) | undefined;

  /** @param transport still unread, but for others who only listen */
  constructor(transport: Duplex, options: SilenceOptions) {
    this.#transport = transport;
    this.#options = options;
    transport.on("data", this.#heard);
  }

  /** While a person is waited for it is not the server's turn. */
  async pausedFor<T>(wait: Promise<T>): Promise<T> {
    this.#people++;
    this.#cancel?.();
    try {
      return await wait;
    } finally {
      this.#people--;
      this.#arm();
    }
  }

  end(): void {
    this.#transport.off("data", this.#heard);
    this.#people = Infinity;
    this.#cancel?.();
  }

  readonly #heard = () => {
    const wasSilent = this.#isSilent;
    this.#isSilent = false;
    this.#arm();
    if (wasSilent) this.#options.onWord();
  };

  #arm(): void {
    this.#cancel?.();
    if (this.#isSilent || this.#people > 0) return;
    const { after = afterTimeout, limitMs, onSilence } = this.#options;
    this.#cancel = after(limitMs, () => {
      this.#isSilent = true;
      onSilence(limitMs);
    });
  }
}

function afterTimeout(ms: number, callBack: () => void): () => void {
  const timer = setTimeout(callBack, ms);
  return () => clearTimeout(timer);
}

/** Resolves after `ms`, or as soon as `signal` aborts. */
export type Sleep = (ms: number, signal: AbortSignal) => Promise<void>;

/**
 * Aborts its signal with `reason` after `ms`, unless it is disposed of before.
 */
export class TimeLimit implements Disposable {
  readonly #limit = new AbortController();
  readonly #over = new AbortController();

  constructor(sleep: Sleep, ms: number, reason: Error) {
    sleep(ms, this.#over.signal).then(() => {
      if (!this.#over.signal.aborted) this.#limit.abort(reason);
    });
  }

  get signal(): AbortSignal {
    return this.#limit.signal;
  }

  [Symbol.dispose](): void {
    this.#over.abort();
  }
}

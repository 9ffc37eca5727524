/** A time limit that stands still while a person is being asked. */
export class Patience {
  readonly signal: AbortSignal;
  readonly #controller = new AbortController();
  readonly #error: () => Error;
  #leftMs: number;
  #since = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(limitMs: number, error: () => Error) {
    this.signal = this.#controller.signal;
    this.#leftMs = limitMs;
    this.#error = error;
    this.#resume();
  }

  async pausedFor<T>(wait: Promise<T>): Promise<T> {
    this.end();
    this.#leftMs -= performance.now() - this.#since;
    try {
      return await wait;
    } finally {
      this.#resume();
    }
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #resume(): void {
    this.#since = performance.now();
    this.#timer = setTimeout(
      () => this.#controller.abort(this.#error()),
      Math.max(this.#leftMs, 1000),
    );
  }
}

import type { Duplex } from "node:stream";

/** Notices that a transport has fallen silent. */
export class Watchdog {
  /** How often the server has to be asked for a sign of life. */
  readonly askEveryMs: number;
  readonly #limitMs: number;
  readonly #transport: Duplex;
  readonly #onSilence: () => void;
  #heardAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    transport: Duplex,
    keepalive: { intervalMs: number; count: number },
    onSilence: () => void,
  ) {
    this.#transport = transport;
    this.#limitMs = keepalive.intervalMs * keepalive.count;
    // with a count of 1 the answer needs time before the limit
    this.askEveryMs = keepalive.count === 1
      ? keepalive.intervalMs / 2
      : keepalive.intervalMs;
    this.#onSilence = onSilence;
  }

  readonly #heard = () => {
    this.#heardAt = performance.now();
  };

  start(): void {
    this.#heard();
    this.#transport.on("data", this.#heard);
    this.#arm(this.#limitMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#transport.removeListener("data", this.#heard);
  }

  #arm(ms: number): void {
    this.#timer = setTimeout(() => {
      const left = this.#heardAt + this.#limitMs - performance.now();
      if (left <= 0) this.#onSilence();
      else this.#arm(left);
    }, ms);
  }
}

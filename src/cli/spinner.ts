/**
 * A sign of life on the terminal while something takes its time. It shows after
 * half a second, makes way for whatever is written or asked, and leaves no
 * trace.
 *
 * @module
 */

import {
  canDraw,
  erasePassing,
  screenSize,
  showPassing,
  styles,
} from "./output.ts";
import { cutTo } from "./table.ts";

/** What is quicker needs no sign of life. */
const DELAY_MS = 500;
const FRAME_MS = 120;
const FRAMES = ["|", "/", "-", "\\"];

/** The spinners in use; the last one shows. */
const active: Spinner[] = [];
/** How many questions are being asked. */
let asking = 0;

/** Made by {@link spinner}; disposing of it takes it away. */
export class Spinner implements Disposable {
  readonly #message: string;
  #timer: ReturnType<typeof setTimeout>;
  #frame = 0;

  /** Use {@link spinner}. */
  constructor(message: string) {
    this.#message = message;
    this.#timer = setTimeout(() => this.#turn(), DELAY_MS);
    active.push(this);
  }

  #turn(): void {
    if (asking === 0 && active.at(-1) === this) {
      const frame = FRAMES[this.#frame++ % FRAMES.length]!;
      const line = `${styles.yellow(frame)} ${styles.dim(this.#message)}`;
      showPassing(cutTo(line, screenSize().columns - 1));
    }
    this.#timer = setTimeout(() => this.#turn(), FRAME_MS);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    const at = active.indexOf(this);
    if (at >= 0) active.splice(at, 1);
    erasePassing();
  }
}

/**
 * Shows what goes on, on a terminal only, until the result is disposed of.
 *
 * @example
 * ```ts
 * using _busy = spinner("starting home");
 * await start();
 * ```
 */
export function spinner(message: string): Disposable {
  if (!canDraw(Deno.stderr)) {
    return { [Symbol.dispose]: () => {} };
  }
  return new Spinner(message);
}

/** Runs what has the terminal for itself, such as a question. */
export async function withoutSpinner<T>(work: () => Promise<T>): Promise<T> {
  asking++;
  erasePassing();
  try {
    return await work();
  } finally {
    asking--;
  }
}

/**
 * Text that grows while a process runs, and waiting for something to be in it.
 *
 * @module
 */

/** How a wait is limited. */
export interface WaitOptions {
  /** Fail after this many milliseconds. Default 15,000. */
  timeoutMs?: number;
  /** Look only at what comes after this many characters, such as `text.length`. */
  after?: number;
}

/** What a process has written so far. */
export class Transcript {
  #text = "";
  #ended = false;
  #changed = Promise.withResolvers<void>();

  /** @param name what errors call it */
  constructor(readonly name: string) {}

  /** All of it. */
  get text(): string {
    return this.#text;
  }

  /** Adds to the end. */
  append(text: string): void {
    this.#text += text;
    this.#wake();
  }

  /** Says that nothing will follow, so that nobody waits in vain. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /**
   * Waits until the pattern matches.
   *
   * @returns the match
   * @throws {Error} with the text, when the time is over or the text has ended
   */
  async waitFor(
    pattern: RegExp,
    { timeoutMs = 15_000, after = 0 }: WaitOptions = {},
  ): Promise<RegExpExecArray> {
    const once = new RegExp(pattern, pattern.flags.replace(/[gy]/g, ""));
    let expired = false;
    const timer = setTimeout(() => {
      expired = true;
      this.#wake();
    }, timeoutMs);
    try {
      while (true) {
        const changed = this.#changed.promise;
        const match = once.exec(this.#text.slice(after));
        if (match) return match;
        if (expired || this.#ended) {
          const why = expired ? `not within ${timeoutMs} ms` : "it has ended";
          throw new Error(
            `${this.name}: waited for ${pattern}, ${why}; it says:\n` +
              this.#text.slice(after),
          );
        }
        await changed;
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** Waits until there are more than `length` characters, or `timeoutMs` are over. */
  async longerThan(length: number, timeoutMs: number): Promise<void> {
    try {
      await this.waitFor(/[^]/, { after: length, timeoutMs });
    } catch {
      // The caller looks for itself.
    }
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

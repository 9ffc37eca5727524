/**
 * A view that has the terminal to itself, as top(1) has.
 *
 * Of lines drawn in place among others nobody knows where they are once the
 * window has changed its size: some terminals wrap them anew, some cut them, and
 * what has scrolled away may come back.
 *
 * @module
 */

import { printRaw, screenSize, styles } from "./output.ts";
import { onResize } from "./resize.ts";
import { fitTo } from "./table.ts";

/** To another screen and back (XTerm Control Sequences, DEC private mode 1049). */
const ENTER = "\x1b[?1049h";
const LEAVE = "\x1b[?1049l";

/**
 * The terminal behind standard output, which is as it was before, with the last
 * lines below, when this is disposed of.
 *
 * @example
 * ```ts
 * using screen = new FullScreen();
 * screen.draw((columns) => ["-".repeat(columns - 1)]);
 * ```
 */
export class FullScreen implements Disposable {
  #view: ((columns: number) => string[]) | undefined;
  #stop: () => void = () => {};

  /**
   * Replaces what is shown.
   *
   * @param view gives the lines for a screen of this width; it is asked again
   *   when that changes. What does not fit is left out, and said to be.
   */
  draw(view: (columns: number) => string[]): void {
    const isFirst = this.#view === undefined;
    this.#view = view;
    if (isFirst) this.#enter();
    this.#show();
  }

  [Symbol.dispose](): void {
    if (this.#view === undefined) return;
    this.#stop();
    printRaw(LEAVE + this.#lines().map((line) => `${line}\n`).join(""));
  }

  #enter(): void {
    printRaw(ENTER);
    const stop = onResize(screenSize(), () => this.#show());
    const handlers: [Deno.Signal, () => void][] = [
      // it would leave its screen to the shell
      ["SIGTERM", () => {
        this[Symbol.dispose]();
        Deno.exit(128 + 15);
      }],
      // after Ctrl-Z, when another program may have gone back to the first screen
      ["SIGCONT", () => {
        printRaw(ENTER);
        this.#show();
      }],
    ];
    // Windows has neither
    if (Deno.build.os === "windows") handlers.splice(0);
    for (const each of handlers) Deno.addSignalListener(...each);
    this.#stop = () => {
      stop();
      for (const each of handlers) Deno.removeSignalListener(...each);
    };
  }

  #lines(): string[] {
    const { columns } = screenSize();
    return this.#view!(columns).map((line) => fitTo(line, columns - 1));
  }

  #show(): void {
    const { rows } = screenSize();
    let lines = this.#lines();
    if (lines.length > rows) {
      const left = lines.length - rows + 1;
      lines = [...lines.slice(0, rows - 1), styles.dim(`… ${left} more`)];
    }
    // over what was there, as an empty screen between would flicker
    printRaw(
      "\x1b[H" + lines.map((line) => `${line}\x1b[K`).join("\r\n") + "\x1b[J",
    );
  }
}

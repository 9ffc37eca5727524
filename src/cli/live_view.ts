/**
 * Lines at the bottom of a terminal that are drawn anew in place.
 *
 * @module
 */

import stringWidth from "fast-string-width";
import { screenSize } from "./output.ts";
import type { Size } from "./resize.ts";
import { cutTo } from "./table.ts";

/** So many of the lines that stay are kept; no window shows more. */
const MAX_NOTES = 200;

/** What a live view writes to. */
export interface Screen {
  write(text: string): void;
  size(): Size;
}

export class LiveView {
  #height = 0;
  /** The lines that stay, the newest last. */
  readonly #notes: string[] = [];

  constructor(readonly screen: Screen) {}

  /** Replaces the lines shown before. */
  draw(lines: string[]): void {
    const { columns, rows } = this.screen.size();
    // a line that wraps would be counted once and be drawn twice; so would one
    // that has scrolled away
    const cut = lines.slice(0, rows - 1)
      .map((line) => cutTo(line, columns - 1));
    this.screen.write(this.#erase() + cut.map((line) => `${line}\n`).join(""));
    this.#height = cut.length;
  }

  /** Writes a line that stays, above the live ones. */
  note(line: string, lines: string[]): void {
    this.#notes.push(line);
    if (this.#notes.length > MAX_NOTES) this.#notes.shift();
    this.screen.write(`${this.#erase()}${line}\n`);
    this.#height = 0;
    this.draw(lines);
  }

  /**
   * Draws everything anew, in a window of another size: where the terminal has
   * put the lines meanwhile nobody knows.
   */
  redraw(lines: string[]): void {
    const { columns, rows } = this.screen.size();
    let left = rows - 1 - lines.length;
    const tooOld = this.#notes.findLastIndex((note) => {
      left -= Math.ceil(stringWidth(note) / columns);
      return left < 0;
    });
    const notes = this.#notes.slice(tooOld + 1);
    const text = notes.map((note) => `${note}\n`).join("");
    this.screen.write(`\x1b[2J\x1b[H${text}`);
    this.#height = 0;
    this.draw(lines);
  }

  #erase(): string {
    // the ^C that a terminal echoes has moved on from the beginning of the line
    return this.#height === 0 ? "" : `\r\x1b[${this.#height}A\x1b[J`;
  }
}

/** The terminal behind standard error. */
export const terminalScreen: Screen = {
  write: (text) => {
    Deno.stderr.writeSync(new TextEncoder().encode(text));
  },
  size: screenSize,
};

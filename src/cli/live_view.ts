/**
 * Lines at the bottom of a terminal that are drawn anew in place.
 *
 * @module
 */

import { screenSize } from "./output.ts";
import { cutTo } from "./table.ts";

/** What a live view writes to. */
export interface Screen {
  write(text: string): void;
  columns(): number;
}

export class LiveView {
  #height = 0;

  constructor(readonly screen: Screen) {}

  /** Replaces the lines shown before. */
  draw(lines: string[]): void {
    const width = this.screen.columns();
    // a line that wraps would be counted once and be drawn twice
    const cut = lines.map((line) => cutTo(line, width - 1));
    this.screen.write(this.#erase() + cut.map((line) => `${line}\n`).join(""));
    this.#height = cut.length;
  }

  /** Writes a line that stays, above the live ones. */
  note(line: string, lines: string[]): void {
    this.screen.write(`${this.#erase()}${line}\n`);
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
  columns: () => screenSize().columns,
};

/**
 * Standard error as the prompts of @inquirer want it.
 *
 * They draw themselves anew with each key, over as many lines as they had
 * written. When the window gets narrower the terminal wraps these, and some would
 * stay; so what has to be erased is counted here.
 *
 * @module
 */

import process from "node:process";
import { Writable } from "node:stream";
import stringWidth from "fast-string-width";
import { hasColour, screenSize } from "./output.ts";

/** How @inquirer/core goes to the end of what it drew before, and erases it. */
// deno-lint-ignore no-control-regex
const ERASE = /^(?:\x1b\[\d+B)?(?:\x1b\[2K(?:\x1b\[1A)?)+\x1b\[G/;
/** How it goes to where the cursor belongs: so many lines up, to this column. */
// deno-lint-ignore no-control-regex
const PLACE = /(?:\x1b\[(\d+)A)?\x1b\[(\d+)G$/;

/** What is drawn above and left of the cursor. */
interface Drawn {
  /** The widths of the lines above the cursor's. */
  above: number[];
  /** The cursor's column, from 0. */
  column: number;
  /** The window's width. */
  columns: number;
}

/** For one prompt: what it draws is erased by its next drawing, in any width. */
export class PromptOutput extends Writable {
  #drawn: Drawn = { above: [], column: 0, columns: this.columns };

  // now, which not every Deno tells of its own stream
  get columns(): number {
    return screenSize().columns;
  }

  get rows(): number {
    return screenSize().rows;
  }

  override _write(
    chunk: { toString(): string },
    _encoding: string,
    done: () => void,
  ): void {
    const text = this.#fit(`${chunk}`);
    process.stderr.write(
      // not every Deno leaves colours out itself
      // deno-lint-ignore no-control-regex
      hasColour() ? text : text.replace(/\x1b\[[\d;]*m/g, ""),
    );
    done(); // at once, or later prompts and lines would overtake
  }

  /** The text, which erases what its forerunner takes in the window now. */
  #fit(text: string): string {
    const { columns } = this;
    const before = this.#drawn;
    const erase = ERASE.exec(text)?.[0] ?? "";
    const place = PLACE.exec(text);
    const body = text.slice(erase.length, place?.index);
    if (place && body !== "") {
      const lines = body.split("\n").slice(0, -1 - Number(place[1] ?? 0));
      this.#drawn = {
        above: lines.map((line) => stringWidth(line)),
        column: Number(place[2]) - 1,
        columns,
      };
    } else if (place && columns === before.columns) {
      this.#drawn = { ...before, column: Number(place[2]) - 1 };
    }
    if (erase === "" || columns === before.columns) return text;
    const rows = before.above.reduce(
      (sum, width) => sum + Math.max(1, Math.ceil(width / columns)),
      Math.floor(before.column / columns),
    );
    const up = rows > 0 ? `\x1b[${rows}A` : "";
    return `${up}\r\x1b[J${text.slice(erase.length)}`;
  }
}

/**
 * Text by the columns it takes on a terminal, in any script.
 *
 * @module
 */

import stringWidth from "fast-string-width";

/** Lines of columns, each as wide as its widest cell. */
export function table(rows: string[][]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) =>
      widths[i] = Math.max(widths[i] ?? 0, stringWidth(cell))
    );
  }
  return rows.map((row) =>
    row.map((cell, i) =>
      cell + " ".repeat((widths[i] ?? 0) - stringWidth(cell))
    )
      .join("  ").trimEnd()
  );
}

/** Colours (ECMA-48 SGR) and hyperlinks (OSC 8), or one character. */
const PIECE =
  // deno-lint-ignore no-control-regex
  /\x1b\[[\d;]*m|\x1b\]8;.*?(?:\x07|\x1b\\)|[^\x1b]+|\x1b/gsu;

/** A line of at most `width` columns, which says so where it was longer. */
export function fitTo(line: string, width: number): string {
  return stringWidth(line) <= width ? line : `${cutTo(line, width - 1)}…`;
}

/** Made when it is needed, as that takes longer than all else here. */
let graphemes: Intl.Segmenter | undefined;

/** The first `width` columns of a line; escape sequences stay, and whole. */
export function cutTo(line: string, width: number): string {
  let left = width;
  let result = "";
  for (const [piece] of line.matchAll(PIECE)) {
    if (piece.startsWith("\x1b")) {
      result += piece;
      continue;
    }
    const columns = stringWidth(piece);
    if (columns <= left) {
      left -= columns;
      result += piece;
      continue;
    }
    graphemes ??= new Intl.Segmenter();
    for (const { segment } of graphemes.segment(piece)) {
      left -= stringWidth(segment);
      if (left < 0) break;
      result += segment;
    }
  }
  return result;
}

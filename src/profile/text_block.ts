/**
 * The lines of a YAML text that a node takes up. Editing whole lines leaves
 * every other byte as it was, which re-writing the document would not.
 *
 * @module
 */

import { isAlias, isCollection, isPair, isScalar, type Pair } from "yaml";

/** Whole lines of a text: from the start of one to the end of another. */
export interface TextBlock {
  start: number;
  /** After the last line's line break, if it has one. */
  end: number;
  /** Columns before the first line's text. */
  indent: number;
}

/**
 * The lines of a pair or of an item of a list, with the comments after it that
 * are indented more than it is.
 *
 * @returns undefined if something else begins on the same line
 */
export function blockOf(text: string, node: unknown): TextBlock | undefined {
  const first = firstOffset(node);
  if (first === undefined) return undefined;
  const start = text.lastIndexOf("\n", first - 1) + 1;
  const before = text.slice(start, first);
  if (!(isPair(node) ? /^ *$/ : /^ *- +$/).test(before)) return undefined;
  const indent = before.search(/-|$/);
  let end = lineEnd(text, Math.max(first, lastOffset(node) - 1));
  for (let at = end; at < text.length;) {
    const next = lineEnd(text, at);
    const line = text.slice(at, next);
    const isOwnComment = /^ *#/.test(line) && line.indexOf("#") > indent;
    if (!isOwnComment && line.trim() !== "") break;
    at = next;
    if (isOwnComment) end = next;
  }
  return { start, end, indent };
}

/** The offset after the line break that ends the line at `offset`. */
export function lineEnd(text: string, offset: number): number {
  const at = text.indexOf("\n", offset);
  return at < 0 ? text.length : at + 1;
}

/** The start of the blank lines directly above the line at `start`. */
export function blankAbove(text: string, start: number): number {
  return start -
    text.slice(0, start).match(/(?:(?<=\n)[ \t]*\r?\n)*$/)![0].length;
}

/** The end of the blank lines from `end` on. */
export function blankBelow(text: string, end: number): number {
  return end + text.slice(end).match(/^(?:[ \t]*\r?\n)*/)![0].length;
}

/** The line break that `text` uses. */
export function lineBreakOf(text: string): string {
  return text.includes("\r\n") ? "\r\n" : "\n";
}

/** Puts whole lines, each ended by `\n`, into `text` at the start of a line. */
export function insertLines(text: string, at: number, lines: string): string {
  const lineBreak = lineBreakOf(text);
  const own = lines.replaceAll("\n", lineBreak);
  const lastIsOpen = at > 0 && text[at - 1] !== "\n";
  const inserted = lastIsOpen
    ? lineBreak + own.slice(0, -lineBreak.length)
    : own;
  return text.slice(0, at) + inserted + text.slice(at);
}

/** Takes out what {@link insertLines} put in. */
export function removeLines(text: string, start: number, end: number): string {
  const lastWasOpen = end === text.length && !text.endsWith("\n");
  const kept = text.slice(0, start);
  return (lastWasOpen ? kept.replace(/\r?\n$/, "") : kept) + text.slice(end);
}

/** Indents every line that is not blank. */
export function indentLines(lines: string, columns: number): string {
  return lines.split("\n")
    .map((line) => line.trim() === "" ? line : " ".repeat(columns) + line)
    .join("\n");
}

/** Takes up to `columns` spaces from the start of every line. */
export function dedentLines(lines: string, columns: number): string {
  return lines.split("\n")
    .map((line) => line.slice(Math.min(columns, line.search(/[^ ]|$/))))
    .join("\n");
}

function firstOffset(node: unknown): number | undefined {
  if (isPair(node)) return firstOffset(node.key);
  return isScalar(node) || isAlias(node) || isCollection(node)
    ? node.range?.[0]
    : undefined;
}

function lastOffset(node: unknown): number {
  if (isPair(node)) {
    const { key, value } = node as Pair;
    return Math.max(lastOffset(key), lastOffset(value));
  }
  if (isCollection(node) && !node.flow) {
    return Math.max(0, ...node.items.map(lastOffset));
  }
  return isScalar(node) || isAlias(node) || isCollection(node)
    ? node.range?.[1] ?? 0
    : 0;
}

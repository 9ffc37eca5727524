/**
 * Changes to the text of profiles.yaml that leave the rest of it as it is:
 * whole lines are put in and taken out. What is written in a way that lines
 * do not follow (`profiles: { … }`) is written anew by the YAML library,
 * which keeps comments and order but not every blank.
 *
 * The texts given must be without YAML mistakes, the profiles be there.
 *
 * @module
 */

import {
  Document,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
} from "yaml";
import type { ForwardSource, ProfileSource } from "./schema.ts";
import {
  blankAbove,
  blankBelow,
  blockOf,
  dedentLines,
  indentLines,
  insertLines,
  lineBreakOf,
  removeLines,
} from "./text_block.ts";
import { keyOf, pairsOf, parseYaml } from "./yaml_text.ts";

/** Adds a profile after the others. */
export function addProfile(
  text: string,
  name: string,
  source: ProfileSource,
): string {
  const { document, all, profiles } = find(text);
  const root = document.contents;
  if (root === null) {
    const lines = `version: 1\nprofiles:\n${render(name, source, 2, 2)}`;
    return insertLines(text, text.length, lines);
  }
  const rootBlock = blockOf(text, all ?? pairsOf(root, document).at(-1));
  if (rootBlock && all === undefined) {
    const lines = `profiles:\n${render(name, source, 2, 2)}`;
    return insertLines(
      text,
      rootBlock.end,
      indentLines(lines, rootBlock.indent),
    );
  }
  if (rootBlock && isEmptyFlow(all?.value)) {
    return addProfile(cutOut(text, all!.value!), name, source);
  }
  if (rootBlock && isNothing(all?.value)) {
    const lines = render(name, source, rootBlock.indent + 2, 2);
    return insertLines(text, rootBlock.end, lines);
  }
  const blocks = profiles.map((pair) => blockOf(text, pair));
  const [first, last, beforeLast] = [0, -1, -2].map((i) => blocks.at(i));
  if (rootBlock && first && last && isBlockMap(all?.value)) {
    const inner = blockOf(text, pairsOf(profiles[0]!.value, document)[0]);
    const step = inner ? inner.indent - first.indent : 2;
    const isSpaced = beforeLast !== undefined &&
      hasBlankLine(text.slice(beforeLast.end, last.start));
    const lines = render(name, source, first.indent, step);
    return insertLines(text, rootBlock.end, (isSpaced ? "\n" : "") + lines);
  }
  document.setIn(["profiles", name], document.createNode(source));
  return rewritten(document);
}

/** Takes a profile out, with the blank lines that set it off. */
export function removeProfile(text: string, name: string): string {
  const { document, all, profiles, pair } = find(text, name);
  const block = blockOf(text, pair);
  if (!block || !isBlockMap(all?.value)) {
    document.deleteIn(["profiles", name]);
    return rewritten(document);
  }
  let { start, end } = block;
  const isFirst = pair === profiles[0];
  const isLast = pair === profiles.at(-1);
  const below = blankBelow(text, end);
  if (isFirst && !isLast) end = below;
  if (!isFirst && (isLast || below > end)) start = blankAbove(text, start);
  return removeLines(text, start, end);
}

/**
 * The text of one profile as a mapping of its own, comments and all.
 *
 * @returns undefined if there is no such profile
 */
export function profileText(text: string, name: string): string | undefined {
  const { pair } = find(text, name);
  if (pair === undefined) return undefined;
  const block = blockOf(text, pair);
  const lines = block
    ? dedentLines(text.slice(block.start, block.end), block.indent)
    : text.slice(pair.key.range![0], (pair.value ?? pair.key).range![1]);
  return lines.endsWith("\n") ? lines : lines + lineBreakOf(text);
}

/** Puts `lines`, as {@link profileText} gives them, in a profile's place. */
export function replaceProfile(
  text: string,
  name: string,
  lines: string,
): string {
  if (lines === profileText(text, name)) return text;
  const { document, all, pair } = find(text, name);
  const block = blockOf(text, pair);
  if (!block || !isBlockMap(all?.value)) {
    document.setIn(["profiles", name], parseYaml(lines).get(name, true));
    return rewritten(document);
  }
  const lineBreak = lineBreakOf(text);
  const own = indentLines(plainLines(lines).trimEnd(), block.indent)
    .replaceAll("\n", lineBreak);
  const isOpen = text[block.end - 1] !== "\n";
  return text.slice(0, block.start) + own + (isOpen ? "" : lineBreak) +
    text.slice(block.end);
}

/** Adds forwards to a profile, after the ones it has. */
export function addForwards(
  text: string,
  name: string,
  forwards: readonly ForwardSource[],
): string {
  const { document, pair } = find(text, name);
  const forwardsPair = pairsOf(pair!.value, document)
    .findLast((one) => keyOf(one) === "forwards");
  const list = forwardsPair?.value;
  const rendered = forwards.map(renderInline);
  const listItems = (indent: number) =>
    rendered.map((one) => `${" ".repeat(indent)}- ${one}\n`).join("");
  const last = isSeq(list) ? list.items.at(-1) as Node | undefined : undefined;
  const lastBlock = blockOf(text, last);
  if (isSeq(list) && !list.flow && lastBlock) {
    return insertLines(text, lastBlock.end, listItems(lastBlock.indent));
  }
  if (isSeq(list) && list.flow && last) {
    const at = last.range![1];
    return text.slice(0, at) + rendered.map((one) => `, ${one}`).join("") +
      text.slice(at);
  }
  const block = blockOf(text, forwardsPair);
  if (block && isEmptyFlow(list)) {
    const cut = cutOut(text, list!);
    const end = block.end - (text.length - cut.length);
    return insertLines(cut, end, listItems(block.indent + 2));
  }
  if (isSeq(list) && isEmptyFlow(list)) {
    const [start, end] = list.range!;
    return `${text.slice(0, start)}[ ${rendered.join(", ")} ]${
      text.slice(end)
    }`;
  }
  for (const forward of forwards) {
    document.addIn(
      ["profiles", name, "forwards"],
      document.createNode(forward),
    );
  }
  return rewritten(document);
}

/** A text with line breaks of one character and no byte order mark. */
export function plainLines(text: string): string {
  return text.replace(/^\ufeff/, "").replaceAll("\r\n", "\n");
}

function find(text: string, name?: string) {
  const document: Document = parseYaml(text);
  const all = pairsOf(document.contents, document)
    .findLast((pair) => keyOf(pair) === "profiles");
  const profiles = pairsOf(all?.value, document);
  const pair = profiles.findLast((one) => keyOf(one) === name);
  return { document, all, profiles, pair };
}

function isNothing(node: unknown): boolean {
  return node === null || isScalar(node) && node.value === null;
}

function isEmptyFlow(node: unknown): boolean {
  return isCollection(node) && node.flow === true && node.items.length === 0;
}

function isBlockMap(node: unknown): boolean {
  return isMap(node) && !node.flow;
}

function hasBlankLine(lines: string): boolean {
  return lines.split("\n").slice(0, -1).some((line) => line.trim() === "");
}

/** Takes a node's text out, with the spaces before it. */
function cutOut(text: string, node: Node): string {
  const [start, end] = node.range!;
  return text.slice(0, start).trimEnd() + text.slice(end);
}

function rewritten(document: Document): string {
  return document.toString({ lineWidth: 0 });
}

/** A profile as lines, entries of its lists and small mappings on one line. */
function render(
  name: string,
  source: ProfileSource,
  indent: number,
  step: number,
): string {
  const document: Document = new Document({ [name]: source });
  for (const pair of pairsOf(document.get(name, true), document)) {
    const { value } = pair as Pair<Node, Node | null>;
    if (keyOf(pair) !== "forwards") setFlow(value);
    else if (isSeq(value)) value.items.forEach(setFlow);
  }
  const lines = document.toString({ lineWidth: 0, indent: step });
  return indentLines(lines, indent);
}

function renderInline(forward: ForwardSource): string {
  const document: Document = new Document(forward);
  setFlow(document.contents);
  return document.toString({ lineWidth: 0 }).trimEnd();
}

function setFlow(node: unknown): void {
  if (isCollection(node)) node.flow = true;
}

/**
 * YAML with the place of everything in it, and its mistakes in plain words.
 *
 * @module
 */

import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  Scalar,
  visit,
  type YAMLError,
} from "yaml";

/** Something wrong in a text; line and column count from 1. */
export interface Mistake {
  line: number;
  column: number;
  message: string;
}

/** A parsed YAML text. */
export interface YamlText {
  data: unknown;
  /** What is wrong with it as YAML. */
  mistakes: Mistake[];
  /** The line from which on `data` may not be what was meant, or Infinity. */
  doubtfulFrom: number;
  /** Lines before that with a value that may not be what was meant. */
  doubtfulLines: ReadonlySet<number>;
  /** Where the value, or the key, at `path` stands; else what would hold it. */
  locate(at: { path: PropertyKey[]; ofKey?: boolean }): {
    line: number;
    column: number;
  };
  /** The keys of the mapping at `key`, or of the outermost one, in order. */
  keysOf(key?: string): string[];
}

/** Mistakes that leave no doubt about how the text is meant. */
const HARMLESS = ["DUPLICATE_KEY", "MULTIPLE_DOCS", "NON_STRING_KEY"];

/** Mistakes that leave doubt about one value only. */
const LOCAL = ["BAD_DQ_ESCAPE", "BAD_SCALAR_START", "TAG_RESOLVE_FAILED"];

/** How this program parses YAML, everywhere. */
export function parseYaml(text: string, lineCounter = new LineCounter()) {
  return parseDocument(text, {
    lineCounter,
    merge: true,
    // Its messages would show lines of the text, and with them secrets.
    prettyErrors: false,
    stringKeys: true,
  });
}

/** Reads a text that should be one YAML document. */
export function readYaml(written: string): YamlText {
  const text = written.replace(/^\ufeff/, "");
  const lines = new LineCounter();
  const document = parseYaml(text, lines);
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  let doubtfulFrom = Infinity;
  const doubtfulLines = new Set<number>();
  const mistakes: Mistake[] = [];
  for (const error of [...document.errors, ...document.warnings]) {
    const at = place(error.pos[0]);
    mistakes.push({ ...at, message: inWords(error, text) });
    if (LOCAL.includes(error.code)) doubtfulLines.add(at.line);
    else if (!HARMLESS.includes(error.code)) {
      doubtfulFrom = Math.min(doubtfulFrom, at.line);
    }
  }
  visit(document, {
    Alias(_, alias) {
      if (alias.resolve(document)) return;
      const message = `"*${alias.source}" refers to nothing; ` +
        'text that begins with "*" must be in quotes';
      const at = place(alias.range![0]);
      mistakes.push({ ...at, message });
      doubtfulLines.add(at.line);
      const text = new Scalar(`*${alias.source}`);
      text.range = alias.range!;
      return text;
    },
  });
  let data: unknown;
  try {
    data = document.toJS();
  } catch (thrown) {
    mistakes.push({ line: 1, column: 1, message: `not usable: ${thrown}` });
    doubtfulFrom = 1;
  }
  return {
    data,
    mistakes,
    doubtfulFrom,
    doubtfulLines,
    locate: ({ path, ofKey }) => place(offsetOf(document, path, ofKey)),
    keysOf: (key) => {
      const node = key === undefined
        ? document.contents
        : pairsOf(document.contents, document)
          .findLast((pair) => keyOf(pair) === key)?.value;
      return pairsOf(node, document).map(keyOf);
    },
  };
}

/** The pairs of a mapping, an alias of one included; none of anything else. */
export function pairsOf(
  node: unknown,
  document: Document,
): Pair<Node, Node | null>[] {
  const own = isAlias(node) ? node.resolve(document) : node;
  // Parsed mappings have nodes for keys, and for values nodes or null.
  return isMap(own) ? own.items as Pair<Node, Node | null>[] : [];
}

/** The key of a pair, which {@link parseYaml} makes text. */
export function keyOf(pair: Pair<Node, Node | null>): string {
  return isScalar(pair.key) ? String(pair.key.value) : "";
}

function offsetOf(
  document: Document,
  path: PropertyKey[],
  ofKey = false,
): number {
  let node: unknown = document.contents;
  let offset = document.contents?.range?.[0] ?? 0;
  for (const [depth, step] of path.entries()) {
    const own = isAlias(node) ? node.resolve(document) : node;
    if (isSeq(own)) {
      node = own.items[Number(step)];
      offset = (node as Node | undefined)?.range?.[0] ?? offset;
      continue;
    }
    const pairs = pairsOf(own, document);
    const pair = pairs.findLast((one) => keyOf(one) === step) ??
      pairs.find((one) => keyOf(one) === "<<");
    if (pair === undefined) return offset;
    node = pair.value;
    offset = pair.key.range![0];
    const [start, end] = pair.value?.range ?? [0, 0];
    const isLast = depth === path.length - 1;
    // A value that is not there has its key's place.
    if (isLast && !ofKey && end > start) offset = start;
  }
  return offset;
}

function inWords(error: YAMLError, text: string): string {
  const character = text[error.pos[0]];
  switch (error.code) {
    case "DUPLICATE_KEY": {
      const key = text.slice(error.pos[0]).match(/^[\w.-]+/)?.[0];
      return `the key ${key ? `"${key}" ` : ""}is written twice`;
    }
    case "TAB_AS_INDENT":
      return "a tab cannot indent; use spaces";
    case "MULTIPLE_DOCS":
      return 'a second document begins here; remove the "---"';
    case "BAD_SCALAR_START":
      return `text that begins with "${character}" must be in quotes`;
    case "NON_STRING_KEY":
      return "a key must be text";
    default:
      // What it quotes of the text might be a secret.
      return `not valid YAML: ${
        error.message.replace(/: ".*/s, "").replace(/^\w/, lower)
      }` +
        (error.code === "UNEXPECTED_TOKEN"
          ? "; text that begins with a bracket must be in quotes"
          : "");
  }
}

function lower(letter: string): string {
  return letter.toLowerCase();
}

/**
 * The lines and words of an ssh_config(5) file, before anything is made of
 * them.
 *
 * @module
 */

/** Something in an ssh_config file that ssh would refuse. */
export class ConfigMistake extends Error {
  override readonly name = "ConfigMistake";
}

/** One line that says something. */
export interface Directive {
  /** In lower case. */
  keyword: string;
  /** What follows the keyword, as it is but for white space around it. */
  rest: string;
  /** `FILE:LINE` */
  at: string;
}

/** The directives of a file's text, in order. */
export function parseSshConfig(text: string, file: string): Directive[] {
  return text.split("\n").flatMap((line, index) => {
    const trimmed = line.replace(/^[ \t\r]+|[ \t\r\f]+$/g, "");
    if (trimmed === "" || trimmed.startsWith("#")) return [];
    const at = `${file}:${index + 1}`;
    const [head, quoted, plain] =
      /^(?:"([^"]*)"|([^ \t\r"=]+))/.exec(trimmed) ??
        [""];
    return [{
      keyword: (quoted ?? plain ?? "").toLowerCase(),
      rest: trimmed.slice(head.length).replace(/^[ \t\r]*=?[ \t\r]*/, ""),
      at,
    }];
  });
}

/**
 * Splits what follows a keyword as ssh does since 8.7: single or double quotes
 * keep white space, a backslash keeps a quote, a backslash or, outside quotes,
 * a space; a word that begins with `#` ends the line.
 *
 * @throws {ConfigMistake} if a quote is not closed.
 */
export function splitWords(rest: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (let i = 0; i < rest.length; i++) {
    const char = rest[i]!;
    const next = rest[i + 1];
    const blank = quote === "" && (char === " " || char === "\t");
    if (word === undefined) {
      if (blank) continue;
      if (char === "#") return words;
      word = "";
    }
    if (blank) {
      words.push(word);
      word = undefined;
    } else if (
      char === "\\" && next !== undefined &&
      (`'"\\`.includes(next) || (quote === "" && next === " "))
    ) {
      word += next;
      i++;
    } else if (quote === "" && (char === '"' || char === "'")) {
      quote = char;
    } else if (char === quote) {
      quote = "";
    } else {
      word += char;
    }
  }
  if (quote !== "") throw new ConfigMistake("a quote is not closed");
  return word === undefined ? words : [...words, word];
}

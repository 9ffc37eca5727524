/**
 * What of PowerShell's script can be told without PowerShell: that it is one,
 * and that it keeps out of the traps its documentation and source tell of.
 */
import assert from "node:assert/strict";
import { decodeWords } from "../../src/cli/commands/completions.ts";
import { COMPLETION_SCRIPTS } from "../../src/cli/completion_scripts.ts";
import { loadPowerShell } from "../support/powershell.ts";

const SCRIPT = COMPLETION_SCRIPTS.powershell;

Deno.test("PowerShell's grammar has its completion script", async () => {
  const powershell = await loadPowerShell();
  assert(powershell.accepts(SCRIPT));
  // what is in comments and texts blanked out
  const code = SCRIPT.replaceAll(
    /#.*$|'[^'\n]*'/gm,
    (text) => " ".repeat(text.length),
  );
  const brackets = [...code.matchAll(/[(){}]/g)];
  assert(brackets.length > 50);
  for (const { index } of brackets) {
    const broken = SCRIPT.slice(0, index) + SCRIPT.slice(index + 1);
    assert(!powershell.accepts(broken), `without what is at ${index}`);
  }
});

Deno.test("PowerShell's script is read right in every code page", () => {
  assert.match(SCRIPT, /^[\n\x20-\x7e]*$/);
});

/** What would go wrong, and what keeps it from that. */
const TRAPS: [string, RegExp][] = [
  // Register-ArgumentCompleter: the parameters are told by their place
  ["order", /param\(\$wordToComplete, \$commandAst, \$cursorPosition\)/],
  // $wordToComplete has the quotes, and what is behind the cursor
  ["middle of a word", /Substring\(0, \$cursorPosition - \$extent\.Start/],
  ["words behind the cursor", /StartOffset -ge \$cursorPosition\) \{ break \}/],
  // Value is no property of every word: an error in strict mode
  ["strict mode", /-is \[Management[.\w]+\.StringConstantExpressionAst\]/],
  // before 7.3, empty words and quotes do not arrive
  ["empty words", /complete "--encoded=\$encoded" 2>\$null/],
  // what programs write is read in the console's code page
  ["code page", /\[Console\]::OutputEncoding = \[Text\.UTF8Encoding\]/],
  ["code page after", /finally \{\s+try \{ \[Console\]::OutputEncoding = \$en/],
  // no answer means files
  ["files for no reason", /\$lines\.Count -eq 0\) \{ return '' \}/],
  // a CompletionResult throws for an empty text
  ["empty tip", /if \(-not \$about\) \{ \$about = \$value \}/],
  // the text is put on the command line as it is
  ["special characters", /EscapeSingleQuotedStringContent\(\$value\)/],
  // PowerShell looks for a file --config=FILE
  ["files after =", /CompleteFilename\(\$path\)/],
];

for (const [trap, way] of TRAPS) {
  Deno.test(`PowerShell's script heeds a trap: ${trap}`, () => {
    assert.match(SCRIPT, way);
  });
}

Deno.test("encoded words come back whole", () => {
  const line = ["", 'a "b" c', "C:\\My Dir\\", "ключ", "", "\u{1f511}"];
  const bytes = new TextEncoder().encode(line.join("\n"));
  assert.deepEqual(decodeWords(bytes.toBase64()), {
    words: line.slice(0, -1),
    current: line.at(-1),
  });
  assert.deepEqual(decodeWords(""), { words: [], current: "" });
});

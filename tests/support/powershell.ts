/**
 * PowerShell's grammar, as tree-sitter has it: there is no PowerShell on most
 * machines to ask.
 *
 * @module
 */
import treeSitter from "@vscode/tree-sitter-wasm";

/** Reads scripts. */
export interface PowerShellParser {
  /** @returns whether a script is one: nothing left over, nothing missing */
  accepts(script: string): boolean;
}

/** Loads the grammar, which is WebAssembly. */
export async function loadPowerShell(): Promise<PowerShellParser> {
  const { Language, Parser } = treeSitter;
  const grammar = new URL(
    "tree-sitter-powershell.wasm",
    import.meta.resolve("@vscode/tree-sitter-wasm"),
  );
  await Parser.init();
  const parser = new Parser();
  parser.setLanguage(await Language.load(await Deno.readFile(grammar)));
  return {
    accepts: (script) => {
      const tree = parser.parse(script);
      const accepted = tree !== null && !tree.rootNode.hasError;
      tree?.delete();
      return accepted;
    },
  };
}

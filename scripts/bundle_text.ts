/**
 * What is changed in the text of a bundle's pieces: what depends on this machine,
 * what modules that were CommonJS miss, and what a launch would take time for and
 * nobody uses.
 *
 * @module
 */

/**
 * Where a module came from: above it, and as the name of one that was CommonJS.
 * That is where the packages are on this machine.
 */
const ORIGIN = /^\/\/ \S+\.\w+\n|(?<=^ *")(?:\.\.\/)+[^"]*(?="\()/gm;

/** A module that was CommonJS: its name, its parameters and its text. */
const COMMON_JS =
  /^var require_(\w+) = __commonJS\(\{\n {2}""\(([\w, ]*)\) \{\n([^]*?)^ {2}\}\n\}\);$/gm;

/** Modules of ssh2 that nobody uses, by name, and what is there instead. */
const UNUSED: Record<string, string> = {
  // no tunnel has it
  SFTP: `    exports.SFTP = class {
      constructor() {
        throw new Error("there is no SFTP here");
      }
    };
`,
  // a part of its chacha20-poly1305, for which the client has packets.ts; V8
  // would compile it before a connection begins
  poly1305: `    module.exports = async () => ({
      _malloc() {},
      cwrap: () => () => {
        throw new Error("there is no Poly1305 of ssh2 here");
      },
    });
`,
};

/** How ssh2 loads bcrypt, which only a key with a passphrase needs. */
const BCRYPT = /= (require_\w+)\(\)\.pbkdf;/;

/** The text of a piece as it is to be embedded. */
export function finish(text: string): string {
  const finished = text.replaceAll(ORIGIN, "").replaceAll(
    COMMON_JS,
    (_module, name: string, parameters: string, body: string) =>
      commonJs(name, parameters, body),
  );
  return [missing(finished), finished].join("\n").trimStart();
}

/**
 * In parentheses, as V8 takes it for what runs at once: otherwise it looks
 * through the text for its end only, and again for its functions.
 */
function commonJs(name: string, parameters: string, body: string): string {
  const runs = UNUSED[name] ??
    body.replace(BCRYPT, "= (...args) => $1().pbkdf(...args);");
  const isLater = name === "nacl_fast";
  const [open, close] = isLater ? ["", ""] : ["(", ")"];
  return `var require_${name} = __commonJS({
  "": ${open}function(${parameters}) {
${runs}  }${close}
});`;
}

/** Names of CommonJS that modules still use, and a bundle has not. */
function missing(text: string): string {
  return [
    ...(/\btypeof require\b/.test(text)
      ? [
        'import{createRequire}from"node:module";',
        "const require=createRequire(import.meta.url);",
      ]
      : []),
    ...(/\b__dirname\b/.test(text)
      ? ["const __dirname=import.meta.dirname;"]
      : []),
    ...(/\b__filename\b/.test(text)
      ? ["const __filename=import.meta.filename;"]
      : []),
  ].join("");
}

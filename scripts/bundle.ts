/**
 * The program and what it uses of its packages as a few JavaScript files: that
 * is what an executable embeds, instead of whole packages with their tests,
 * type declarations and sources of native add-ons.
 *
 * @module
 */

import { finish } from "./bundle_text.ts";

export interface BundleOptions {
  /** What the program is made from, for `--version`. */
  source: string;
  /** Default false. */
  minify?: boolean;
}

/** The root of the source. */
export const ROOT = new URL("../", import.meta.url);

/** The environment in which Deno says errors plainly. */
export const PLAIN = { NO_COLOR: "1", RUST_BACKTRACE: "0" };

/** Runs this Deno. @throws {Error} with what it said, if it fails */
export async function deno(...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
    env: PLAIN,
    stdout: "null",
    stderr: "piped",
  }).output();
  if (success) return;
  const said = new TextDecoder().decode(stderr).trim();
  throw new Error(said.replace(/^error: /, ""));
}

/**
 * Writes the bundle: `main.js`, and beside it what is loaded when it is needed.
 *
 * @param folder relative to the root, and emptied before
 * @returns the path of `main.js`, relative to the root
 */
export async function bundle(
  folder: string,
  { source, minify = false }: BundleOptions,
): Promise<string> {
  const at = new URL(`${folder}/`, ROOT);
  await Deno.remove(at, { recursive: true }).catch(ignoreMissing);
  await Deno.mkdir(at, { recursive: true });
  const up = "../".repeat(folder.split("/").length);
  await Deno.writeTextFile(new URL("main.ts", at), entry(up, source));
  await deno(
    ...["bundle", "-q", "--platform=deno", "--code-splitting"],
    // readable stack traces need names; kept so, they are given one by one at
    // the start, which takes longer than what is saved by the shorter text
    ...(minify ? ["--minify", "--keep-names"] : []),
    // ssh2's native add-ons: it goes without where they cannot be loaded
    "--external=*.node",
    `--outdir=${folder}/js`,
    `${folder}/main.ts`,
  );
  const js = new URL("js/", at);
  await nameByOrder(js);
  for (const { name } of Deno.readDirSync(js)) {
    const file = new URL(name, js);
    await Deno.writeTextFile(file, finish(await Deno.readTextFile(file)));
    // the times are embedded too, and would be all that differs next time
    await Deno.utime(file, 0, 0);
  }
  return `${folder}/js/main.js`;
}

/** As main.ts of the root, for modules that no longer are those of packages. */
function entry(up: string, source: string): string {
  return `import { runProgram } from "${up}src/cli/program.ts";
import {
  clearInterval,
  clearTimeout,
  setInterval,
  setTimeout,
} from "node:timers";
// ssh2 needs Node's, which Deno 2.7 gives to packages only
Object.assign(globalThis, { setTimeout, clearTimeout, setInterval, clearInterval });
Deno.exit(await runProgram(Deno.args, ${JSON.stringify(source)}));
`;
}

/**
 * Gives each piece a number, in the order in which they are named from `main.js`
 * on. The names they have depend on where the source and the packages are.
 */
async function nameByOrder(js: URL): Promise<void> {
  const named = /(?<="\.\/)[\w-]+\.js(?=")/g;
  const texts = new Map<string, string>();
  // gets longer on the way
  const order = new Set(["main.js"]);
  for (const name of order) {
    const text = await Deno.readTextFile(new URL(name, js));
    texts.set(name, text);
    for (const [piece] of text.matchAll(named)) order.add(piece);
  }
  const names = new Map([...order].map((name, i) => [
    name,
    name.replace(/-[A-Z0-9]{8}\.js$/, `-${i}.js`),
  ]));
  for (const [name, text] of texts) {
    await Deno.remove(new URL(name, js));
    await Deno.writeTextFile(
      new URL(names.get(name)!, js),
      text.replaceAll(named, (piece) => names.get(piece)!),
    );
  }
}

/** For what need not be there. */
export function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

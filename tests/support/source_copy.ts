/**
 * A copy of the source, whose scripts do not touch this one's dist/.
 *
 * @module
 */
import { fileURLToPath, pathToFileURL } from "node:url";
import { execute, makeScratchDir, removeDir } from "./scratch.ts";

const ROOT = new URL("../../", import.meta.url);

/** What an executable is made from, and with. */
const PARTS = ["deno.json", "deno.lock", "main.ts", "scripts", "src"];

export interface SourceCopy extends AsyncDisposable {
  /** Its folder, with a space in the name. */
  root: URL;
}

/** Copies what belongs to the program; disposing of it removes it. */
export async function copySource(): Promise<SourceCopy> {
  const dir = await makeScratchDir();
  const root = `${dir}/a/copy of the source`;
  await Deno.mkdir(root, { recursive: true });
  const from = PARTS.map((name) => fileURLToPath(new URL(name, ROOT)));
  await execute("cp", ["-R", ...from, root]);
  return {
    root: pathToFileURL(`${root}/`),
    [Symbol.asyncDispose]: () => removeDir(dir),
  };
}

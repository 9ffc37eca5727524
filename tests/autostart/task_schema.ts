/**
 * The schema of the Task Scheduler's tasks: task.xsd.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeScratchDir, removeDir } from "../support/scratch.ts";

const SCHEMA = fileURLToPath(new URL("task.xsd", import.meta.url));

/**
 * Holds tasks against their schema. Needs xmllint.
 *
 * @param documents files as they are
 * @returns what xmllint(1) says about each; "" of one that is valid
 */
export async function validate(documents: Uint8Array[]): Promise<string[]> {
  const scratch = await makeScratchDir();
  const paths = documents.map((_, i) => join(scratch, `${i}.xml`));
  for (const [i, path] of paths.entries()) {
    await Deno.writeFile(path, documents[i]!);
  }
  const { stderr } = await new Deno.Command("xmllint", {
    args: ["--noout", "--schema", SCHEMA, ...paths],
  }).output();
  await removeDir(scratch);
  const lines = new TextDecoder().decode(stderr).split("\n");
  return paths.map((path) => {
    const said = lines.filter((line) => line.startsWith(path));
    assert.notDeepEqual(said, [], "nothing said");
    return said.at(-1) === `${path} validates` ? "" : said.join("\n");
  });
}

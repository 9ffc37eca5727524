import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const root = new URL("../../", import.meta.url);
const { permissions } = JSON.parse(
  await Deno.readTextFile(new URL("deno.json", root)),
);
const set = permissions.i2ptun as {
  env: string[];
  sys: string[];
  write: string[];
};

function* sources(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) yield* sources(`${folder}/${name}`);
    else if (name.endsWith(".ts")) yield `${folder}/${name}`;
  }
}

Deno.test("there is one set, and all that can be a list in it is one", () => {
  assert.deepEqual(Object.keys(permissions), ["i2ptun"]);
  assert.deepEqual(Object.keys(set).sort(), [
    ...["env", "net", "read", "run", "sys", "write"],
  ]);
  for (const list of [set.env, set.sys, set.write]) {
    assert.ok(Array.isArray(list));
  }
});

Deno.test("every environment variable that the source names is in it", () => {
  const read = new Set<string>();
  for (const path of sources(fileURLToPath(new URL("src", root)))) {
    const text = Deno.readTextFileSync(path);
    const found = text.matchAll(
      /\b(?:variable|absolute|env\.(?:get|has))\(\s*"([^"]+)"/g,
    );
    for (const [, name] of found) read.add(name!);
  }
  assert.ok(read.size > 15, "they were found");
  const isListed = (name: string) =>
    set.env.some((each) =>
      each.endsWith("*") ? name.startsWith(each.slice(0, -1)) : name === each
    );
  assert.deepEqual([...read].filter((name) => !isListed(name)), []);
});

/**
 * A process that writes a file of profiles, for the tests of several at once:
 * `FILE PREFIX COUNT` adds that many, COUNT 0 adds and removes one for ever.
 * Prints a line when it has written first.
 *
 * @module
 */

import { ProfileStore } from "../../src/profile/store.ts";

const [path, prefix, count] = Deno.args;
const store = new ProfileStore(path!);
const source = { server: "a@b", forwards: ["console" as const] };
if (count === "0") {
  for (let i = 0;; i++) {
    await store.add(prefix!, source);
    if (i === 0) console.log("writing");
    await store.remove(prefix!);
  }
}
for (let i = 0; i < Number(count); i++) {
  await store.add(`${prefix}${i}`, source);
}

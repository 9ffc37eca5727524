import assert from "node:assert/strict";
import { parse } from "yaml";
import { z } from "zod";
import { SERVICE_NAMES } from "../../src/i2p/services.ts";
import { jsonSchema } from "../../src/profile/schema.ts";
import { EXAMPLE } from "./example.ts";

type Json = { [key: string]: Json };

/** Calls `look` with every part of a JSON Schema. */
function walk(part: unknown, look: (part: Json) => void): void {
  if (typeof part !== "object" || part === null) return;
  look(part as Json);
  for (const inner of Object.values(part)) walk(inner, look);
}

Deno.test("an editor gets every key described, and no other let through", () => {
  const schema = jsonSchema() as Json;
  assert.match(String(schema.$schema), /draft\/2020-12/);
  let mappings = 0;
  walk(schema, (part) => {
    if (part.properties === undefined) return;
    mappings++;
    assert.deepEqual(part.additionalProperties, false);
    for (const [key, value] of Object.entries(part.properties)) {
      assert(value.description, key);
    }
  });
  assert(mappings >= 8, `${mappings}`);
  assert(JSON.stringify(schema).includes(JSON.stringify(SERVICE_NAMES)));
});

Deno.test("the JSON Schema takes the specification's example, not mistakes", () => {
  const schema = z.fromJSONSchema(jsonSchema() as z.core.JSONSchema.JSONSchema);
  schema.parse(parse(EXAMPLE));
  schema.parse({ version: 1, profiles: null });
  const takes = (profile: object) =>
    schema.safeParse({ profiles: { p: { server: "a", ...profile } } }).success;
  assert(takes({ forwards: ["console", { dynamic: 1080 }] }));
  assert(!takes({}));
  assert(!takes({ forwards: ["consol"] }));
  assert(!takes({ forwards: [{ local: "x", remote: "y" }] }));
  assert(!takes({ forwards: [], password: "x" }));
  assert(!takes({ forwards: [], host_key: "MD5:x" }));
  assert(!schema.safeParse({ version: 2 }).success);
});

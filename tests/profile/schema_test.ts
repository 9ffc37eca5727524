import assert from "node:assert/strict";
import { Ajv2020 } from "ajv/dist/2020.js";
import { parse } from "yaml";
import { SERVICE_NAMES } from "../../src/i2p/services.ts";
import { jsonSchema } from "../../src/profile/json_schema.ts";
import { NAME_PATTERN } from "../../src/profile/profile.ts";
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
  const takes = new Ajv2020({ strict: true, allowUnionTypes: true })
    .compile(jsonSchema());
  assert(takes(parse(EXAMPLE)));
  assert(takes({ version: 1, profiles: null }));
  assert(!takes({ version: 2 }));
  assert(!takes({ profiles: { "a b": { server: "a", forwards: [] } } }));
  const takesProfile = (profile: object) =>
    takes({ profiles: { p: { server: "a", ...profile } } });
  assert(takesProfile({ forwards: ["console", { dynamic: 1080 }] }));
  assert(!takesProfile({}));
  assert(!takesProfile({ forwards: ["consol"] }));
  assert(!takesProfile({ forwards: [{ local: "x", remote: "y" }] }));
  assert(!takesProfile({ forwards: [], password: "x" }));
  assert(!takesProfile({ forwards: [], host_key: "MD5:x" }));
  assert(!takesProfile({ forwards: [], reconnect: true }));
  for (const [count, isRight] of [[1, true], [0, false], [1.5, false]]) {
    const valid = takesProfile({ forwards: [], keepalive: { count } });
    assert.equal(valid, isRight, `${count}`);
  }
});

Deno.test("an editor is told of defaults, examples and forms", () => {
  const { properties } = jsonSchema() as Json;
  const [profiles] = properties!.profiles!.anyOf as unknown as Json[];
  const profile = profiles!.additionalProperties!.properties!;
  assert.equal(profile.agent!.default, true);
  assert.deepEqual(profile.connect_timeout!.examples, ["15s", "2m"]);
  assert.deepEqual(profile.connect_timeout!.type, ["string", "number"]);
  assert.equal(profile.host_key!.pattern, "^SHA256:[A-Za-z0-9+/]{43}$");
  assert.equal(profiles!.propertyNames!.pattern, NAME_PATTERN.source);
});

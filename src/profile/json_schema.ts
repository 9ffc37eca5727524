/**
 * The JSON Schema of profiles.yaml, for editors. Apart from `schema.ts`: only
 * one command needs it, and the package that makes it.
 *
 * @module
 */

import { toJsonSchema } from "@valibot/to-json-schema";
import { fileSchema } from "./schema.ts";

/** A JSON Schema (2020-12) of profiles.yaml. */
export function jsonSchema(): object {
  const { $schema, ...schema } = toJsonSchema(fileSchema, {
    target: "draft-2020-12",
    typeMode: "input",
    overrideSchema: ({ valibotSchema, jsonSchema }) =>
      // a value that code checks: its metadata says the rest
      valibotSchema.type === "custom" ? jsonSchema : undefined,
  });
  return { $schema, title: "profiles.yaml of i2ptun", ...schema };
}

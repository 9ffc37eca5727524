/**
 * Schemas of single values in profiles.yaml, with words for what is wrong.
 *
 * @module
 */

import * as v from "valibot";
import { I2ptunError } from "../errors.ts";
import { wrongType } from "./wording.ts";

/** `key must be shape, not …` */
export const expected =
  (key: string, shape: string) => ({ input }: { input: unknown }): string =>
    wrongType(key, shape, input);

export const text = (key: string, shape: string) =>
  v.string(expected(key, shape));

export const textOrNumber = (key: string, shape: string) =>
  v.pipe(
    v.custom<string | number>(
      (value) => typeof value === "string" || Number.isFinite(value),
      expected(key, shape),
    ),
    v.metadata({ type: ["string", "number"] }),
  );

/**
 * Runs `parse` on what `schema` let through; what it throws is the mistake.
 * What the JSON Schema says has to be in `schema`.
 */
export function parsed<I, O, T>(
  schema: v.GenericSchema<I, O>,
  parse: (value: O) => T,
) {
  return v.pipe(
    schema,
    v.rawTransform(({ dataset, addIssue, NEVER }): T => {
      try {
        return parse(dataset.value);
      } catch (thrown) {
        const { message, remedy } = I2ptunError.from(thrown);
        addIssue({ message: remedy ? `${message}; ${remedy}` : message });
        return NEVER;
      }
    }),
  );
}

/** What need not be there, and what it is for. */
export const optional = <S extends v.GenericSchema>(
  schema: S,
  description: string,
) => v.pipe(v.optional(schema), v.description(description));

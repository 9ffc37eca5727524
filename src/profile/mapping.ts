/**
 * Mappings, which valibot's own schemas treat otherwise: to those a list is a
 * mapping too, they leave at the first unknown key, have no words of an entry
 * for its absence, and pass over names such as `constructor`.
 *
 * `~run` is what valibot's schemas call each other by.
 *
 * @module
 */

import * as v from "valibot";
import { unknownKey, wrongType } from "./wording.ts";

// `as never` below: the types of valibot's schemas name issues of their own

type Issue = v.BaseIssue<unknown>;
type Mapping = Record<string, unknown>;
type AnySchema = v.GenericSchema;

export function isMapping(value: unknown): value is Mapping {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A mapping with these keys and no others. */
export function mapping<S extends v.ObjectEntries>(
  what: string,
  like: string,
  entries: S,
): v.StrictObjectSchema<S, undefined> {
  const run: AnySchema["~run"] = ({ value: input }, config) => {
    if (!isMapping(input)) {
      const message = wrongType(what, `a mapping like ${like}`, input);
      return failure(input, [mistake(input, message)]);
    }
    const output: Mapping = {};
    const issues: Issue[] = [];
    for (const [key, entry] of Object.entries(entries)) {
      const { value, issues: inner = [] } = entry["~run"](
        { value: input[key] },
        config,
      );
      issues.push(...inner.map((issue) => under(input, key, issue)));
      if (value !== undefined || key in input) output[key] = value;
    }
    const known = Object.keys(entries);
    for (const key in input) {
      if (known.includes(key)) continue;
      issues.push(ofKey(input, key, unknownKey(key, known)));
    }
    return outcome(output, issues);
  };
  return Object.assign(v.strictObject(entries), { "~run": run as never });
}

/** A mapping of any names to values that `each` takes. */
export function byName<
  K extends v.GenericSchema<string, string>,
  S extends AnySchema,
>(names: K, each: S, wrong: (input: unknown) => string) {
  const run: AnySchema["~run"] = ({ value: input }, config) => {
    // YAML's tags make a Map, a Set and such
    if (Object.prototype.toString.call(input) !== "[object Object]") {
      return failure(input, [mistake(input, wrong(input))]);
    }
    const entries = input as Mapping;
    const output: Mapping = {};
    const issues: Issue[] = [];
    for (const name of Object.keys(entries)) {
      // would be the prototype of `output`; it is not a name anyway
      if (name === "__proto__") continue;
      const { value, issues: inner = [] } = each["~run"](
        { value: entries[name] },
        config,
      );
      issues.push(...inner.map((issue) => under(entries, name, issue)));
      output[name] = value;
    }
    return outcome(output, issues);
  };
  return Object.assign(v.record(names, each), { "~run": run as never });
}

/** What is wrong with a whole value. */
export function mistake(input: unknown, message: string): Issue {
  return {
    kind: "schema",
    type: "strict_object",
    input,
    expected: null,
    received: "",
    message,
  };
}

/** What is wrong with a key of `input` rather than with its value. */
export function ofKey(input: Mapping, key: string, message: string): Issue {
  return { ...mistake(key, message), path: [step(input, key, "key")] };
}

/** Whether an issue is {@link ofKey} of the value that was looked at itself. */
export function isOfOwnKey({ path }: Issue): boolean {
  return path?.length === 1 && path[0].origin === "key";
}

export function failure(
  value: unknown,
  issues: [Issue, ...Issue[]],
): v.FailureDataset<Issue> {
  return { typed: false, value, issues };
}

function outcome(
  value: unknown,
  [first, ...more]: Issue[],
): v.OutputDataset<unknown, Issue> {
  return first ? failure(value, [first, ...more]) : { typed: true, value };
}

function under(input: Mapping, key: string, issue: Issue): Issue {
  return {
    ...issue,
    path: [step(input, key, "value"), ...issue.path ?? []],
  };
}

function step(
  input: Mapping,
  key: string,
  origin: "key" | "value",
): v.ObjectPathItem {
  return { type: "object", origin, input, key, value: input[key] };
}

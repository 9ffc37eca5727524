/**
 * From what the schema reports to one line of plain words for each mistake.
 *
 * @module
 */

import type { z } from "zod";
import { unknownKey } from "./wording.ts";

/** What is wrong, and with which key or value of the data. */
export interface Problem {
  path: PropertyKey[];
  /** Whether the key at the end of `path` is wrong rather than its value. */
  ofKey?: boolean;
  /** Whether it is what does not stand there. */
  isMissing?: boolean;
  /** The known key that an unknown one most likely stands for. */
  meant?: string | undefined;
  message: string;
}

const FORWARD_KEYS = ["service", "local", "remote", "dynamic"];

/**
 * The problems behind an issue of the schema.
 *
 * @param issue with its input (`reportInput`), on which the words depend
 */
export function problemsOf(
  issue: z.core.$ZodIssue,
  above: PropertyKey[] = [],
): Problem[] {
  const path = [...above, ...issue.path];
  if (issue.code === "unrecognized_keys") {
    const messages = issue.message.split("\n");
    return issue.keys.map((key, index) => ({
      path: [...path, key],
      ofKey: true,
      meant: messages[index]!.match(/did you mean "(.*)"/)?.[1],
      message: messages[index]!,
    }));
  }
  if (issue.code === "invalid_union" && path.at(-2) === "forwards") {
    return forwardProblems(issue, path);
  }
  if (issue.code === "invalid_union") {
    const meant = issue.errors.find((branch) => !branch.some(isOfOtherType));
    if (meant) return meant.flatMap((inner) => problemsOf(inner, path));
  }
  const isMissing = issue.code !== "custom" && issue.input === undefined;
  return [{ path, message: issue.message, isMissing }];
}

/** Whether an issue of a union's branch says that another branch was meant. */
function isOfOtherType(issue: z.core.$ZodIssue): boolean {
  return issue.path.length === 0 &&
    ["invalid_type", "invalid_value"].includes(issue.code);
}

/** The branch that is meant is the one whose key stands in the mapping. */
function forwardProblems(
  issue: z.core.$ZodIssueInvalidUnion,
  path: PropertyKey[],
): Problem[] {
  const { input } = issue;
  const plain: Problem = { path, message: issue.message };
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    return [plain];
  }
  const keys = Object.keys(input);
  const kinds = keys.filter((key) => FORWARD_KEYS.includes(key));
  if (kinds.length > 1) {
    const message = `a forward has only one of ${kinds.join(", ")}; ` +
      "make each a forward of its own";
    return [{ path, message }];
  }
  if (kinds.length === 1) {
    // The first branch takes text, the others are in the order of the keys.
    const branch = issue.errors[1 + FORWARD_KEYS.indexOf(kinds[0]!)]!;
    return branch.flatMap((inner) => problemsOf(inner, path));
  }
  const strange = keys.filter((key) => !["name", "listen"].includes(key));
  if (strange.length > 0) {
    return strange.map((key) => ({
      path: [...path, key],
      ofKey: true,
      message: unknownKey(key, [...FORWARD_KEYS, "listen", "name"]),
    }));
  }
  return [{
    path,
    message: `a forward needs one of the keys ${FORWARD_KEYS.join(", ")}`,
  }];
}

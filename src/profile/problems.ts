/**
 * From what the schema reports to one line of plain words for each mistake.
 *
 * @module
 */

import type * as v from "valibot";

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

/** The problems behind an issue of the schema. */
export function problemsOf(
  issue: v.BaseIssue<unknown>,
  above: PropertyKey[] = [],
): Problem[] {
  const { message } = issue;
  const steps = issue.path ?? [];
  const path = [...above, ...steps.map(({ key }) => key as PropertyKey)];
  if (steps.at(-1)?.origin === "key") {
    const meant = message.match(/did you mean "(.*)"/)?.[1];
    return [{ path, ofKey: true, meant, message }];
  }
  const meant = issue.issues?.filter((inner) => !isOfOtherType(inner)) ?? [];
  if (meant.length > 0) {
    return meant.flatMap((inner) => problemsOf(inner, path));
  }
  return [{ path, message, isMissing: issue.input === undefined }];
}

/**
 * Whether an issue of a union's branch says that another branch was meant. The
 * branches of our unions take values of different types.
 */
function isOfOtherType({ kind, path }: v.BaseIssue<unknown>): boolean {
  return kind === "schema" && path === undefined;
}

/**
 * CHANGELOG.md: a section for each release, the newest first.
 *
 * @module
 */

const HEAD = "# Changes\n";

/**
 * The changelog with a section for a version. A section that is there already,
 * written by hand, stays as it is.
 *
 * @param date such as 2026-01-31
 * @param changes one line each, such as the subjects of commits
 */
export function withRelease(
  changelog: string,
  version: string,
  date: string,
  changes: readonly string[],
): string {
  if (sectionOf(changelog, version) !== undefined) return changelog;
  const text = changelog || HEAD;
  const lines = changes.length > 0 ? changes : ["No changes that are noted"];
  const section = [
    `## ${version} (${date})`,
    "",
    ...lines.map((change) => `- ${change}`),
  ].join("\n");
  const first = text.search(/^## /m);
  return first < 0
    ? `${text.trimEnd()}\n\n${section}\n`
    : `${text.slice(0, first)}${section}\n\n${text.slice(first)}`;
}

/** What a section says below its heading; undefined if there is none. */
export function sectionOf(
  changelog: string,
  version: string,
): string | undefined {
  const sections = changelog.split(/^## /m).slice(1);
  const found = sections.find((each) => each.split(/\s/)[0] === version);
  return found?.slice(found.indexOf("\n") + 1).trim();
}

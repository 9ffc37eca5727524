import manifest from "../../deno.json" with { type: "json" };

/** The program's own version. */
export const VERSION: string = manifest.version;

/** What `--version` says: `i2ptun 1.2.3 (commit 0123456789ab, Deno 2.9.6)`. */
export function versionLine(source: string): string {
  return `i2ptun ${VERSION} (${source}, Deno ${Deno.version.deno})`;
}

/**
 * Names for profiles that come from elsewhere, where names may be anything.
 *
 * @module
 */

import { NAME_PATTERN } from "./profile.ts";

/** The nearest valid name: `My Router` becomes `My-Router`, `Zürich` `Zurich`. */
export function toProfileName(name: string): string {
  if (NAME_PATTERN.test(name)) return name;
  const plain = name.normalize("NFKD").replace(/\p{M}+/gu, "")
    .replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^-+/, "")
    .slice(0, 56).replace(/-+$/, "");
  return NAME_PATTERN.test(plain) ? plain : "imported";
}

/**
 * Gives each its own valid name. Those whose name is valid already keep it;
 * another that comes to the same gets `-2`, `-3`, in the order given, so that
 * importing again gives the same names.
 */
export function toProfileNames(names: readonly string[]): Map<string, string> {
  const result = new Map<string, string>();
  const taken = new Set<string>();
  const isValid = (name: string) => NAME_PATTERN.test(name);
  for (const name of names.filter(isValid)) {
    result.set(name, name);
    taken.add(name);
  }
  for (const name of names.filter((each) => !isValid(each))) {
    const base = toProfileName(name);
    let candidate = base;
    for (let n = 2; taken.has(candidate); n++) candidate = `${base}-${n}`;
    result.set(name, candidate);
    taken.add(candidate);
  }
  return result;
}

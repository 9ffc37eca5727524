/**
 * Patterns as ssh_config(5) "PATTERNS" describes them, which known_hosts,
 * `Host` and `Match` share.
 *
 * @module
 */

/**
 * Whether `text` matches `pattern` as a whole: `*` stands for any number of
 * characters, `?` for exactly one, everything else for itself.
 */
export function matchPattern(text: string, pattern: string): boolean {
  let t = 0;
  let p = 0;
  // Where to go on when what follows the last `*` does not fit: only the last
  // one ever needs to be tried again, so the time is text × pattern at most.
  let star = -1;
  let starText = 0;
  while (t < text.length) {
    if (pattern[p] === "*") {
      star = p++;
      starText = t;
    } else if (
      p < pattern.length && (pattern[p] === "?" || pattern[p] === text[t])
    ) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++starText;
    } else {
      return false;
    }
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}

/**
 * Whether `text` matches a comma-separated list: at least one pattern, and
 * none that begins with `!`.
 */
export function matchPatternList(text: string, list: string): boolean {
  let matched = false;
  for (const pattern of list.split(",")) {
    const negated = pattern.startsWith("!");
    if (!matchPattern(text, negated ? pattern.slice(1) : pattern)) continue;
    if (negated) return false;
    matched = true;
  }
  return matched;
}

/** {@link matchPatternList} for host names, whose case does not matter. */
export function matchHostList(host: string, list: string): boolean {
  return matchPatternList(host.toLowerCase(), list.toLowerCase());
}

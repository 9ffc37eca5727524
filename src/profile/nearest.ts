/**
 * The nearest valid name to a misspelt one, for "did you mean".
 *
 * @module
 */

/**
 * The candidate that `word` most likely was meant to be.
 *
 * Letter case and the choice between `-`, `_` and nothing do not count as
 * mistakes. A word that begins a candidate matches it, from three letters on.
 *
 * @returns undefined if nothing is near enough to be worth suggesting
 *
 * @example
 * ```ts
 * nearest("forwrds", ["server", "forwards"]); // "forwards"
 * ```
 */
export function nearest(
  word: string,
  candidates: Iterable<string>,
): string | undefined {
  const plain = fold(word);
  let best: string | undefined;
  let least = Math.max(1, Math.floor(plain.length / 3)) + 1;
  let begun: string | undefined;
  for (const candidate of candidates) {
    const other = fold(candidate);
    const distance = editDistance(plain, other);
    if (distance < least) [best, least] = [candidate, distance];
    if (plain.length >= 3 && other.startsWith(plain)) begun ??= candidate;
  }
  return best ?? begun;
}

function fold(text: string): string {
  return text.toLowerCase().replaceAll(/[-_\s]/g, "");
}

/** Damerau-Levenshtein distance (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(
        last[j]! + 1,
        row[j - 1]! + 1,
        last[j - 1]! + (same ? 0 : 1),
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, beforeLast[j - 2]! + 1);
      }
      row.push(cost);
    }
    [beforeLast, last] = [last, row];
  }
  return last[b.length]!;
}

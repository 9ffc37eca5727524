/**
 * Counting what a run of `deno test` came to, from its JUnit report.
 *
 * @module
 */

/** A run of tests; steps within a test are not counted. */
export interface TestCounts {
  passed: number;
  failed: number;
  /** The names of those that were left out. */
  skipped: string[];
}

/** Reads the XML that `deno test --junit-path` writes. */
export function countTests(xml: string): TestCounts {
  const counts: TestCounts = { passed: 0, failed: 0, skipped: [] };
  const cases = [...xml.matchAll(
    /<testcase name="([^"]*)" classname="([^"]*)"([^>]*?)(?:\/>|>(.*?)<\/testcase>)/gs,
  )].map(([, name, file, attributes, body]) => ({
    name: unescape(name!),
    file: unescape(file!),
    // What `--filter` leaves out is skipped too, but took no time, not even 0.
    filtered: !attributes!.includes(" time="),
    body: body ?? "",
  }));
  const known = new Set(cases.map(({ name, file }) => `${file}\n${name}`));
  for (const { name, file, filtered, body } of cases) {
    if (filtered || isStep(name, file, known)) continue;
    if (body.includes("<skipped")) counts.skipped.push(name);
    else if (/<(failure|error)\b/.test(body)) counts.failed++;
    else counts.passed++;
  }
  return counts;
}

/** A step is called `TEST > STEP`, after the test it belongs to. */
function isStep(name: string, file: string, known: Set<string>): boolean {
  for (
    let at = name.indexOf(" > ");
    at >= 0;
    at = name.indexOf(" > ", at + 1)
  ) {
    if (known.has(`${file}\n${name.slice(0, at)}`)) return true;
  }
  return false;
}

const ENTITIES: Record<string, string> = {
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  amp: "&",
};

function unescape(text: string): string {
  return text.replace(
    /&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi,
    (whole, hex, decimal, name) =>
      hex || decimal
        ? String.fromCodePoint(hex ? parseInt(hex, 16) : Number(decimal))
        : ENTITIES[name] ?? whole,
  );
}

import { I2ptunError } from "../../errors.ts";
import { formatForward } from "../../profile/forward_spec.ts";
import type { ProfileSource } from "../../profile/schema.ts";
import { formatServerAddress } from "../../profile/server_address.ts";
import { checkProfile } from "../../profile/store.ts";
import type { Context } from "../context.ts";
import { print } from "../output.ts";

/** Something of another program that can become a profile. */
export interface Candidate {
  /** What it is called there. */
  from: string;
  /** The name of the profile. */
  profile: string;
  source: ProfileSource;
  /** What the profile does not have of it, each a line. */
  leftOut: string[];
  /** What to know before it is started, each a line. */
  notes: string[];
}

/** Something that becomes none, and why. */
export interface Skipped {
  from: string;
  reason: string;
}

/** What came of it, for people and for programs. */
export interface ImportReport {
  /** Where it was read. */
  from: string;
  /** The profiles file. */
  file: string;
  imported: {
    from: string;
    profile: string;
    server: string;
    jump: string[];
    identity: string[];
    keepaliveSeconds: number | null;
    forwards: { kind: string; spec: string }[];
    leftOut: string[];
    notes: string[];
  }[];
  skipped: Skipped[];
}

/**
 * Adds what can be added. A profile that is there already is left as it is.
 *
 * @param named whether the user named each: then it is all or nothing
 * @throws {I2ptunError} `usage` with each reason in `details`, if named
 */
export async function importAll(
  { candidates, skipped, from, named }: {
    candidates: readonly Candidate[];
    skipped: readonly Skipped[];
    from: string;
    named: boolean;
  },
  context: Context,
): Promise<ImportReport> {
  const { store } = context;
  const names = new Set((await store.load()).map(({ name }) => name));
  const all = [...skipped];
  const fit: Candidate[] = [];
  for (const candidate of candidates) {
    const reason = whyNot(candidate, names);
    if (reason === undefined) {
      fit.push(candidate);
      names.add(candidate.profile);
    } else all.push({ from: candidate.from, reason });
  }
  if (named && all.length > 0) {
    throw new I2ptunError("usage", "nothing was imported", {
      details: all.map((one) => `${one.from}: ${one.reason}`),
      remedy: "leave out what is named above",
    });
  }
  const imported: ImportReport["imported"] = [];
  for (const { from, profile, source, leftOut, notes } of fit) {
    await store.add(profile, source);
    const checked = checkProfile(profile, source);
    imported.push({
      from,
      profile,
      server: formatServerAddress(checked.server),
      jump: checked.jump.map(formatServerAddress),
      identity: checked.identity,
      keepaliveSeconds: checked.written.has("keepalive")
        ? checked.keepalive.intervalMs / 1000
        : null,
      forwards: checked.forwards.map((forward) => ({
        kind: forward.kind,
        spec: formatForward(forward),
      })),
      leftOut,
      notes,
    });
  }
  return { from, file: context.config, imported, skipped: all };
}

function whyNot(
  { profile, source }: Candidate,
  names: ReadonlySet<string>,
): string | undefined {
  if (names.has(profile)) return `there is a profile ${profile} already`;
  try {
    checkProfile(profile, source);
  } catch (thrown) {
    const { message, details } = I2ptunError.from(thrown);
    return details.join("; ") || message;
  }
}

/** Prints a report for people. */
export function printReport({ imported, skipped, file }: ImportReport): void {
  for (const one of imported) {
    const name = one.from === one.profile
      ? one.from
      : `${one.from} as ${one.profile}`;
    print(`imported ${name}: ${one.server}`);
    const taken = [
      ...one.jump.map((each) => `by way of ${each}`),
      ...one.identity.map((each) => `key ${each}`),
      ...(one.keepaliveSeconds === null
        ? []
        : [`keepalive every ${one.keepaliveSeconds} s`]),
      ...one.forwards.map(({ kind, spec }) => `${kind} ${spec}`),
    ];
    for (const line of taken) print(`  ${line}`);
    for (const line of one.leftOut) print(`  left out: ${line}`);
    for (const line of one.notes) print(`  note: ${line}`);
  }
  for (const { from, reason } of skipped) print(`skipped ${from}: ${reason}`);
  const [first] = imported;
  if (first === undefined) return print("nothing was imported");
  print(`added ${imported.length} to ${file}`);
  print(`start it with: i2ptun profile start ${first.profile}`);
}

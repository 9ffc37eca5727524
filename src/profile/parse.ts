/**
 * From the text of profiles.yaml to profiles, or to every mistake in it.
 *
 * @module
 */

import * as v from "valibot";
import { I2ptunError } from "../errors.ts";
import {
  findClashes,
  type ForwardEntry,
  nameForwards,
} from "./forward_names.ts";
import { forwardSchema } from "./forward_schema.ts";
import { type Problem, problemsOf } from "./problems.ts";
import {
  checkName,
  DEFAULTS,
  type Profile,
  sameButForCase,
} from "./profile.ts";
import {
  fileSchema,
  type ParsedProfile,
  type ProfileSource,
} from "./schema.ts";
import { type Mistake, readYaml, type YamlText } from "./yaml_text.ts";

/**
 * Reads the text of profiles.yaml.
 *
 * @param file its name, for messages
 * @returns the profiles in the order of the text; none if it is empty
 * @throws I2ptunError "usage" with each mistake in `details`, as
 * `FILE:LINE:COLUMN: what is wrong`, in the order of the text
 */
export function parseProfiles(text: string, file: string): Profile[] {
  const { profiles, mistakes } = readProfiles(text);
  if (mistakes.length > 0) throw mistakesError(file, mistakes);
  return profiles;
}

/**
 * Checks a profile that is not in a file yet.
 *
 * @throws I2ptunError "usage" with each mistake in `details`
 */
export function checkProfile(name: string, source: ProfileSource): Profile {
  checkName(name);
  const { profiles, problems } = check({ profiles: { [name]: source } });
  if (problems.length > 0) {
    throw new I2ptunError("usage", `profile "${name}" has mistakes`, {
      details: problems.map((problem) => problem.message),
      remedy: "correct what is named above",
    });
  }
  return toProfile(name, profiles[name]!);
}

/** The error that lists `mistakes` of `file`. */
export function mistakesError(
  file: string,
  mistakes: readonly Mistake[],
): I2ptunError {
  const count = mistakes.length;
  return new I2ptunError(
    "usage",
    `${file} has ${count === 1 ? "1 mistake" : `${count} mistakes`}`,
    {
      details: mistakes.map(({ line, column, message }) =>
        `${file}:${line}:${column}: ${message}`
      ),
      remedy: `correct ${count === 1 ? "it" : "them"} in ${file}`,
    },
  );
}

/** Reads the text of profiles.yaml: the profiles, or what is wrong. */
export function readProfiles(
  text: string,
): { profiles: Profile[]; mistakes: Mistake[] } {
  const yaml = readYaml(text);
  const checked = check(yaml.data);
  const mistakes = [
    ...yaml.mistakes,
    ...checked.problems
      .filter((problem) => !isDoubtful(problem, yaml))
      .map((problem) => ({ ...problem, ...yaml.locate(problem) })),
  ].sort((a, b) => a.line - b.line || a.column - b.column)
    .map(({ line, column, message }) => ({ line, column, message }));
  if (mistakes.length > 0) return { profiles: [], mistakes: unique(mistakes) };
  const profiles = Object.entries(checked.profiles);
  // A JavaScript object has keys that look like numbers first.
  const order = yaml.keysOf("profiles");
  profiles.sort(([a], [b]) => order.indexOf(a) - order.indexOf(b));
  return {
    profiles: profiles.map(([name, read]) => toProfile(name, read)),
    mistakes,
  };
}

/**
 * Where YAML itself is wrong, what follows may be read wrongly: a mistake is
 * reported only if it would be one anyway.
 */
function isDoubtful(problem: Problem, yaml: YamlText): boolean {
  const { line } = yaml.locate(problem);
  return line >= yaml.doubtfulFrom ||
    problem.isMissing === true && yaml.doubtfulFrom < Infinity ||
    problem.ofKey !== true && yaml.doubtfulLines.has(line);
}

function unique(mistakes: Mistake[]): Mistake[] {
  const seen = new Map(mistakes.map((one) => [JSON.stringify(one), one]));
  return [...seen.values()];
}

/** What the data says, if there are no problems. */
interface Checked {
  profiles: Record<string, ParsedProfile>;
  problems: Problem[];
}

function check(data: unknown): Checked {
  const result = v.safeParse(fileSchema, data ?? {});
  const read = result.success ? result.output.profiles ?? {} : {};
  const problems = (result.issues ?? []).flatMap((issue) => problemsOf(issue));
  const profiles = entriesOf(data, "profiles");
  for (const [index, [name, profile]] of profiles.entries()) {
    problems.push(...nameProblems(name));
    problems.push(...caseProblems(name, profiles.slice(0, index)));
    const forwards = read[name]?.forwards ?? goodForwards(profile);
    problems.push(...clashProblems(name, forwards));
  }
  return {
    profiles: read,
    problems: problems.filter((problem) =>
      !problems.some((other) => isMisspelling(other, problem))
    ),
  };
}

/** Whether what `missing` misses stands there under a misspelt name. */
function isMisspelling(unknown: Problem, missing: Problem): boolean {
  return missing.isMissing === true &&
    unknown.meant === missing.path.at(-1) &&
    unknown.path.length === missing.path.length &&
    unknown.path.slice(0, -1).every((step, i) => step === missing.path[i]);
}

function nameProblems(name: string): Problem[] {
  try {
    checkName(name);
    return [];
  } catch (thrown) {
    const { message } = I2ptunError.from(thrown);
    return [{ path: ["profiles", name], ofKey: true, message }];
  }
}

/** Lock and log would be the same files on macOS and Windows. */
function caseProblems(name: string, before: [string, unknown][]): Problem[] {
  const other = sameButForCase(name, before.map(([each]) => each));
  return other === undefined ? [] : [{
    path: ["profiles", name],
    ofKey: true,
    message: `"${name}" differs from "${other}" only in case`,
  }];
}

/** The forwards of a profile that may have mistakes; those are undefined. */
function goodForwards(profile: unknown): (ForwardEntry | undefined)[] {
  return entriesOf(profile, "forwards").map(([, value]) => {
    const { success, output } = v.safeParse(forwardSchema, value);
    return success ? output : undefined;
  });
}

function clashProblems(
  name: string,
  forwards: (ForwardEntry | undefined)[],
): Problem[] {
  return findClashes(forwards).map(({ index, over, message }) => {
    const path = ["profiles", name, "forwards", index];
    return { path: over === "name" ? [...path, over] : path, message };
  });
}

/** The entries of the collection at `key` of `data`, if there is one. */
function entriesOf(data: unknown, key: string): [string, unknown][] {
  if (typeof data !== "object" || data === null) return [];
  const value: unknown = Object.getOwnPropertyDescriptor(data, key)?.value;
  return typeof value === "object" && value !== null
    ? Object.entries(value)
    : [];
}

function toProfile(name: string, read: ParsedProfile): Profile {
  const { keepalive, reconnect } = read;
  return {
    name,
    server: read.server,
    jump: read.jump ?? [],
    identity: read.identity ?? [],
    agent: read.agent ?? DEFAULTS.agent,
    knownHosts: read.known_hosts,
    hostKey: read.host_key,
    keepalive: {
      intervalMs: keepalive?.interval ?? DEFAULTS.keepalive.intervalMs,
      count: keepalive?.count ?? DEFAULTS.keepalive.count,
    },
    reconnect: reconnect !== false && {
      maxDelayMs: reconnect?.max_delay ?? DEFAULTS.reconnect.maxDelayMs,
    },
    connectTimeoutMs: read.connect_timeout ?? DEFAULTS.connectTimeoutMs,
    sshConfig: read.ssh_config,
    session: read.session ?? DEFAULTS.session,
    forwards: nameForwards(read.forwards),
    written: writtenKeys(read),
  };
}

function writtenKeys(read: object): Set<string> {
  const keys = new Set<string>();
  for (const [key, value] of Object.entries(read)) {
    if (value === undefined) continue;
    keys.add(key);
    if (key !== "keepalive" && key !== "reconnect") continue;
    for (const inner of Object.keys(value)) keys.add(`${key}.${inner}`);
  }
  return keys;
}

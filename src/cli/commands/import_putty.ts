import { I2ptunError } from "../../errors.ts";
import { expandHome } from "../../platform/paths.ts";
import { toProfileNames } from "../../profile/import_name.ts";
import {
  hasForwards,
  type Translated,
  translateSession,
} from "../../profile/import_putty.ts";
import { nearest } from "../../profile/nearest.ts";
import { type PuttySession, whyUnfit } from "../../profile/putty_settings.ts";
import { type PuttyStore, readPuttyStore } from "../../profile/putty_store.ts";
import type { Context } from "../context.ts";
import { printJson } from "../output.ts";
import { askSome, isInteractive } from "../prompts.ts";
import { offerHostKeys } from "./import_host_keys.ts";
import {
  type Candidate,
  importAll,
  printReport,
  type Skipped,
} from "./import_report.ts";

export interface ImportPuttyOptions {
  /** A `.reg` file. */
  reg?: string | undefined;
  /** PuTTY's folder. */
  dir?: string | undefined;
  /** Take the host keys over without asking. */
  hostKeys?: boolean | undefined;
}

/** `profile import putty` */
export async function importPutty(
  names: string[],
  options: ImportPuttyOptions,
  context: Context,
): Promise<void> {
  if (options.reg !== undefined && options.dir !== undefined) {
    throw new I2ptunError("usage", "--reg and --dir are two places", {
      remedy: "name one of them",
    });
  }
  const store = await readPuttyStore(options, context.environment);
  const sessions = names.length > 0
    ? names.map((name) => find(name, store))
    : isInteractive()
    ? await askWhich(store.sessions)
    : store.sessions;
  const profiles = toProfileNames(store.sessions.map(({ name }) => name));
  const wholesale = names.length === 0 && !isInteractive();
  const candidates: Candidate[] = [];
  const skipped: Skipped[] = [];
  const servers: Translated["servers"] = [];
  for (const session of new Set(sessions)) {
    const from = session.name;
    const translated = translateSession(session, store.sessions);
    if (typeof translated === "string") {
      skipped.push({ from, reason: translated });
    } else if (wholesale && !hasForwards(session)) {
      const reason = "it forwards nothing; to import it all the same, name it";
      skipped.push({ from, reason });
    } else {
      const { source, leftOut } = translated;
      servers.push(...translated.servers);
      const profile = profiles.get(from)!;
      const notes = await notesOn(profile, session, translated, context);
      candidates.push({ from, profile, source, leftOut, notes });
    }
  }
  const report = await importAll(
    { candidates, skipped, from: store.from, named: names.length > 0 },
    context,
  );
  if (!context.json) printReport(report);
  const hostKeys = await offerHostKeys(
    store.hostKeys,
    servers,
    options.hostKeys ?? false,
    context,
  );
  if (context.json) printJson({ ...report, hostKeys });
}

function find(name: string, { sessions, from }: PuttyStore): PuttySession {
  const found = sessions.find((session) => session.name === name) ??
    sessions.find((session) =>
      session.name.toLowerCase() === name.toLowerCase()
    );
  if (found) return found;
  const near = nearest(name, sessions.map((session) => session.name));
  throw new I2ptunError(
    "usage",
    `there is no session "${name}" in ${from}` +
      (near === undefined ? "" : `; did you mean "${near}"?`),
    { remedy: `one of ${sessions.map((each) => each.name).join(", ")}` },
  );
}

/** Those that can be profiles are shown. */
async function askWhich(all: PuttySession[]): Promise<PuttySession[]> {
  const sessions = all.filter(({ settings }) => !whyUnfit(settings));
  if (sessions.length === 0) return all;
  const chosen = await askSome(
    "Which sessions do you want as profiles?",
    sessions.map((session) => ({
      value: session.name,
      name: `${session.name}  (${session.settings.text("HostName")}${
        hasForwards(session) ? "" : ", forwards nothing"
      })`,
      checked: hasForwards(session),
    })),
  );
  return sessions.filter(({ name }) => chosen.includes(name));
}

/** What the user has to see to before the profile works. */
async function notesOn(
  profile: string,
  { settings }: PuttySession,
  { source, servers }: Translated,
  { environment }: Context,
): Promise<string[]> {
  const notes: string[] = [];
  const asksUser = servers.at(-1)?.user === undefined &&
    !settings.flag("UserNameFromEnvironment");
  if (asksUser) {
    notes.push(
      `PuTTY asks for the user; i2ptun logs in as ${environment.userName}, unless you write user@ before the server`,
    );
  }
  for (const file of [source.identity ?? []].flat()) {
    const path = expandHome(file, environment);
    if (await Deno.stat(path).catch(() => undefined)) continue;
    notes.push(
      `there is no key file ${file} here: copy it, and correct identity with i2ptun profile edit ${profile}`,
    );
  }
  if (source.forwards.length === 0) {
    notes.push(
      `it forwards nothing yet: add forwards with i2ptun profile edit ${profile}`,
    );
  }
  return notes;
}

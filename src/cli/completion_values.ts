/**
 * The values that only this user's files know: profiles, what runs, forwards.
 *
 * @module
 */

import { RunFolder } from "../background/records.ts";
import { SERVICE_NAMES, SERVICES } from "../i2p/services.ts";
import { readText } from "../profile/atomic_file.ts";
import { readYaml } from "../profile/yaml_text.ts";
import type { Candidate, ValuePlace, Values } from "./completion.ts";
import { openSurroundings } from "./surroundings.ts";

type Source = (place: ValuePlace) => Promise<Candidate[]> | Candidate[];

/**
 * By the name of an argument or option; `COMMAND: NAME` goes before `NAME`.
 * What is not here cannot be known.
 */
const SOURCES: Record<string, Source | "files"> = {
  "config": "files",
  "file": "files",
  "identity": "files",
  "reg": "files",
  "dir": "files",
  "ssh: args": "files",
  "service": () =>
    SERVICE_NAMES.map((value) => ({ value, about: SERVICES[value].title })),
  "open: service": forwards,
  "name": profiles,
  "names": profiles,
  "profile add: name": () => [],
  "profile stop: names": running,
  "profile import putty: sessions": puttySessions,
  "browser": () =>
    ["firefox", "librewolf", "chromium", "brave", "chrome"].map((value) => ({
      value,
      about: "browser",
    })),
};

/** The values for a place, from the files of whoever asks. */
export const userValues: Values = async (place) => {
  const source = SOURCES[`${place.command}: ${place.name}`] ??
    SOURCES[place.name];
  if (source === "files") return source;
  return await source?.(place) ?? [];
};

/** Their names only, so that it is quick, and works while a file has mistakes. */
async function profiles(place: ValuePlace): Promise<Candidate[]> {
  const { config } = openSurroundings({ config: place.config });
  const names = readYaml(await readText(config) ?? "").keysOf("profiles");
  return names.map((value) => ({ value, about: "profile" }));
}

async function running(): Promise<Candidate[]> {
  const folder = new RunFolder(openSurroundings({}).paths.run);
  const names = await folder.names();
  return names.map((value) => ({ value, about: "running" }));
}

/** Of the profile that is named before. */
async function forwards(place: ValuePlace): Promise<Candidate[]> {
  const { ProfileStore } = await import("../profile/store.ts");
  const { config } = openSurroundings({ config: place.config });
  const profile = await new ProfileStore(config).get(place.given[0] ?? "");
  return profile.forwards.filter(({ kind }) => kind !== "remote")
    .map(({ name: value }) => ({ value, about: "forward" }));
}

/** Where PuTTY usually keeps them; none is no error here. */
async function puttySessions(): Promise<Candidate[]> {
  const { readPuttyStore } = await import("../profile/putty_store.ts");
  const { environment } = openSurroundings({});
  const store = await readPuttyStore({}, environment).catch(() => undefined);
  return (store?.sessions ?? [])
    .map(({ name }) => ({ value: name, about: "PuTTY session" }));
}

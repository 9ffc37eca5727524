/**
 * Where PuTTY keeps its sessions and the host keys it trusts: the registry, an
 * export of it, or the folder of the Unix version (putty(1), and
 * `make_filename` in unix/storage.c of its source).
 *
 * @module
 */

import { basename, dirname, join } from "node:path";
import { I2ptunError } from "../errors.ts";
import { type Environment, expandHome } from "../platform/paths.ts";
import { output } from "../platform/run.ts";
import { type PuttyHostKey, readPuttyHostKey } from "../ssh/putty_host_key.ts";
import {
  printable,
  type PuttySession,
  PuttySettings,
  unescapePercent,
} from "./putty_settings.ts";
import { decodeText, parseRegFile } from "./reg_file.ts";

/** Everything that PuTTY has saved in one place. */
export interface PuttyStore {
  /** The place, for messages. */
  from: string;
  /** By name; without the settings that a new session begins with. */
  sessions: PuttySession[];
  hostKeys: PuttyHostKey[];
}

/** Which place to read; without one, where PuTTY of this system has it. */
export interface PuttyPlace {
  /** A `.reg` file. */
  reg?: string | undefined;
  /** PuTTY's folder, or its `sessions`. */
  dir?: string | undefined;
}

const REGISTRY = "HKCU\\Software\\SimonTatham\\PuTTY";
/** In an export of any hive, such as that of another user. */
const IN_REGISTRY =
  /\\Software\\SimonTatham\\PuTTY\\(?:(Sessions)\\([^\\]+)|SshHostKeys)$/i;

/**
 * Reads a place.
 *
 * @throws I2ptunError "usage" if there is nothing of PuTTY, or it cannot be read
 */
export async function readPuttyStore(
  place: PuttyPlace,
  environment: Environment,
): Promise<PuttyStore> {
  const store = place.reg !== undefined
    ? await readRegFile(expandHome(place.reg, environment))
    : place.dir !== undefined
    ? await readFolder(foldersIn(expandHome(place.dir, environment)))
    : environment.system === "windows"
    ? await readRegistry()
    : await readFolder(usualFolders(environment));
  store.sessions = store.sessions
    .filter(({ name }) => name !== "Default Settings")
    .sort((a, b) => a.name < b.name ? -1 : 1);
  if (store.sessions.length > 0) return store;
  throw new I2ptunError("usage", `no PuTTY sessions in ${store.from}`, {
    remedy:
      "name the place: --reg FILE, exported with regedit, or --dir ~/.putty",
  });
}

async function readRegFile(file: string): Promise<PuttyStore> {
  return fromRegistry(decodeText(await read(file)), file);
}

/** `reg export`, since what `reg query` prints has lost its encoding. */
async function readRegistry(): Promise<PuttyStore> {
  const folder = await Deno.makeTempDir({ prefix: "i2ptun-" });
  try {
    const file = join(folder, "putty.reg");
    const from = `the registry (${REGISTRY})`;
    if (await output("reg", "export", REGISTRY, file, "/y") === undefined) {
      return { from, sessions: [], hostKeys: [] };
    }
    return fromRegistry(decodeText(await read(file)), from);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function fromRegistry(text: string, from: string): PuttyStore {
  const store: PuttyStore = { from, sessions: [], hostKeys: [] };
  for (const { path, values } of parseRegFile(text, from, IN_REGISTRY)) {
    const match = IN_REGISTRY.exec(path);
    if (match?.[1] !== undefined) {
      store.sessions.push({
        name: printable(unescapePercent(match[2]!)),
        settings: new PuttySettings(values),
      });
    } else if (match) {
      store.hostKeys.push(...hostKeysOf(
        [...values].map(([name, value]) => [unescapePercent(name), value]),
      ));
    }
  }
  return store;
}

interface Folders {
  sessions: string;
  hostKeys: string;
}

function foldersIn(folder: string): Folders {
  const isSessions = basename(folder) === "sessions" ||
    !isFolder(join(folder, "sessions"));
  return isSessions
    ? { sessions: folder, hostKeys: join(dirname(folder), "sshhostkeys") }
    : {
      sessions: join(folder, "sessions"),
      hostKeys: join(folder, "sshhostkeys"),
    };
}

function usualFolders({ home, variable }: Environment): Folders {
  const config = join(
    variable("XDG_CONFIG_HOME") ?? join(home, ".config"),
    "putty",
  );
  const folder = variable("PUTTYDIR") ??
    (isFolder(config) ? config : join(home, ".putty"));
  return {
    sessions: variable("PUTTYSESSIONS") ?? join(folder, "sessions"),
    hostKeys: variable("PUTTYSSHHOSTKEYS") ?? join(folder, "sshhostkeys"),
  };
}

async function readFolder(folders: Folders): Promise<PuttyStore> {
  const sessions: PuttySession[] = [];
  if (isFolder(folders.sessions)) {
    for await (const { name, isDirectory } of Deno.readDir(folders.sessions)) {
      if (isDirectory) continue;
      const text = decodeText(await read(join(folders.sessions, name)));
      const settings = text.split(/\r?\n/)
        .map((line) => /^([^=]+)=(.*)$/.exec(line))
        .filter((match) => match !== null)
        .map(([, key, value]) => [key!, value!] as const);
      // whatever else may lie there
      if (!settings.some(([key]) => /^(HostName|Protocol)$/.test(key))) {
        continue;
      }
      sessions.push({
        name: printable(unescapePercent(name)),
        settings: new PuttySettings(settings),
      });
    }
  }
  const keys = isFile(folders.hostKeys)
    ? decodeText(await read(folders.hostKeys))
    : "";
  const entries = keys.split(/\r?\n/)
    .map((line) => /^(\S+)\s+(\S+)\s*$/.exec(line))
    .filter((match) => match !== null)
    .map(([, name, value]) => [name!, value!] as const);
  return { from: folders.sessions, sessions, hostKeys: hostKeysOf(entries) };
}

/** Those that are understood: old types are of no use any more. */
function hostKeysOf(
  entries: Iterable<readonly [string, string]>,
): PuttyHostKey[] {
  return [...entries]
    .map(([name, value]) => readPuttyHostKey(name, value))
    .filter((key) => key !== undefined);
}

async function read(file: string): Promise<Uint8Array> {
  try {
    return await Deno.readFile(file);
  } catch (cause) {
    const isMissing = cause instanceof Deno.errors.NotFound;
    throw new I2ptunError(
      "usage",
      isMissing ? `there is no file ${file}` : `cannot read ${file}`,
      { remedy: "name a file that you may read", cause },
    );
  }
}

function isFolder(path: string): boolean {
  return statOf(path)?.isDirectory ?? false;
}

function isFile(path: string): boolean {
  return statOf(path)?.isFile ?? false;
}

function statOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch {
    return undefined;
  }
}

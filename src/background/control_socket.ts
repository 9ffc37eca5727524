/**
 * Where the control socket of a profile is, and listening there.
 *
 * @module
 */

import { createServer } from "node:net";
import { basename, dirname, join } from "node:path";
import type { Duplex } from "node:stream";
import { listenAt, Socket } from "../forward/socket.ts";
import type { Environment, System } from "../platform/paths.ts";
import { PIPES } from "../platform/permissions.ts";

/** Longest path of a Unix socket everywhere (macOS: 104 bytes with the NUL). */
const MAX_SOCKET_PATH_BYTES = 103;

/**
 * Where the control socket of a profile is. A folder whose path is too long for
 * a socket is stood in for by a private one for temporary files. A pipe's name
 * cannot be guessed, so that nobody else can have made one of that name before.
 */
export async function controlAddress(
  folder: string,
  name: string,
  system: System,
): Promise<string> {
  if (system === "windows") {
    return `${PIPES}i2ptun-${crypto.randomUUID()}`;
  }
  const address = join(folder, `${name}.sock`);
  if (isShort(address)) return address;
  const temporary = await Deno.makeTempDir({ prefix: STAND_IN });
  const short = join(temporary, "control.sock");
  if (isShort(short)) return short;
  await Deno.remove(temporary);
  return join(
    await Deno.makeTempDir({ dir: "/tmp", prefix: STAND_IN }),
    "control.sock",
  );
}

/** How the names of folders begin that stand in for one with a long path. */
const STAND_IN = "i2ptun-";

function isShort(path: string): boolean {
  return new TextEncoder().encode(path).length <= MAX_SOCKET_PATH_BYTES;
}

/** Where control sockets are, of the profiles of a folder for records. */
export function controlFolders(
  folder: string,
  { system, variable }: Pick<Environment, "system" | "variable">,
): string[] {
  if (system === "windows") return [PIPES];
  if (isShort(join(folder, "x.sock"))) return [];
  return [variable("TMPDIR") ?? "/tmp", "/tmp"];
}

/** What {@link removeControl} removes. */
export function controlFiles(address: string, folder: string): string[] {
  const parent = dirname(address);
  return isStandIn(parent, folder) ? [address, parent] : [address];
}

function isStandIn(parent: string, folder: string): boolean {
  return parent !== folder && basename(parent).startsWith(STAND_IN);
}

/** Removes a socket that nobody listens at any more. */
export async function removeControl(
  address: string,
  folder: string,
): Promise<void> {
  // a pipe goes with its process
  if (isPipe(address)) return;
  for (const path of controlFiles(address, folder)) {
    await Deno.remove(path).catch(() => {});
  }
}

/** Whether it is a named pipe of Windows. */
export function isPipe(address: string): boolean {
  return address.startsWith(PIPES);
}

/**
 * Listens for this user's programs.
 *
 * @returns what ends it; connections that are there stay
 * @throws {Error} the system's
 */
export async function listenControl(
  address: string,
  onConnection: (socket: Duplex) => void,
): Promise<() => void> {
  if (isPipe(address)) return await listenAtPipe(address, onConnection);
  // not node:net: its server of Deno 2.7 takes 513 connections and no more
  return listenAt({ path: address }, (conn) => onConnection(new Socket(conn)))
    .close;
}

/** As many as Deno allows; at the fifth client at once it would take no more. */
const PIPE_INSTANCES = "254";

function listenAtPipe(
  address: string,
  onConnection: (socket: Duplex) => void,
): Promise<() => void> {
  Deno.env.set("NODE_PENDING_PIPE_INSTANCES", PIPE_INSTANCES);
  const server = createServer(onConnection);
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(address, () => {
      server.removeListener("error", reject);
      server.on("error", () => {});
      resolve(() => server.close());
    });
  });
}

/**
 * Where the SSH agent is, if the user has not said so.
 *
 * @module
 */

import type { System } from "../platform/paths.ts";

const PIPES = "\\\\.\\pipe\\";

/**
 * PuTTY's Pageant listens at a named pipe `pageant.USER.HASH` (0.75 and newer;
 * `pageant --openssh-config` tells its name) and speaks the agent protocol.
 * It goes before the OpenSSH agent's service, whose pipe is often there empty.
 *
 * @param usual where the environment or the system has it
 * @param list the names of all named pipes
 */
export async function findAgent(
  system: System,
  user: string,
  usual: string | undefined,
  list: () => Promise<string[]> = listPipes,
): Promise<string | undefined> {
  const isService = usual?.startsWith(`${PIPES}openssh-ssh-agent`);
  if (system !== "windows" || (usual !== undefined && !isService)) return usual;
  const prefix = `pageant.${user}.`.toLowerCase();
  const names = await list().catch(() => []);
  const pageant = names.find((name) => name.toLowerCase().startsWith(prefix));
  return pageant === undefined ? usual : PIPES + pageant;
}

async function listPipes(): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(PIPES)) names.push(name);
  return names;
}

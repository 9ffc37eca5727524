import { isDeepStrictEqual } from "node:util";
import { I2ptunError } from "../../errors.ts";
import { isRunning } from "../../background/running.ts";
import { AlreadyRunningError } from "../../background/running.ts";
import { findClashes, nameForwards } from "../../profile/forward_names.ts";
import { readForward, specsOf } from "../../profile/import_ssh_config.ts";
import { DEFAULTS, type Profile } from "../../profile/profile.ts";
import {
  parseServerAddress,
  type ServerAddress,
} from "../../profile/server_address.ts";
import { parseSshCommand, type SshCommand } from "../../profile/ssh_command.ts";
import { readHostConfig } from "../../tunnel/route.ts";
import { expandHome } from "../../platform/paths.ts";
import type { Context } from "../context.ts";
import { warn } from "../output.ts";
import { startProfiles } from "./start.ts";

/** `ssh`: the forwards of an OpenSSH command line, without a profile. */
export async function ssh(args: string[], context: Context): Promise<void> {
  const command = parseSshCommand(args);
  const profile: Profile = {
    ...DEFAULTS,
    name: "",
    server: parseServerAddress(command.server),
    jump: command.jump.map(parseServerAddress),
    identity: await keyFilesOf(command, context),
    knownHosts: undefined,
    hostKey: undefined,
    sshConfig: command.configFile === "none" ? false : command.configFile,
    sshOptions: command.options.map(({ key, value }) => `${key} ${value}`),
    forwards: [],
    written: new Set(),
  };
  profile.forwards = await forwardsOf(command, profile, context);
  const { background, quiet } = command;
  const options = { foreground: !background, onlyNew: true, quiet };
  const debug = context.debug || command.verbose;
  for await (const name of freeNames(profile.server, context)) {
    try {
      return await startProfiles([{ ...profile, name }], options, {
        ...context,
        debug,
      });
    } catch (error) {
      // another one has just taken the name
      if (!(error instanceof AlreadyRunningError)) throw error;
    }
  }
}

/** The files of `-i`; as with ssh, one that is not there does not count. */
async function keyFilesOf(
  { identity, quiet }: SshCommand,
  { environment }: Context,
): Promise<string[]> {
  const there: string[] = [];
  for (const file of identity) {
    try {
      await Deno.stat(expandHome(file, environment));
      there.push(file);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) there.push(file);
      else if (!quiet) warn(`there is no key file ${file}`);
    }
  }
  return there;
}

/** Those of the command line, and as with ssh those of ~/.ssh/config. */
async function forwardsOf(
  command: SshCommand,
  profile: Profile,
  context: Context,
): Promise<Profile["forwards"]> {
  const config = await readHostConfig(profile, context.environment);
  const all = [...command.forwards, ...specsOf(config)]
    .map((spec) => readForward(spec, config.gatewayPorts));
  // as with ssh, a forward that is there already is none
  const forwards = all.filter((each, i) =>
    all.findIndex((other) => isDeepStrictEqual(other, each)) === i
  );
  if (forwards.length === 0) {
    throw new I2ptunError("usage", "there is nothing to forward", {
      remedy:
        "add -L, -R or -D; i2ptun opens no shell: for that, use ssh itself",
    });
  }
  const entries = forwards.map((forward) => ({ forward }));
  const [clash] = findClashes(entries);
  if (clash) {
    throw new I2ptunError("usage", clash.message, {
      remedy: "leave one of them out, on the command line or in ssh_config",
    });
  }
  return nameForwards(entries);
}

/** Names made from the destination that nothing else has. */
async function* freeNames(
  { host, port }: ServerAddress,
  context: Context,
): AsyncGenerator<string> {
  const isUsual = port === undefined || port === 22;
  const base = `${host}${isUsual ? "" : `-${port}`}`
    .replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^-+/, "").slice(0, 60) ||
    "server";
  const taken = new Set(
    (await context.store.load()).map((profile) => profile.name),
  );
  for (let i = 1;; i++) {
    const name = i === 1 ? base : `${base}-${i}`;
    if (!taken.has(name) && !await isRunning(context.folder, name)) yield name;
  }
}

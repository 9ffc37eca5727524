import { I2ptunError } from "../../errors.ts";
import { isRunning } from "../../background/running.ts";
import { AlreadyRunningError } from "../../background/supervise.ts";
import { nameForwards } from "../../profile/forward_names.ts";
import { readForward, specsOf } from "../../profile/import_ssh_config.ts";
import { DEFAULTS, type Profile } from "../../profile/profile.ts";
import {
  parseServerAddress,
  type ServerAddress,
} from "../../profile/server_address.ts";
import { parseSshCommand, type SshCommand } from "../../profile/ssh_command.ts";
import { readHostConfig } from "../../tunnel/route.ts";
import type { Context } from "../context.ts";
import { startProfiles } from "./start.ts";

/** `ssh`: the forwards of an OpenSSH command line, without a profile. */
export async function ssh(args: string[], context: Context): Promise<void> {
  const command = parseSshCommand(args);
  const profile: Profile = {
    ...DEFAULTS,
    name: "",
    server: parseServerAddress(command.server),
    jump: command.jump.map(parseServerAddress),
    identity: command.identity,
    knownHosts: undefined,
    hostKey: undefined,
    sshConfig: command.configFile === "none" ? false : command.configFile,
    sshOptions: command.options.map(({ key, value }) => `${key} ${value}`),
    forwards: [],
    written: new Set(),
  };
  profile.forwards = await forwardsOf(command, profile, context);
  const options = { foreground: !command.background, onlyNew: true };
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

/** Those of the command line, and as with ssh those of ~/.ssh/config. */
async function forwardsOf(
  command: SshCommand,
  profile: Profile,
  context: Context,
): Promise<Profile["forwards"]> {
  const config = await readHostConfig(profile, context.environment);
  const specs = [...command.forwards, ...specsOf(config)];
  if (specs.length === 0) {
    throw new I2ptunError("usage", "there is nothing to forward", {
      remedy:
        "add -L, -R or -D; i2ptun opens no shell: for that, use ssh itself",
    });
  }
  return nameForwards(specs.map((spec) => ({
    forward: readForward(spec, config.gatewayPorts),
  })));
}

/** Names made from the destination that nothing else has. */
async function* freeNames(
  { host, port }: ServerAddress,
  context: Context,
): AsyncGenerator<string> {
  const base = `${host}${port === undefined ? "" : `-${port}`}`
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

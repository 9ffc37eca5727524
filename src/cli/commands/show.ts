import { runningStatus } from "../../background/running.ts";
import type { Profile } from "../../profile/profile.ts";
import type { ServerAddress } from "../../profile/server_address.ts";
import { readHostConfig } from "../../tunnel/route.ts";
import type { Context } from "../context.ts";
import { printJson, printRaw } from "../output.ts";

export type Format = "yaml" | "json" | "ssh" | "plink" | "ssh-config";

/**
 * `profile show`: the YAML as it is written, what it comes to as JSON, or the
 * equivalent for another program. The first two tell the ports that were chosen
 * for a tunnel that runs.
 */
export async function show(
  name: string,
  format: Format,
  context: Context,
): Promise<void> {
  const profile = await context.store.get(name);
  if (context.json) format = "json";
  switch (format) {
    case "yaml": {
      const text = await context.store.textOf(name);
      printRaw(text.endsWith("\n") ? text : `${text}\n`);
      for (const [forward, at] of await chosenPorts(profile, context)) {
        printRaw(`# ${forward} listens on ${at.join(" and ")} now\n`);
      }
      return;
    }
    case "json": {
      const { written: _written, ...rest } = profile;
      const chosen = await chosenPorts(profile, context);
      const forwards = rest.forwards.map((forward) => {
        const listening = chosen.get(forward.name);
        return listening ? { ...forward, listening } : forward;
      });
      return printJson({ ...rest, forwards });
    }
  }
  const { toPlinkCommand, toSshCommand, toSshConfig } = await import(
    "../../profile/export.ts"
  );
  switch (format) {
    case "ssh":
      return printRaw(`${toSshCommand(profile)}\n`);
    case "plink":
      return printRaw(
        `${toPlinkCommand(await withoutAliases(profile, context, true))}\n`,
      );
    case "ssh-config":
      return printRaw(
        toSshConfig(await withoutAliases(profile, context, false)),
      );
  }
}

/**
 * A profile with what ssh_config says of its server, if that is a `Host` of it:
 * plink does not read the file, and in another `Host` the name leads nowhere.
 *
 * @param jumps whether the jump hosts are looked up, too
 */
async function withoutAliases(
  profile: Profile,
  { environment }: Context,
  jumps: boolean,
): Promise<Profile> {
  const resolve = async (address: ServerAddress) => {
    const config = await readHostConfig(profile, environment, address);
    if (config.hostName === address.host) return { address, config: undefined };
    const { user = config.user, port = config.port } = address;
    return { address: { host: config.hostName, user, port }, config };
  };
  const { address: server, config } = await resolve(profile.server);
  const hops = config?.proxyJump ?? [];
  const jump = profile.jump.length > 0
    ? profile.jump
    : hops.map(({ user, host, port }) => ({ user, host, port }));
  return {
    ...profile,
    server,
    identity: profile.identity.length > 0
      ? profile.identity
      : config?.identityFiles ?? [],
    jump: jumps
      ? await Promise.all(
        jump.map(async (each) => (await resolve(each)).address),
      )
      : jump,
  };
}

/**
 * Where the forwards listen whose port was left to the system or the server, by
 * their names; none if the profile does not run.
 */
async function chosenPorts(
  profile: Profile,
  context: Context,
): Promise<Map<string, string[]>> {
  const status = await runningStatus(context.folder, profile.name);
  const open = profile.forwards.filter(({ listen }) =>
    listen.kind === "tcp" && listen.port === 0
  );
  const chosen = open.map(({ name }): [string, string[]] => [
    name,
    status?.forwards.find((each) => each.name === name)?.listen ?? [],
  ]);
  return new Map(chosen.filter(([, addresses]) => addresses.length > 0));
}

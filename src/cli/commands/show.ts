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
        `${toPlinkCommand(await withSshConfig(profile, format, context))}\n`,
      );
    case "ssh-config":
      return printRaw(
        toSshConfig(await withSshConfig(profile, format, context)),
      );
  }
}

/**
 * A profile with what ssh_config says of its server: plink does not read the
 * file, and in a `Host` by another name none of it counts.
 */
async function withSshConfig(
  profile: Profile,
  format: "plink" | "ssh-config",
  { environment }: Context,
): Promise<Profile> {
  const resolve = async (address: ServerAddress) => {
    const config = await readHostConfig(profile, environment, address);
    const { hostName: host, proxyJump = [], identityFiles = [] } = config;
    const { user = config.user, port = config.port } = address;
    return { address: { host, user, port }, proxyJump, identityFiles };
  };
  const server = await resolve(profile.server);
  const jump = profile.jump.length > 0
    ? profile.jump
    : server.proxyJump.map(({ user, host, port }) => ({ user, host, port }));
  const isPlink = format === "plink";
  const files = server.identityFiles;
  return {
    ...profile,
    server: server.address,
    // plink takes one key, and may have others itself
    identity: profile.identity.length > 0 || isPlink && files.length > 1
      ? profile.identity
      : files,
    jump: isPlink
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

/**
 * The commands of `i2ptun profile`.
 *
 * @module
 */

import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { I2ptunError } from "../../errors.ts";
import { contextOf } from "./flags.ts";

/** Adds to a list each time an option is given. */
function collect(value: string, previous: string[]): string[] {
  return [...previous, value];
}

/** Adds `profile` and what is below it. */
export function addProfileCommands(program: CommandUnknownOpts): void {
  const profile = program.command("profile")
    .description("add, start, stop and look at profiles");

  profile.command("list")
    .description("name, server, forwards and state of every profile")
    .action(async (_options, command) => {
      const { list } = await import("../commands/list.ts");
      await list(await contextOf(command));
    });

  profile.command("add")
    .argument("<name>", "letters, digits, '.', '_' and '-'")
    .description("add a profile; on a terminal, asks for what is missing")
    .option("--server <server>", "[user@]host[:port]")
    .option(
      "--service <service>",
      "an I2P service by name, such as console or http-proxy",
      collect,
      [],
    )
    .option("-L, --local <spec>", "a local forward, as ssh -L", collect, [])
    .option("-R, --remote <spec>", "a remote forward, as ssh -R", collect, [])
    .option("-D, --dynamic <spec>", "a SOCKS proxy, as ssh -D", collect, [])
    .option("--jump <server>", "a jump host, as ssh -J", collect, [])
    .option("--identity <file>", "a private key file", collect, [])
    .option("--ssh <command>", "an OpenSSH command line, as in a guide")
    .action(async (name, options, command) => {
      const { add } = await import("../commands/add.ts");
      await add(name, options, await contextOf(command));
    });

  profile.command("show")
    .argument("<name>")
    .description("the profile, or the equivalent for another program")
    .addOption(
      new Option("--as <format>", "format").choices(
        ["yaml", "json", "ssh", "plink", "ssh-config"] as const,
      ).default("yaml" as const),
    )
    .action(async (name, options, command) => {
      const { show } = await import("../commands/show.ts");
      await show(name, options.as, await contextOf(command));
    });

  profile.command("edit")
    .argument("<name>")
    .description("edit the profile in $VISUAL or $EDITOR; checked before saved")
    .action(async (name, _options, command) => {
      const { edit } = await import("../commands/edit.ts");
      await edit(name, await contextOf(command));
    });

  profile.command("remove")
    .argument("<name>")
    .description("remove the profile; refused while it runs")
    .option("--yes", "do not ask")
    .action(async (name, options, command) => {
      const { remove } = await import("../commands/remove.ts");
      await remove(name, options.yes ?? false, await contextOf(command));
    });

  const imports = profile.command("import")
    .description("make profiles of what PuTTY or ssh has saved");

  imports.command("putty")
    .argument("[sessions...]", "by default those that forward something")
    .description("PuTTY's saved sessions, from where PuTTY has them")
    .option("--reg <file>", "an export of the registry, by regedit")
    .option("--dir <folder>", "PuTTY's folder, such as ~/.putty")
    .option("--host-keys", "trust the host keys that PuTTY trusts, unasked")
    .action(async (sessions, options, command) => {
      const { importPutty } = await import("../commands/import_putty.ts");
      await importPutty(sessions, options, await contextOf(command));
    });

  imports.command("ssh-config")
    .argument("[hosts...]", "on a terminal, asks which if there is none")
    .description("Hosts with forwards from ~/.ssh/config")
    .action(async (hosts, _options, command) => {
      const { importSshConfig } = await import(
        "../commands/import_ssh_config.ts"
      );
      await importSshConfig(hosts, await contextOf(command));
    });

  profile.command("start")
    .argument("<names...>")
    .description("start in the background; returns when every forward is up")
    .option("--foreground", "stay, with a live view, until Ctrl-C")
    .option("--open", "open the first page in the browser")
    .option(
      "--password-stdin",
      "read one line and use it for the first secret that is asked for",
    )
    .option("--accept-new", "store an unknown host key without asking")
    .option("--timeout <seconds>", "give up when it is not up by then", seconds)
    .option(
      "--keep-trying",
      "go on where the server cannot be reached yet, as after a lost connection",
    )
    .action(async (names, options, command) => {
      const { start } = await import("../commands/start.ts");
      await start(names, options, await contextOf(command));
    });

  profile.command("stop")
    .argument("[names...]")
    .description("stop; not running is no error")
    .option("--all", "stop every profile that runs")
    .action(async (names, options, command) => {
      const { stop } = await import("../commands/stop.ts");
      await stop(names, options.all ?? false, await contextOf(command));
    });

  profile.command("restart")
    .argument("<names...>")
    .description("stop, then start")
    .option("--password-stdin", "as with start")
    .option("--accept-new", "as with start")
    .option("--timeout <seconds>", "as with start", seconds)
    .action(async (names, options, command) => {
      const { restart } = await import("../commands/restart.ts");
      await restart(names, options, await contextOf(command));
    });

  profile.command("status")
    .argument("[names...]")
    .description("state, since when, each forward's connections and bytes")
    .option("--watch", "show it live until Ctrl-C")
    .action(async (names, options, command) => {
      const { status } = await import("../commands/status.ts");
      await status(names, options.watch ?? false, await contextOf(command));
    });

  profile.command("logs")
    .argument("<name>")
    .description(
      "what happened to the profile's tunnel; with --json, an object a line",
    )
    .option("--follow", "go on as it happens, until Ctrl-C")
    .option("--lines <number>", "how many of the last lines", count, 50)
    .action(async (name, options, command) => {
      const { logs } = await import("../commands/logs.ts");
      await logs(name, options, await contextOf(command));
    });

  profile.command("check")
    .argument("<name>")
    .description("find what is wrong, step by step, with cause and remedy")
    .option("--password-stdin", "as with start")
    .action(async (name, options, command) => {
      const { check } = await import("../commands/check.ts");
      await check(name, options, await contextOf(command));
    });
}

function seconds(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= 86_400) return value;
  throw new I2ptunError("usage", `--timeout ${text} is no number of seconds`, {
    remedy: "--timeout 30",
  });
}

function count(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0) return value;
  throw new I2ptunError("usage", `--lines ${text} is no number of lines`, {
    remedy: "--lines 50",
  });
}

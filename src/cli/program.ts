/**
 * The whole command tree on one page. What a command does is in `commands/`,
 * one file a verb, loaded when the command runs.
 *
 * @module
 */

import {
  Argument,
  Command,
  type CommandUnknownOpts,
  Option,
} from "@commander-js/extra-typings";
import { I2ptunError } from "../errors.ts";
import { print, sayError, useColour } from "./output.ts";
import { giveUpUnneeded } from "./permissions.ts";
import { type GlobalFlags, openSurroundings } from "./surroundings.ts";
import { SHELLS } from "./shells.ts";
import { findCommand, HelpShown, pathOf, prepareUsage } from "./usage.ts";
import { flagsAlone, hasTerminal, runMenu } from "./without_command.ts";
import { versionLine } from "./version.ts";

const SSH_NOTES = `
Without -f it stays until Ctrl-C. With -f it goes to the background once it is
logged in, and is a profile of its own until it is stopped.`;

/** Adds to a list each time an option is given. */
function collect(value: string, previous: string[]): string[] {
  return [...previous, value];
}

/**
 * The command tree.
 *
 * @param source what the program was made from, for `--version`
 */
export function buildProgram(source: string) {
  const program = new Command("i2ptun")
    .description(
      "Keeps SSH tunnels to a remote I2P router (or any remote service) up.",
    )
    .version(versionLine(source), "--version", "show the version")
    .option("--config <file>", "profiles file (default: see `i2ptun version`)")
    .option("--json", "print the result as JSON")
    .option("--debug", "say more, and show stack traces")
    .option("--no-color", "no colours (also NO_COLOR)")
    .addHelpText("after", "\nDocumentation of profiles.yaml: i2ptun schema");

  program.hook(
    "preAction",
    (_program, command) =>
      giveUpUnneeded(pathOf(command as unknown as CommandUnknownOpts)),
  );

  type Leaf = { optsWithGlobals(): unknown };
  /** The flags of a command and of the whole program. */
  const flags = (command: Leaf) => command.optsWithGlobals() as GlobalFlags;
  const context = async (command: Leaf) => {
    const { openContext } = await import("./context.ts");
    return openContext(flags(command));
  };

  const profile = program.command("profile")
    .description("add, start, stop and look at profiles");

  profile.command("list")
    .description("name, server, forwards and state of every profile")
    .action(async (_options, command) => {
      const { list } = await import("./commands/list.ts");
      await list(await context(command));
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
      const { add } = await import("./commands/add.ts");
      await add(name, options, await context(command));
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
      const { show } = await import("./commands/show.ts");
      await show(name, options.as, await context(command));
    });

  profile.command("edit")
    .argument("<name>")
    .description("edit the profile in $VISUAL or $EDITOR; checked before saved")
    .action(async (name, _options, command) => {
      const { edit } = await import("./commands/edit.ts");
      await edit(name, await context(command));
    });

  profile.command("remove")
    .argument("<name>")
    .description("remove the profile; refused while it runs")
    .option("--yes", "do not ask")
    .action(async (name, options, command) => {
      const { remove } = await import("./commands/remove.ts");
      await remove(name, options.yes ?? false, await context(command));
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
      const { importPutty } = await import("./commands/import_putty.ts");
      await importPutty(sessions, options, await context(command));
    });

  imports.command("ssh-config")
    .argument("[hosts...]", "on a terminal, asks which if there is none")
    .description("Hosts with forwards from ~/.ssh/config")
    .action(async (hosts, _options, command) => {
      const { importSshConfig } = await import(
        "./commands/import_ssh_config.ts"
      );
      await importSshConfig(hosts, await context(command));
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
    .action(async (names, options, command) => {
      const { start } = await import("./commands/start.ts");
      await start(names, options, await context(command));
    });

  profile.command("stop")
    .argument("[names...]")
    .description("stop; not running is no error")
    .option("--all", "stop every profile that runs")
    .action(async (names, options, command) => {
      const { stop } = await import("./commands/stop.ts");
      await stop(names, options.all ?? false, await context(command));
    });

  profile.command("restart")
    .argument("<names...>")
    .description("stop, then start")
    .option("--password-stdin", "as with start")
    .option("--accept-new", "as with start")
    .option("--timeout <seconds>", "as with start", seconds)
    .action(async (names, options, command) => {
      const { restart } = await import("./commands/restart.ts");
      await restart(names, options, await context(command));
    });

  profile.command("status")
    .argument("[names...]")
    .description("state, since when, each forward's connections and bytes")
    .option("--watch", "show it live until Ctrl-C")
    .action(async (names, options, command) => {
      const { status } = await import("./commands/status.ts");
      await status(names, options.watch ?? false, await context(command));
    });

  profile.command("logs")
    .argument("<name>")
    .description(
      "what happened to the profile's tunnel; with --json, an object a line",
    )
    .option("--follow", "go on as it happens, until Ctrl-C")
    .option("--lines <number>", "how many of the last lines", count, 50)
    .action(async (name, options, command) => {
      const { logs } = await import("./commands/logs.ts");
      await logs(name, options, await context(command));
    });

  profile.command("check")
    .argument("<name>")
    .description("find what is wrong, step by step, with cause and remedy")
    .option("--password-stdin", "as with start")
    .action(async (name, options, command) => {
      const { check } = await import("./commands/check.ts");
      await check(name, options, await context(command));
    });

  program.command("ssh")
    .argument("[args...]", "as for ssh: -L -R -D -J -p -l -i -N -f -o …")
    .description("an OpenSSH command line as it is: opens its forwards")
    .addHelpText("after", SSH_NOTES)
    .action(async (args, _options, command) => {
      const { ssh } = await import("./commands/ssh.ts");
      await ssh(args, await context(command));
    });

  program.command("discover")
    .argument("<name>", "a profile")
    .description("find which I2P services its server really has, over SSH")
    .option("--add", "add those that are found to the profile")
    .option(
      "--password-stdin",
      "read one line and use it for the first secret that is asked for",
    )
    .option("--accept-new", "store an unknown host key without asking")
    .action(async (name, options, command) => {
      const { discover } = await import("./commands/discover.ts");
      await discover(name, options, await context(command));
    });

  program.command("open")
    .argument("<name>")
    .argument(
      "[service]",
      "a service or forward of it; default: the first page",
    )
    .description("open the service's page in the browser")
    .option("--print", "print the address instead")
    .action(async (name, service, options, command) => {
      const { open } = await import("./commands/open.ts");
      await open(name, service, options, await context(command));
    });

  program.command("browse")
    .argument("<name>")
    .argument("[url]", "what to open; default: a start page")
    .description("a browser whose only way out is the tunnelled I2P proxy")
    .option(
      "--browser <browser>",
      "firefox, librewolf, chromium, brave or chrome (default: the first found)",
    )
    .option("--print", "print the command that starts it instead")
    .option("--pac", "print a proxy auto-config for another browser instead")
    .action(async (name, url, options, command) => {
      const { browse } = await import("./commands/browse.ts");
      await browse(name, url, options, await context(command));
    });

  const key = program.command("key")
    .description("make SSH keys, and let them log in");

  key.command("create")
    .description("make a key pair; asks for a passphrase")
    .addOption(
      new Option("--type <type>", "kind of key").choices(
        ["ed25519", "rsa", "ecdsa"] as const,
      ).default("ed25519" as const),
    )
    .option("--file <file>", "private key file (default: ~/.ssh/id_TYPE)")
    .option("--no-passphrase", "leave the private key unencrypted")
    .option("--password-stdin", "read the passphrase from standard input")
    .action(async (options, command) => {
      const { keyCreate } = await import("./commands/key_create.ts");
      await keyCreate(options, await context(command));
    });

  key.command("install")
    .argument("<name>", "a profile")
    .description("let a key log in to the profile's server, and prove it")
    .option("--file <file>", "public key file (default: the profile's key)")
    .option(
      "--password-stdin",
      "read one line and use it for the first secret that is asked for",
    )
    .option("--accept-new", "store an unknown host key without asking")
    .action(async (name, options, command) => {
      const { keyInstall } = await import("./commands/key_install.ts");
      await keyInstall(name, options, await context(command));
    });

  program.command("autostart")
    .addArgument(
      new Argument("<action>").choices(
        ["enable", "disable", "status"] as const,
      ),
    )
    .argument("<name>")
    .description("start a profile at login: systemd, launchd or a Windows task")
    .option("--system", "with the system instead, as a systemd system unit")
    .option("--print", "show it and change nothing")
    .action(async (action, name, options, command) => {
      const { autostart } = await import("./commands/autostart.ts");
      await autostart(action, name, options, await context(command));
    });

  program.command("demo")
    .description(
      "a sample server and a real tunnel to it, on this machine only",
    )
    .option("--once", "stop after one page came through the tunnel")
    .action(async (options, command) => {
      const { demo } = await import("./commands/demo.ts");
      await demo(options.once ?? false, await context(command));
    });

  program.command("completions")
    .addArgument(new Argument("<shell>").choices(SHELLS))
    .description("the script that completes commands and names in a shell")
    .action(async (shell) => {
      const { completions } = await import("./commands/completions.ts");
      completions(shell);
    });

  program.command("schema")
    .description("the JSON Schema of profiles.yaml, for editors")
    .action(async () => {
      const { jsonSchema } = await import("../profile/schema.ts");
      print(JSON.stringify(jsonSchema(), undefined, 2));
    });

  program.command("version")
    .description("version, Deno's version, and where files are")
    .action(async (_options, command) => {
      const { version } = await import("./commands/version.ts");
      version(openSurroundings(flags(command)), source);
    });

  program.command("help")
    .argument("[commands...]")
    .description("show help for a command")
    .action((words) => findCommand(program, words).outputHelp());

  program.command("complete", { hidden: true })
    .argument("[words...]")
    .option("--current <word>", "", "")
    .action(async (words, { current }) => {
      const { answerShell } = await import("./commands/completions.ts");
      await answerShell(program, words, current);
    });

  program.command("background", { hidden: true })
    .argument("<name>")
    .action(async (_name, _options, command) => {
      const { background } = await import("./commands/background.ts");
      await background(openSurroundings(flags(command)));
    });

  prepareUsage(program);
  return program;
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

/**
 * Runs the command that `args` say.
 *
 * @param source what the program was made from, for `--version`
 * @returns the exit code
 */
export async function runProgram(
  args: string[],
  source = "run from source",
): Promise<number> {
  if (args.length === 1 && args[0] === "--version") {
    // without the tree, whose making is a good part of what this takes
    print(versionLine(source));
    return 0;
  }
  const debug = args.includes("--debug");
  useColour(!args.includes("--no-color"));
  const program = buildProgram(source);
  try {
    const flags = flagsAlone(args, program as unknown as Command);
    if (flags !== undefined) {
      if (hasTerminal() && !flags.json) {
        await giveUpUnneeded("");
        return await runMenu(flags);
      }
      program.outputHelp({ error: true });
      return 2;
    }
    await program.parseAsync(shieldSsh(args), { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof HelpShown) return error.exitCode;
    const known = I2ptunError.from(error);
    sayError(known, debug);
    return known.exitCode;
  }
}

/** What follows `ssh` is ssh's language, not ours. */
function shieldSsh(args: string[]): string[] {
  const end =
    args.findIndex((word, i) =>
      !word.startsWith("-") && args[i - 1] !== "--config"
    ) + 1;
  const isSsh = args[end - 1] === "ssh" && args.length > end;
  if (!isSsh || args[end] === "--help") return args;
  return [...args.slice(0, end), "--", ...args.slice(end)];
}

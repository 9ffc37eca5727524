/**
 * The whole command tree on one page. What a command does is in `commands/`,
 * one file a verb, loaded when the command runs.
 *
 * @module
 */

import {
  Argument,
  Command,
  CommanderError,
  Option,
} from "@commander-js/extra-typings";
import { I2ptunError } from "../errors.ts";
import { type GlobalFlags, openContext } from "./context.ts";
import { print, sayError, useColour } from "./output.ts";
import { giveUpUnneeded } from "./permissions.ts";
import { VERSION } from "./version.ts";

const EXAMPLES = `
Examples:
  i2ptun profile add home --server i2p@20.228.143.58 --service console --service http-proxy
  i2ptun profile start home
  i2ptun profile status
  i2ptun profile stop home
  i2ptun demo

Documentation of profiles.yaml: i2ptun schema`;

const SSH_EXAMPLES = `
Examples:
  i2ptun ssh -L 7657:127.0.0.1:7657 i2p@20.228.143.58
  i2ptun ssh -fTNL 4444:127.0.0.1:4444 -L 7657:127.0.0.1:7657 i2p@20.228.143.58
  i2ptun profile stop 20.228.143.58

Without -f it stays until Ctrl-C. With -f it goes to the background once it is
logged in, and is a profile of its own until it is stopped.`;

/** Adds to a list each time an option is given. */
function collect(value: string, previous: string[]): string[] {
  return [...previous, value];
}

function buildProgram() {
  const program = new Command("i2ptun")
    .description(
      "Keeps SSH tunnels to a remote I2P router (or any remote service) up.",
    )
    .version(VERSION, "--version", "show the version")
    .helpOption("--help", "show help")
    .helpCommand("help [command]", "show help for a command")
    .option("--config <file>", "profiles file (default: see `i2ptun version`)")
    .option("--json", "print the result as JSON")
    .option("--debug", "say more, and show stack traces")
    .option("--no-color", "no colours (also NO_COLOR)")
    .addHelpText("after", EXAMPLES);

  program.hook("preAction", async (_program, command) => {
    const names: string[] = [];
    for (let each = command; each.parent; each = each.parent) {
      names.unshift(each.name());
    }
    await giveUpUnneeded(names.join(" "));
  });

  /** The flags of a command and of the whole program. */
  const context = (command: { optsWithGlobals(): unknown }) =>
    openContext(command.optsWithGlobals() as GlobalFlags);

  const profile = program.command("profile")
    .description("add, start, stop and look at profiles");

  profile.command("list")
    .description("name, server, forwards and state of every profile")
    .action(async (_options, command) => {
      const { list } = await import("./commands/list.ts");
      await list(context(command));
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
      await add(name, options, context(command));
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
      await show(name, options.as, context(command));
    });

  profile.command("edit")
    .argument("<name>")
    .description("edit the profile in $VISUAL or $EDITOR; checked before saved")
    .action(async (name, _options, command) => {
      const { edit } = await import("./commands/edit.ts");
      await edit(name, context(command));
    });

  profile.command("remove")
    .argument("<name>")
    .description("remove the profile; refused while it runs")
    .option("--yes", "do not ask")
    .action(async (name, options, command) => {
      const { remove } = await import("./commands/remove.ts");
      await remove(name, options.yes ?? false, context(command));
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
      await importPutty(sessions, options, context(command));
    });

  imports.command("ssh-config")
    .argument("[hosts...]", "on a terminal, asks which if there is none")
    .description("Hosts with forwards from ~/.ssh/config")
    .action(async (hosts, _options, command) => {
      const { importSshConfig } = await import(
        "./commands/import_ssh_config.ts"
      );
      await importSshConfig(hosts, context(command));
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
      await start(names, options, context(command));
    });

  profile.command("stop")
    .argument("[names...]")
    .description("stop; not running is no error")
    .option("--all", "stop every profile that runs")
    .action(async (names, options, command) => {
      const { stop } = await import("./commands/stop.ts");
      await stop(names, options.all ?? false, context(command));
    });

  profile.command("restart")
    .argument("<names...>")
    .description("stop, then start")
    .option("--password-stdin", "as with start")
    .option("--accept-new", "as with start")
    .option("--timeout <seconds>", "as with start", seconds)
    .action(async (names, options, command) => {
      const { restart } = await import("./commands/restart.ts");
      await restart(names, options, context(command));
    });

  profile.command("status")
    .argument("[names...]")
    .description("state, since when, each forward's connections and bytes")
    .option("--watch", "show it live until Ctrl-C")
    .action(async (names, options, command) => {
      const { status } = await import("./commands/status.ts");
      await status(names, options.watch ?? false, context(command));
    });

  profile.command("logs")
    .argument("<name>")
    .description("what happened to the profile's tunnel")
    .option("--follow", "go on as it happens, until Ctrl-C")
    .option("--lines <number>", "how many of the last lines", count, 50)
    .action(async (name, options, command) => {
      const { logs } = await import("./commands/logs.ts");
      await logs(name, options, context(command));
    });

  program.command("ssh")
    .argument("[args...]", "as for ssh: -L -R -D -J -p -l -i -N -f -o …")
    .description("an OpenSSH command line as it is: opens its forwards")
    .addHelpText("after", SSH_EXAMPLES)
    .action(async (args, _options, command) => {
      const { ssh } = await import("./commands/ssh.ts");
      await ssh(args, context(command));
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
      await open(name, service, options, context(command));
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
      await browse(name, url, options, context(command));
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
      await keyCreate(options, context(command));
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
      await keyInstall(name, options, context(command));
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
      await autostart(action, name, options, context(command));
    });

  program.command("demo")
    .description(
      "a sample server and a real tunnel to it, on this machine only",
    )
    .option("--once", "stop after one page came through the tunnel")
    .action(async (options, command) => {
      const { demo } = await import("./commands/demo.ts");
      await demo(options.once ?? false, context(command));
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
      version(context(command));
    });

  program.command("background", { hidden: true })
    .argument("<name>")
    .action(async (_name, _options, command) => {
      const { background } = await import("./commands/background.ts");
      await background(context(command));
    });

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
 * @returns the exit code
 */
export async function runProgram(args: string[]): Promise<number> {
  const debug = args.includes("--debug");
  useColour(!args.includes("--no-color"));
  const program = buildProgram();
  prepare(program as unknown as Command);
  try {
    if (args.length === 0) {
      program.outputHelp({ error: true });
      return 2;
    }
    await program.parseAsync(shieldSsh(args), { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return usageError(error);
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

/** Usage errors are thrown, all through the tree, not printed and exited. */
function prepare(command: Command): void {
  command.exitOverride();
  command.configureOutput({ outputError: () => {} });
  command.helpOption("--help", "show help");
  for (const each of command.commands) prepare(each as Command);
}

function usageError(error: CommanderError): number {
  if (error.exitCode === 0) return 0;
  // a group without its command: the help was shown
  if (error.code === "commander.help") return 2;
  const [said = "", hint] = error.message.replace(/^error: /, "").split("\n");
  const suggestion = /Did you mean (?:one of )?(.+?)\?/.exec(hint ?? "")?.[1];
  sayError(
    new I2ptunError("usage", said, {
      remedy: suggestion ?? "i2ptun --help",
    }),
    false,
  );
  return 2;
}

/**
 * The commands beside `profile` that have to do with a server or a tunnel to it.
 *
 * @module
 */

import {
  Argument,
  type CommandUnknownOpts,
  Option,
} from "@commander-js/extra-typings";
import { contextOf } from "./flags.ts";

const SSH_NOTES = `
Without -f it stays until Ctrl-C. With -f it goes to the background once it is
logged in, and is a profile of its own until it is stopped.`;

/** Adds `ssh` to `demo`. */
export function addServerCommands(program: CommandUnknownOpts): void {
  program.command("ssh")
    .argument("[args...]", "as for ssh: -L -R -D -J -p -l -i -N -f -o …")
    .description("an OpenSSH command line as it is: opens its forwards")
    .addHelpText("after", SSH_NOTES)
    .action(async (args, _options, command) => {
      const { ssh } = await import("../commands/ssh.ts");
      await ssh(args, await contextOf(command));
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
      const { discover } = await import("../commands/discover.ts");
      await discover(name, options, await contextOf(command));
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
      const { open } = await import("../commands/open.ts");
      await open(name, service, options, await contextOf(command));
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
      const { browse } = await import("../commands/browse.ts");
      await browse(name, url, options, await contextOf(command));
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
      const { keyCreate } = await import("../commands/key_create.ts");
      await keyCreate(options, await contextOf(command));
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
      const { keyInstall } = await import("../commands/key_install.ts");
      await keyInstall(name, options, await contextOf(command));
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
      const { autostart } = await import("../commands/autostart.ts");
      await autostart(action, name, options, await contextOf(command));
    });

  program.command("demo")
    .description(
      "a sample server and a real tunnel to it, on this machine only",
    )
    .option("--once", "stop after one page came through the tunnel")
    .action(async (options, command) => {
      const { demo } = await import("../commands/demo.ts");
      await demo(options.once ?? false, await contextOf(command));
    });
}

/**
 * The command tree: the branches are in `tree/`. What a command does is in
 * `commands/`, one file a verb, loaded when the command runs.
 *
 * @module
 */

import {
  Argument,
  Command,
  type CommandUnknownOpts,
} from "@commander-js/extra-typings";
import { isLaunchdAgent, launchdExitCode } from "../autostart/launchd.ts";
import { I2ptunError } from "../errors.ts";
import { print, sayError, useColour } from "./output.ts";
import { giveUpUnneeded } from "./permissions.ts";
import { openSurroundings } from "./surroundings.ts";
import { SHELLS } from "./shells.ts";
import { flagsOf } from "./tree/flags.ts";
import { addProfileCommands } from "./tree/profile.ts";
import { addServerCommands } from "./tree/server.ts";
import { findCommand, HelpShown, pathOf, prepareUsage } from "./usage.ts";
import { flagsAlone, hasTerminal, runMenu } from "./without_command.ts";
import { versionLine } from "./version.ts";

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

  const root = program as unknown as CommandUnknownOpts;
  addProfileCommands(root);
  addServerCommands(root);

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
      const { jsonSchema } = await import("../profile/json_schema.ts");
      print(JSON.stringify(jsonSchema(), undefined, 2));
    });

  program.command("version")
    .description("version, Deno's version, and where files are")
    .action(async (_options, command) => {
      const { version } = await import("./commands/version.ts");
      version(openSurroundings(flagsOf(command)), source);
    });

  program.command("help")
    .argument("[commands...]")
    .description("show help for a command")
    .action((words) => findCommand(program, words).outputHelp());

  program.command("complete", { hidden: true })
    .argument("[words...]")
    .option("--current <word>", "", "")
    .option("--encoded <words>")
    .action(async (words, { current, encoded }) => {
      const { answerShell, decodeWords } = await import(
        "./commands/completions.ts"
      );
      const line = encoded === undefined
        ? { words, current }
        : decodeWords(encoded);
      await answerShell(program, line.words, line.current);
    });

  program.command("background", { hidden: true })
    .argument("<name>")
    .action(async (_name, _options, command) => {
      const { background } = await import("./commands/background.ts");
      await background(openSurroundings(flagsOf(command)));
    });

  prepareUsage(program);
  return program;
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
  // read now: a tunnel that is up gives up reading variables
  const isAgent = isLaunchdAgent((name) => Deno.env.get(name));
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
    return isAgent ? launchdExitCode(known.exitCode) : known.exitCode;
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

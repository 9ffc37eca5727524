/**
 * Help with examples, and errors of usage that say what was meant.
 *
 * @module
 */

import type {
  CommanderError,
  CommandUnknownOpts as Command,
} from "@commander-js/extra-typings";
import { I2ptunError } from "../errors.ts";
import { nearest } from "../profile/nearest.ts";
import { EXAMPLES } from "./examples.ts";

/** The words of a command, without the program: `profile start`. */
export function pathOf(command: Command): string {
  const words: string[] = [];
  for (let each = command; each.parent; each = each.parent) {
    words.unshift(each.name());
  }
  return words.join(" ");
}

/** The commands of a command that are for people. */
export function visibleCommands(command: Command): Command[] {
  return command.createHelp().visibleCommands(command);
}

/** Makes help and errors so, all through the tree. */
export function prepareUsage(command: Command): void {
  const path = pathOf(command);
  command.helpOption("--help", "show help").helpCommand(false)
    .configureHelp({ showGlobalOptions: true });
  command.configureOutput({ outputError: () => {} });
  command.exitOverride((error) => {
    throw usageError(error, command);
  });
  const examples = EXAMPLES[path];
  if (examples) {
    const lines = examples.map((each) => `  ${each}`);
    command.addHelpText("before", ["Examples:", ...lines, ""].join("\n"));
  }
  for (const each of command.commands) prepareUsage(each);
}

/**
 * The command with these words.
 *
 * @throws {I2ptunError} `usage`, with the nearest one
 */
export function findCommand(program: Command, words: string[]): Command {
  let at = program;
  for (const word of words) {
    const next = visibleCommands(at).find((each) => each.name() === word);
    if (!next) throw unknownCommand(word, at);
    at = next;
  }
  return at;
}

/** The help was shown, so there is nothing more to say: its exit code. */
export class HelpShown extends Error {
  constructor(readonly exitCode: number) {
    super("help was shown");
  }
}

function usageError(error: CommanderError, command: Command): Error {
  if (error.exitCode === 0) return new HelpShown(0);
  // a group without its command
  if (error.code === "commander.help") return new HelpShown(2);
  const [said = ""] = error.message.replace(/^error: /, "").split("\n");
  const [, word = ""] = /'([^']*)'/.exec(said) ?? [];
  if (error.code === "commander.unknownCommand") {
    return unknownCommand(word, command);
  }
  const help = `i2ptun ${pathOf(command)} --help`.replace("  ", " ");
  if (error.code === "commander.unknownOption") {
    const near = nearest(word, flagsOf(command));
    return new I2ptunError("usage", said, {
      remedy: near ?? help,
    });
  }
  const choices = /Allowed choices are (.*)\.$/.exec(said)?.[1];
  if (choices === undefined) {
    return new I2ptunError("usage", said, { remedy: help });
  }
  const wrong = /(?:value|argument) '([^']*)' is invalid/.exec(said)?.[1] ?? "";
  const near = nearest(wrong, choices.split(", "));
  return new I2ptunError("usage", `"${wrong}" is none of ${choices}`, {
    remedy: near ?? help,
  });
}

function unknownCommand(word: string, command: Command): I2ptunError {
  const path = pathOf(command);
  const nearIn = (commands: Command[]) => {
    const near = nearest(word, commands.map((each) => each.name()));
    return commands.find((each) => each.name() === near);
  };
  const all = commandsBelow(rootOf(command));
  // `start` for `profile start`, and `strat` too
  const meant = all.find((each) => each.name() === word) ??
    nearIn(visibleCommands(command)) ?? nearIn(all);
  const words = meant === undefined ? `${path} --help` : pathOf(meant);
  return new I2ptunError("usage", `unknown command '${word}'`, {
    remedy: `i2ptun ${words.trim()}`,
  });
}

/** Every command of the tree. */
function commandsBelow(command: Command): Command[] {
  return visibleCommands(command).flatMap((each) => [
    each,
    ...commandsBelow(each),
  ]);
}

function rootOf(command: Command): Command {
  return command.parent ? rootOf(command.parent) : command;
}

function flagsOf(command: Command): string[] {
  const own = command.options.map(({ long, short }) => long ?? short ?? "");
  return command.parent ? [...own, ...flagsOf(command.parent)] : own;
}

/**
 * What can come next on a command line, worked out from the command tree.
 *
 * @module
 */

import type {
  Argument,
  CommandUnknownOpts as Command,
  Option,
} from "@commander-js/extra-typings";
import { visibleCommands } from "./usage.ts";

/** One thing that can come next. */
export interface Candidate {
  value: string;
  /** A few words about it; may be empty. */
  about: string;
}

/** What a value on the command line is. */
export interface ValuePlace {
  /** The command's words, such as `profile start`. */
  command: string;
  /** The argument's name, or the option's without dashes. */
  name: string;
  /** The values of the command's arguments so far. */
  given: string[];
  /** The file of `--config`, if it is given. */
  config: string | undefined;
}

/** Finds the values for a place; `files` leaves it to the shell. */
export type Values = (place: ValuePlace) => Promise<Candidate[] | "files">;

/** Where reading the words of a command line has come to. */
interface Position {
  command: Command;
  path: string[];
  given: string[];
  config: string | undefined;
  /** The option whose value comes next. */
  pending: Option | undefined;
  onlyArguments: boolean;
}

/**
 * What `current`, the word before the cursor, can become.
 *
 * @param words those before it, without the program
 */
export async function complete(
  program: Command,
  words: string[],
  current: string,
  values: Values,
): Promise<Candidate[] | "files"> {
  const at = read(program, joinEquals(words));
  const inline = /^(--[^=]+)=(.*)$/s.exec(current);
  if (inline && !at.pending && !at.onlyArguments) {
    const [, flag = "", start = ""] = inline;
    const option = findOption(at.command, flag);
    const found = option ? await valuesOf(option, at, values) : [];
    if (found === "files") return found;
    return matching(found, start).map(({ value, about }) => ({
      value: `${flag}=${value}`,
      about,
    }));
  }
  // bash takes the equals sign for a word
  const start = current === "=" ? "" : current;
  if (at.pending) {
    const found = await valuesOf(at.pending, at, values);
    return found === "files" ? found : matching(found, start);
  }
  if (start.startsWith("-") && !at.onlyArguments) {
    return matching(optionsOf(at.command), start);
  }
  const commands = visibleCommands(at.command).map((each) => ({
    value: each.name(),
    about: each.description(),
  }));
  if (commands.length > 0) {
    // a word before that is no command leads nowhere
    return at.given.length > 0 ? [] : matching(commands, start);
  }
  const found = await argumentValues(at, values);
  return found === "files" ? found : matching(found, start);
}

/** `--as`, `=`, `ssh`, as bash has them, without the equals sign. */
function joinEquals(words: string[]): string[] {
  return words.filter((word, i) =>
    word !== "=" || !words[i - 1]?.startsWith("--")
  );
}

function read(program: Command, words: string[]): Position {
  const at: Position = {
    command: program,
    path: [],
    given: [],
    config: undefined,
    pending: undefined,
    onlyArguments: false,
  };
  for (const word of words) {
    if (at.pending) {
      if (at.pending.long === "--config") at.config = word;
      at.pending = undefined;
    } else if (word === "--" && !at.onlyArguments) at.onlyArguments = true;
    else if (word.startsWith("-") && !at.onlyArguments) readOption(word, at);
    else {
      const next = at.command.commands.find((each) => each.name() === word);
      if (next) {
        at.command = next;
        at.path.push(word);
        // what follows is ssh's language
        if (word === "ssh") at.onlyArguments = true;
      } else at.given.push(word);
    }
  }
  return at;
}

function readOption(word: string, at: Position): void {
  const [flag = "", value] = word.split(/=(.*)/s);
  const option = findOption(at.command, flag);
  if (!option?.required && !option?.optional) return;
  if (value === undefined) at.pending = option;
  else if (option.long === "--config") at.config = value;
}

/** The options of a command and of those it is part of. */
function allOptions(command: Command): Option[] {
  const options = [...command.options];
  for (let each = command.parent; each; each = each.parent) {
    options.push(...each.options.filter(({ long }) => long !== "--version"));
  }
  return options.filter(({ hidden }) => !hidden);
}

function findOption(command: Command, flag: string): Option | undefined {
  return allOptions(command).find((each) =>
    each.long === flag || each.short === flag
  );
}

function optionsOf(command: Command): Candidate[] {
  const options = allOptions(command).map((each) => ({
    value: each.long ?? each.short ?? "",
    about: each.description,
  }));
  return [...options, { value: "--help", about: "show help" }];
}

async function valuesOf(
  option: Option,
  at: Position,
  values: Values,
): Promise<Candidate[] | "files"> {
  if (option.argChoices) return option.argChoices.map(plain);
  const name = (option.long ?? option.short ?? "").replace(/^-+/, "");
  return await values(placeOf(at, name));
}

async function argumentValues(
  at: Position,
  values: Values,
): Promise<Candidate[] | "files"> {
  const list: readonly Argument[] = at.command.registeredArguments;
  const last = list.at(-1);
  const argument = list[at.given.length] ?? (last?.variadic ? last : undefined);
  if (!argument) return [];
  if (argument.argChoices) return argument.argChoices.map(plain);
  const found = await values(placeOf(at, argument.name()));
  if (found === "files") return found;
  return found.filter(({ value }) => !at.given.includes(value));
}

function placeOf(at: Position, name: string): ValuePlace {
  return {
    command: at.path.join(" "),
    name,
    given: at.given,
    config: at.config,
  };
}

function plain(value: string): Candidate {
  return { value, about: "" };
}

function matching(candidates: Candidate[], start: string): Candidate[] {
  return candidates.filter(({ value }) => value.startsWith(start));
}

/**
 * Asking the person at the terminal. Everything goes to standard error, so that
 * standard output stays the result.
 *
 * @module
 */

import process from "node:process";
import { I2ptunError } from "../errors.ts";
import {
  isSecret,
  nobody,
  type Prompter,
  type Question,
} from "../ssh/prompter.ts";
import { readKeys, withoutEscape } from "./escape_key.ts";
import { Back } from "./interruption.ts";
import { say, screenSize, styles } from "./output.ts";
import { PromptOutput } from "./prompt_output.ts";
import { withoutSpinner } from "./spinner.ts";

/** Whether somebody is there to answer. */
export function isInteractive(): boolean {
  return Deno.stdin.isTerminal() && Deno.stderr.isTerminal();
}

/** What a prompt of @inquirer/core is handed. */
interface PromptContext {
  output: NodeJS.WritableStream;
  signal: AbortSignal;
}

/**
 * Runs a prompt with the terminal for itself.
 *
 * @param signal ends it, as Ctrl-C does
 * @throws {Back} if Escape was pressed
 * @throws {I2ptunError} `interrupted` if Ctrl-C was
 */
export function prompted<T>(
  prompt: (context: PromptContext) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const { stdin } = process;
  const escape = new AbortController();
  const onKey = (_text: unknown, key?: { name?: string }) => {
    if (key?.name === "escape") escape.abort();
  };
  return withoutSpinner(() =>
    withoutEscape(async () => {
      readKeys(); // before a prompt does
      stdin.on("keypress", onKey);
      try {
        return await prompt({
          output: new PromptOutput(),
          signal: signal
            ? AbortSignal.any([escape.signal, signal])
            : escape.signal,
        });
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        if (escape.signal.aborted) throw new Back();
        if (/^(Exit|Abort)PromptError$/.test(error.name)) {
          throw new I2ptunError("interrupted", "interrupted");
        }
        throw error;
      } finally {
        stdin.removeListener("keypress", onKey);
      }
    })
  );
}

const library = () => import("./prompt_library.ts");

export interface AskTextOptions {
  /** Taken if nothing is typed. */
  default?: string | undefined;
  /** Stands there as if it had been typed, to be changed. */
  typed?: string | undefined;
  /** Told what stands there instead if the question is left without Enter. */
  onLeft?: (text: string) => void;
  /** What is wrong with the text, or true. */
  check?: (text: string) => true | string | Promise<true | string>;
  /** Ends the wait. */
  signal?: AbortSignal | undefined;
}

/** A line of text. */
export async function askText(
  message: string,
  options: AskTextOptions = {},
): Promise<string> {
  const given = options.typed || options.default;
  let text = "";
  try {
    return await prompted(async (context) =>
      (await library()).input({
        message,
        ...(given ? { default: given } : {}),
        prefill: options.typed ? "editable" : "tab",
        validate: options.check ?? (() => true),
        // the only one who is shown each key's result
        transformer: (value, { isFinal }) => {
          text = value;
          return isFinal ? styles.cyan(value) : value;
        },
      }, context), options.signal);
  } catch (error) {
    if (text !== "" && text !== options.typed) options.onLeft?.(text);
    throw error;
  }
}

export function askYesNo(
  message: string,
  byDefault: boolean,
): Promise<boolean> {
  return prompted(async (context) =>
    (await library()).confirm({ message, default: byDefault }, context)
  );
}

/** At least one of the choices. */
export function askSome<T extends string>(
  message: string,
  choices: { value: T; name: string; checked?: boolean }[],
): Promise<T[]> {
  // the question, an error and two lines about the keys
  const pageSize = Math.max(3, screenSize().rows - 6);
  return prompted(async (context) =>
    (await library()).checkbox(
      {
        message,
        choices: choices.map((each) => ({ ...each, short: each.value })),
        required: true,
        pageSize,
        loop: false,
      },
      context,
    )
  );
}

/** One of the choices. */
export function askOne<T extends string>(
  message: string,
  choices: { value: T; name: string }[],
): Promise<T> {
  return prompted(async (context) =>
    (await library()).select({ message, choices, loop: false }, context)
  );
}

function askSecret(message: string, signal?: AbortSignal): Promise<string> {
  return prompted(
    async (context) =>
      (await library()).password({ message, mask: false }, context),
    signal,
  );
}

/** A passphrase for a new key, twice the same; empty for none. */
export async function askNewPassphrase(path: string): Promise<string> {
  for (;;) {
    const passphrase = await askSecret(
      `Passphrase for ${path} (empty for none):`,
    );
    if (await askSecret("The same again:") === passphrase) return passphrase;
    say("These were not the same.");
  }
}

/** Asks on the terminal; there is nobody if it is none. */
export function terminalPrompter(): Prompter {
  if (!isInteractive()) return nobody;
  return (question, signal) => {
    switch (question.kind) {
      case "passphrase":
        return askSecret(
          `${again(question.attempt)}Passphrase for ${question.path}:`,
          signal,
        );
      case "password":
        return askSecret(
          `${again(question.attempt)}Password for ${question.login}:`,
          signal,
        );
      case "interactive":
        for (const line of [question.name, question.instructions]) {
          if (line.trim() !== "") say(line.trim());
        }
        return question.echo
          ? askText(`${question.login}: ${question.prompt.trim()}`, { signal })
          : askSecret(`${question.login}: ${question.prompt.trim()}`, signal);
      case "host-key":
        return askHostKey(question, signal);
    }
  };
}

function again(attempt: number): string {
  return attempt > 1 ? "That was wrong. " : "";
}

function askHostKey(
  question: Extract<Question, { kind: "host-key" }>,
  signal: AbortSignal | undefined,
): Promise<string> {
  say(`The server ${question.host} is not known yet.`);
  say(`Its ${question.type} key has the fingerprint`);
  say(`  ${question.fingerprint}`);
  say("Compare it with the one its owner or provider tells you. Once it is");
  say("remembered, you are not asked again, and a changed key is refused.");
  return askText("Trust it and remember it? (yes, no or the fingerprint)", {
    signal,
    check: (text) =>
      /^(y|yes|n|no)$/i.test(text.trim()) ||
      text.trim() === question.fingerprint ||
      (text.trim().startsWith("SHA256:")
        ? "that is another fingerprint than the server's: do not trust it"
        : "type yes, no or the fingerprint"),
  });
}

/**
 * Answers the first secret with a line of standard input (without its line
 * end), and nothing else.
 */
export async function standardInputPrompter(): Promise<Prompter> {
  let line: string | undefined = await readLine();
  return (question) => {
    if (!isSecret(question)) return Promise.resolve(undefined);
    const answer = line;
    line = undefined;
    return Promise.resolve(answer);
  };
}

/** A line of standard input, without its end. */
export async function readLine(): Promise<string> {
  const bytes: number[] = [];
  const one = new Uint8Array(1);
  // byte by byte: what follows belongs to whoever reads it next
  while (await Deno.stdin.read(one) === 1 && one[0] !== 10) {
    bytes.push(one[0] ?? 0);
  }
  return new TextDecoder().decode(new Uint8Array(bytes)).replace(/\r$/, "");
}

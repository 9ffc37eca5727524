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
import { say } from "./output.ts";

/** Whether somebody is there to answer. */
export function isInteractive(): boolean {
  return Deno.stdin.isTerminal() && Deno.stderr.isTerminal();
}

/** How prompts of the library end that are not answered. */
const UNANSWERED = ["ExitPromptError", "AbortPromptError"];

/** Runs a prompt; Ctrl-C in it, or the signal, interrupts the command. */
async function prompted<T>(
  prompt: (
    library: typeof import("@inquirer/prompts"),
    context: { output: NodeJS.WritableStream; signal?: AbortSignal },
  ) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  try {
    return await prompt(await import("@inquirer/prompts"), {
      output: process.stderr,
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    if (error instanceof Error && UNANSWERED.includes(error.name)) {
      throw new I2ptunError("interrupted", "interrupted");
    }
    throw error;
  }
}

/** A line of text. `check` returns what is wrong with it, or true. */
export function askText(
  message: string,
  options: {
    default?: string;
    check?: (text: string) => true | string;
    signal?: AbortSignal | undefined;
  } = {},
): Promise<string> {
  return prompted(({ input }, context) =>
    input({
      message,
      ...(options.default === undefined ? {} : { default: options.default }),
      validate: options.check ?? (() => true),
    }, context), options.signal);
}

export function askYesNo(
  message: string,
  byDefault: boolean,
): Promise<boolean> {
  return prompted(({ confirm }, context) =>
    confirm({ message, default: byDefault }, context)
  );
}

/** Any number of choices. */
export function askSome<T extends string>(
  message: string,
  choices: { value: T; name: string; checked?: boolean }[],
): Promise<T[]> {
  return prompted(({ checkbox }, context) =>
    checkbox({ message, choices, required: true }, context)
  );
}

function askSecret(message: string, signal?: AbortSignal): Promise<string> {
  return prompted(
    ({ password }, context) => password({ message, mask: false }, context),
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
  say("Compare it with the one its owner or provider tells you.");
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

/**
 * Logging in (RFC 4252): public keys, then keyboard-interactive, then password,
 * the order of OpenSSH's PreferredAuthentications, as far as the server takes
 * them, and again with what it takes after each partial success.
 *
 * @module
 */

import { I2ptunError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Method } from "./authentication_methods.ts";
import { identities, type IdentityOptions } from "./identities.ts";
import { KeyFiles } from "./key_files.ts";
import { loginAdvice } from "./login_advice.ts";
import { isPassword, type Prompter, type Question } from "./prompter.ts";
import type { AnyAuthMethod } from "./ssh2.ts";

export interface AuthenticationOptions extends Omit<IdentityOptions, "note"> {
  user: string;
  /** `user@host:port`, for prompts and messages. */
  login: string;
  /** What may be tried, in this order. */
  methods: readonly Method[];
  /** How often a wrong password may be corrected. */
  passwordAttempts: number;
  /** The command with which a person can be asked, for messages. */
  attend?: string | undefined;
  /** Told why it cannot go on, such as that the person gave up. */
  fail: (error: unknown) => void;
  log: Log;
}

/** A server that always wants one more method is not worth going on. */
const MAX_PARTIAL_SUCCESSES = 8;

type Start = (method: AnyAuthMethod | false) => void;

interface KeyboardPrompt {
  prompt: string;
  echo?: boolean;
}

/**
 * One login. Hand {@link proceed} to ssh2 as its `authHandler` and tell
 * {@link answered} what the server says; if it refuses in the end,
 * {@link refusal} says what was tried.
 */
export class Authentication {
  readonly #options: AuthenticationOptions;
  readonly #ask: Prompter;
  readonly #attempts: AsyncGenerator<AnyAuthMethod>;
  readonly #files: KeyFiles;
  readonly #notes: string[] = [];
  readonly #tried: string[] = [];
  /** Keys that a partial success has used up, by their public halves. */
  readonly #used = new Set<string>();
  /** The password that the current attempt gives. */
  #given: string | undefined;
  #accepted: readonly string[] = [];
  #partial = false;
  #start: Start = () => {};
  /** What nobody was there to answer. */
  #unanswered: Question | undefined;
  #failure: unknown;
  #refused = 0;
  /** Whether a password that somebody has just given was refused. */
  #wrongPassword = false;

  constructor(options: AuthenticationOptions) {
    this.#options = options;
    this.#files = new KeyFiles(options);
    this.#ask = async (question) => {
      if (this.#failure !== undefined) throw this.#failure;
      try {
        const answer = await options.ask(question);
        if (answer === undefined) this.#unanswered ??= question;
        return answer;
      } catch (error) {
        this.#failure ??= error;
        throw error;
      }
    };
    this.#attempts = this.#run();
  }

  /** What the server has just let us in by, in words. */
  get accepted(): string {
    return this.#tried.at(-1) ?? "no proof at all";
  }

  /** How many keys, passwords or answers the server has refused. */
  get refused(): number {
    return this.#refused;
  }

  /**
   * The server's answer to an attempt (RFC 4252 §5.1).
   *
   * @param accepted methods that it takes now
   * @param partial whether the attempt was right and another must follow
   */
  answered(accepted: readonly string[], partial: boolean): void {
    this.#accepted = accepted;
    this.#partial = partial;
    if (partial) {
      this.#keep();
      this.#options.log("debug", `accepted; the server wants ${accepted} too`);
    } else if (this.#tried.length > 0) this.#refused++;
  }

  /** Starts the next attempt, also if the one before has not been answered. */
  async proceed(start: Start): Promise<void> {
    this.#start = start;
    try {
      const { value, done } = await this.#attempts.next();
      if (this.#failure !== undefined) throw this.#failure;
      this.#partial = false;
      start(done ? false : value);
    } catch (error) {
      this.#options.fail(error);
    }
  }

  /** Call when the server has accepted the login. */
  succeeded(): void {
    this.#keep();
  }

  /** Why the login failed. */
  refusal(said?: string): I2ptunError {
    const { login, attend } = this.#options;
    const tried = this.#tried.length > 0
      ? `tried ${this.#tried.join(", ")}`
      : "there was nothing to try";
    const accepts = this.#accepted.length > 0
      ? `; the server accepts ${this.#accepted.join(", ")}`
      : "";
    const reason = said ? ` (${said})` : "";
    const missing = this.#missing();
    const needs = missing === undefined
      ? ""
      : `; ${missing} needs you${attend === undefined ? "" : `: ${attend}`}`;
    return new I2ptunError(
      "login-refused",
      `login as ${login} was refused${reason}: ${tried}${accepts}${needs}`,
      {
        ...(missing === undefined
          ? loginAdvice({
            said,
            tried: this.#tried,
            accepted: this.#accepted,
            methods: this.#options.methods,
          })
          : {
            remedy: `start it in a terminal to be asked for ${missing}${
              attend === undefined
                ? ""
                : ", or give a password or passphrase with --password-stdin"
            }`,
          }),
        details: this.#notes.map((note) => `note: ${note}`),
      },
    );
  }

  /** What would have been needed and nobody was there to give. */
  #missing(): string | undefined {
    const question = this.#unanswered;
    if (question === undefined) return undefined;
    // one was there, as from --password-stdin, and it is wrong
    if (this.#wrongPassword && asksForPassword(question)) return undefined;
    return describeQuestion(question);
  }

  /** Remembers the password that was just accepted. */
  #keep(): void {
    const { login, secrets } = this.#options;
    if (this.#given !== undefined) secrets.keepPassword(login, this.#given);
  }

  #takes(method: string): boolean {
    return this.#accepted.includes(method);
  }

  async *#run(): AsyncGenerator<AnyAuthMethod> {
    const username = this.#options.user;
    // while the server thinks about it
    if (this.#options.methods.includes("publickey")) this.#files.prepare();
    // RFC 4252 §5.2: "none" makes the server say what it accepts
    yield { type: "none", username };
    const run = {
      "publickey": () => this.#publicKeys(username),
      "keyboard-interactive": () => this.#interactive(username),
      "password": () => this.#passwords(username),
    };
    const exhausted = new Set<Method>();
    let partialSuccesses = 0;
    for (;;) {
      const method = this.#options.methods.find((each) =>
        this.#takes(each) && !exhausted.has(each)
      );
      if (method === undefined) return;
      yield* run[method]();
      if (!this.#partial) exhausted.add(method);
      else if (++partialSuccesses > MAX_PARTIAL_SUCCESSES) return;
      else exhausted.clear();
    }
  }

  async *#publicKeys(username: string): AsyncGenerator<AnyAuthMethod> {
    const keys = identities({
      ...this.#options,
      ask: this.#ask,
      note: (message) => {
        this.#notes.push(message);
        this.#options.log("info", message);
      },
    }, this.#files);
    for await (const { label, blob, agent } of keys) {
      if (this.#used.has(blob)) continue;
      this.#tried.push(`key ${label}`);
      this.#options.log("debug", `offering key ${label}`);
      yield { type: "agent", username, agent };
      if (this.#partial) {
        this.#used.add(blob);
        return;
      }
      if (!this.#takes("publickey")) return;
    }
  }

  async *#interactive(username: string): AsyncGenerator<AnyAuthMethod> {
    const { login, secrets, passwordAttempts } = this.#options;
    for (let attempt = 1; attempt <= passwordAttempts; attempt++) {
      let answered = true;
      let reused = false;
      const prompt = async (
        name: string,
        instructions: string,
        _language: string,
        prompts: KeyboardPrompt[],
        finish: (answers: string[]) => void,
      ) => {
        const answers: string[] = [];
        for (const { prompt, echo = false } of prompts) {
          const question = {
            ...{ kind: "interactive", login, name, instructions } as const,
            ...{ prompt, echo },
          };
          const kept = attempt === 1 && isPassword(question)
            ? secrets.password(login)
            : undefined;
          reused ||= kept !== undefined;
          const answer = kept ??
            await this.#ask(question).catch(() => undefined);
          if (answer === undefined) {
            answered = false;
            // RFC 4252 §5.1: a new attempt ends this one; wrong answers would
            // count, and some servers end the connection over a missing one
            return await this.proceed(this.#start);
          }
          if (isPassword(question)) this.#given = answer;
          answers.push(answer);
        }
        finish(answers);
      };
      if (attempt === 1) this.#tried.push("keyboard-interactive");
      yield { type: "keyboard-interactive", username, prompt };
      const hadPassword = this.#given !== undefined;
      this.#given = undefined;
      if (!answered || this.#partial) return;
      if (reused) secrets.forgetPassword(login);
      else this.#wrongPassword ||= hadPassword;
      if (!this.#takes("keyboard-interactive")) return;
    }
  }

  async *#passwords(username: string): AsyncGenerator<AnyAuthMethod> {
    const { login, secrets, passwordAttempts } = this.#options;
    for (let attempt = 1; attempt <= passwordAttempts; attempt++) {
      const kept = attempt === 1 ? secrets.password(login) : undefined;
      const password = kept ??
        await this.#ask({ kind: "password", login, attempt });
      if (password === undefined) return;
      if (attempt === 1) this.#tried.push("password");
      this.#given = password;
      yield { type: "password", username, password };
      this.#given = undefined;
      if (this.#partial) return;
      this.#wrongPassword ||= kept === undefined;
      secrets.forgetPassword(login);
      if (!this.#takes("password")) return;
    }
  }
}

function asksForPassword(question: Question): boolean {
  return question.kind === "password" ||
    question.kind === "interactive" && isPassword(question);
}

function describeQuestion(question: Question): string {
  switch (question.kind) {
    case "passphrase":
      return `the passphrase for ${question.path}`;
    case "password":
      return "the password";
    case "interactive":
      return `the answer to "${question.prompt.trim()}"`;
    case "host-key":
      return "the host key";
  }
}

/**
 * Logging in (RFC 4252): public keys, then keyboard-interactive, then password,
 * the order of OpenSSH's PreferredAuthentications.
 *
 * @module
 */

import { I2ptunError } from "../errors.ts";
import type { Log } from "../log.ts";
import { identities, type IdentityOptions } from "./identities.ts";
import { isSecret } from "./prompter.ts";
import type { AnyAuthMethod } from "./ssh2.ts";

export interface AuthenticationOptions extends Omit<IdentityOptions, "note"> {
  user: string;
  /** `user@host:port`, for prompts and messages. */
  login: string;
  /** What may be tried, in this order. */
  methods: ("publickey" | "keyboard-interactive" | "password")[];
  /** How often a wrong password may be corrected. */
  passwordAttempts: number;
  log: Log;
}

/**
 * One login. Hand {@link next} to ssh2 as its `authHandler`; if the server
 * refuses in the end, {@link refusal} says what was tried.
 */
export class Authentication {
  readonly #options: AuthenticationOptions;
  readonly #attempts: AsyncGenerator<AnyAuthMethod>;
  readonly #notes: string[] = [];
  readonly #tried: string[] = [];
  /** Answers that are worth keeping once the server has accepted them. */
  #given: string | undefined;
  #accepted: string[] | undefined;
  #partial = false;
  #nobodyToAsk = false;

  constructor(options: AuthenticationOptions) {
    this.#options = {
      ...options,
      ask: async (question) => {
        const answer = await options.ask(question);
        if (answer === undefined) this.#nobodyToAsk = true;
        return answer;
      },
    };
    this.#attempts = this.#run();
  }

  /**
   * The next method to try, false when there is none left.
   *
   * @param accepted methods the server still takes; null before its first answer
   * @param partial whether the last one was accepted and another must follow
   */
  async next(
    accepted: string[] | null,
    partial: boolean | null,
  ): Promise<AnyAuthMethod | false> {
    if (accepted) this.#accepted = accepted;
    this.#partial = partial ?? false;
    const { value, done } = await this.#attempts.next();
    return done ? false : value;
  }

  /** Call when the server has accepted the login. */
  succeeded(): void {
    const { login, secrets } = this.#options;
    if (this.#given !== undefined) secrets.keepPassword(login, this.#given);
  }

  /** Why the login failed. */
  refusal(said?: string): I2ptunError {
    const { login } = this.#options;
    const tried = this.#tried.length > 0
      ? `tried ${this.#tried.join(", ")}`
      : "there was nothing to try";
    const accepts = this.#accepted?.length
      ? `; the server accepts ${this.#accepted.join(", ")}`
      : "";
    const reason = said ? ` (${said})` : "";
    return new I2ptunError(
      "login-refused",
      `login as ${login} was refused${reason}: ${tried}${accepts}`,
      {
        remedy: this.#nobodyToAsk
          ? "start it in a terminal to be asked for the password or passphrase, or give it with --password-stdin"
          : "check the user name, and that the key is in the server's authorized_keys or the password is right",
        details: this.#notes.map((note) => `note: ${note}`),
      },
    );
  }

  #takes(method: string): boolean {
    return this.#accepted?.includes(method) ?? false;
  }

  async *#run(): AsyncGenerator<AnyAuthMethod> {
    const username = this.#options.user;
    // RFC 4252 §5.2: "none" makes the server say what it accepts
    yield { type: "none", username };
    const run = {
      "publickey": () => this.#publicKeys(username),
      "keyboard-interactive": () => this.#interactive(username),
      "password": () => this.#passwords(username),
    };
    for (const method of this.#options.methods) {
      if (this.#takes(method)) yield* run[method]();
    }
  }

  async *#publicKeys(username: string): AsyncGenerator<AnyAuthMethod> {
    const keys = identities({
      ...this.#options,
      note: (message) => {
        this.#notes.push(message);
        this.#options.log("info", message);
      },
    });
    for await (const { label, agent } of keys) {
      this.#tried.push(`key ${label}`);
      this.#options.log("debug", `offering key ${label}`);
      let signed = false;
      yield {
        type: "agent",
        username,
        agent: watch(agent, () => signed = true),
      };
      if (signed) {
        // The key was accepted, yet the login goes on: another method must
        // follow. Which, ssh2 does not pass on for agent keys, so ask again.
        yield { type: "none", username };
        if (!this.#takes("publickey")) return;
      }
    }
  }

  async *#interactive(username: string): AsyncGenerator<AnyAuthMethod> {
    const { login, ask, secrets } = this.#options;
    for (
      let attempt = 1;
      attempt <= this.#options.passwordAttempts;
      attempt++
    ) {
      let unanswered = false;
      let reused = false;
      if (attempt === 1) this.#tried.push("keyboard-interactive");
      yield {
        type: "keyboard-interactive",
        username,
        prompt: async (name, instructions, _language, prompts, finish) => {
          const answers: string[] = [];
          for (const { prompt, echo } of prompts) {
            const question = {
              kind: "interactive",
              login,
              name,
              instructions,
              prompt,
              echo: echo ?? false,
            } as const;
            const isPassword = isSecret(question) &&
              /passwor[dt]/i.test(prompt);
            const kept = isPassword && attempt === 1
              ? secrets.password(login)
              : undefined;
            reused = kept !== undefined;
            const answer = kept ?? await ask(question).catch((error) => {
              this.#failure = error;
              return undefined;
            });
            if (answer === undefined) {
              unanswered = true;
              break;
            }
            if (isPassword) this.#given = answer;
            answers.push(answer);
          }
          finish(unanswered ? [] : answers);
        },
      };
      this.#given = undefined;
      if (this.#failure) throw this.#failure;
      if (unanswered) return;
      if (reused) secrets.forgetPassword(login);
      if (this.#partial || !this.#takes("keyboard-interactive")) return;
    }
  }

  #failure: unknown;

  async *#passwords(username: string): AsyncGenerator<AnyAuthMethod> {
    const { login, ask, secrets } = this.#options;
    for (
      let attempt = 1;
      attempt <= this.#options.passwordAttempts;
      attempt++
    ) {
      const kept = attempt === 1 ? secrets.password(login) : undefined;
      const password = kept ?? await ask({ kind: "password", login, attempt });
      if (password === undefined) return;
      if (attempt === 1) this.#tried.push("password");
      this.#given = password;
      yield { type: "password", username, password };
      this.#given = undefined;
      secrets.forgetPassword(login);
      if (this.#partial || !this.#takes("password")) return;
    }
  }
}

/** The same agent, telling when it is asked to sign. */
function watch<T extends { sign: (...args: never[]) => unknown }>(
  agent: T,
  onSign: () => void,
): T {
  const sign = agent.sign.bind(agent);
  agent.sign = ((...args: never[]) => {
    onSign();
    return sign(...args);
  }) as T["sign"];
  return agent;
}

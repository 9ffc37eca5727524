import { isPassword, type Prompter, type Question } from "../ssh/prompter.ts";

/**
 * What a person answered in one login, for the next one a moment later. In
 * memory only.
 */
export class RememberedAnswers {
  readonly #answers = new Map<string, string>();
  readonly #ask: Prompter;

  /** @param ask asks the person */
  constructor(ask: Prompter) {
    this.#ask = ask;
  }

  /** Whether a password for a login was among them. */
  get hasPassword(): boolean {
    return [...this.#answers.keys()].some((key) => !key.startsWith("file "));
  }

  /** Forgets all: the server did not take them. */
  forget(): void {
    this.#answers.clear();
  }

  /** Each question is answered from memory once, then by the person. */
  prompter(): Prompter {
    const replayed = new Set<string>();
    return async (question) => {
      const key = keyOf(question);
      if (key === undefined) return await this.#ask(question);
      const kept = this.#answers.get(key);
      if (kept !== undefined && !replayed.has(key)) {
        replayed.add(key);
        return kept;
      }
      replayed.add(key);
      this.#answers.delete(key);
      const answer = await this.#ask(question);
      if (answer !== undefined) this.#answers.set(key, answer);
      return answer;
    };
  }
}

/** What has the same answer the next time; undefined for all that has not. */
function keyOf(question: Question): string | undefined {
  switch (question.kind) {
    case "passphrase":
      return `file ${question.path}`;
    case "password":
      return `login ${question.login}`;
    case "interactive":
      return isPassword(question) ? `login ${question.login}` : undefined;
    case "host-key":
      return undefined;
  }
}

/**
 * What a person typed once, kept in memory so that a reconnect need not ask
 * again. Nothing here is ever written anywhere.
 *
 * @module
 */

import type { ParsedKey } from "./ssh2.ts";

export class Secrets {
  readonly #passwords = new Map<string, string>();
  readonly #keys = new Map<string, ParsedKey>();

  /** The password that last worked for `login` (`user@host:port`). */
  password(login: string): string | undefined {
    return this.#passwords.get(login);
  }

  keepPassword(login: string, password: string): void {
    this.#passwords.set(login, password);
  }

  forgetPassword(login: string): void {
    this.#passwords.delete(login);
  }

  /** The decrypted key of a file. */
  key(path: string): ParsedKey | undefined {
    return this.#keys.get(path);
  }

  keepKey(path: string, key: ParsedKey): void {
    this.#keys.set(path, key);
  }
}

/**
 * What ssh_config(5) lets a value contain: `%` tokens, `${}` variables, `~`.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { ConfigMistake } from "./ssh_config_parse.ts";

/** What each `%` token stands for, by its letter; `%%` needs no entry. */
export type Tokens = Readonly<Record<string, string>>;

export type Environment = (name: string) => string | undefined;

/**
 * Replaces tokens and, if `env` is given, variables. What they stand for is
 * not looked at again.
 *
 * @throws {ConfigMistake} naming a token or variable that stands for nothing.
 */
export function expand(text: string, tokens: Tokens, env?: Environment) {
  return text.replace(
    /%(.?)|\$\{([^}]*)(\}?)/gsu,
    (whole, token, name, end) => {
      if (token === "%") return "%";
      if (token !== undefined) {
        if (Object.hasOwn(tokens, token)) return tokens[token]!;
        throw new ConfigMistake(`"${whole}" has no meaning here`);
      }
      return env ? variable(name, end, env) : whole;
    },
  );
}

/** Replaces variables only. */
export function expandVariables(text: string, env: Environment): string {
  return text.replace(
    /\$\{([^}]*)(\}?)/g,
    (_, name, end) => variable(name, end, env),
  );
}

function variable(name: string, end: string, env: Environment): string {
  if (name === "" || end === "") {
    throw new ConfigMistake("a variable is written ${NAME}");
  }
  let value: string | undefined;
  try {
    value = env(name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
    throw new ConfigMistake(
      `i2ptun may not read the environment variable ${name}: write what it stands for, or use one whose name begins with I2PTUN_`,
    );
  }
  if (value === undefined) {
    throw new ConfigMistake(`the environment variable ${name} is not set`);
  }
  return value;
}

/**
 * Replaces a `~` at the beginning by the user's home folder.
 *
 * @throws {ConfigMistake} for `~name`, whose home folder is not known.
 */
export function expandTilde(path: string, home: string): string {
  const [, name] = /^~([^/\\]*)/.exec(path) ?? [];
  if (name) {
    throw new ConfigMistake(`the home folder of ${name} is not known`);
  }
  return name === undefined ? path : home + path.slice(1);
}

/** `%C`: ssh's name for a connection. */
export function connectionHash(tokens: Tokens): string {
  const hash = createHash("sha1");
  for (const letter of "lhprj") hash.update(tokens[letter] ?? "");
  return hash.digest("hex");
}

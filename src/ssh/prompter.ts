/**
 * What a login may have to ask a person, as data: the one who asks may be in
 * another process than the one who logs in.
 *
 * @module
 */

export type Question =
  /** The answer unlocks a private key file. `attempt` counts from 1. */
  | { kind: "passphrase"; path: string; attempt: number }
  | { kind: "password"; login: string; attempt: number }
  /** One prompt of a keyboard-interactive login (RFC 4256 §3.2). */
  | {
    kind: "interactive";
    login: string;
    name: string;
    instructions: string;
    prompt: string;
    /** Whether what is typed may be seen. */
    echo: boolean;
  }
  /** The answer is "yes", "no" or the fingerprint itself, as with ssh(1). */
  | {
    kind: "host-key";
    host: string;
    type: string;
    fingerprint: string;
  };

/**
 * Asks one question.
 *
 * @param signal ends the wait for the answer; the person then has given up
 * @returns the answer, or undefined if there is nobody to ask.
 * @throws {I2ptunError} `interrupted` if the person gave up.
 */
export type Prompter = (
  question: Question,
  signal?: AbortSignal,
) => Promise<string | undefined>;

/** Whether the answer must be neither seen nor stored. */
export function isSecret(question: Question): boolean {
  return question.kind === "passphrase" || question.kind === "password" ||
    (question.kind === "interactive" && !question.echo);
}

/** "Password" as servers call it, in the languages PAM has been translated to most. */
const PASSWORD =
  /passwor[dt]|passwd|passphrase|mot de passe|contrase|senha|wachtwoord|lösenord|salasana|passord|adgangskode|hasło|heslo|jelszó|parol|şifre|пароль|κωδικός|密码|密碼|パスワード|비밀번호/i;

/** What marks a one-time code, or a new password, though it is called one. */
const ONCE =
  /one[- ]?time|\botp\b|oath|totp|token|code|pin\b|factor|2fa|mfa|yubi|duo|challenge|new|again|retype|re-?enter|repeat|confirm/i;

/**
 * Whether a keyboard-interactive prompt asks for the password itself, whose
 * answer will be right the next time too.
 */
export function isPassword(
  question: Extract<Question, { kind: "interactive" }>,
): boolean {
  return !question.echo && PASSWORD.test(question.prompt) &&
    !ONCE.test(question.prompt);
}

/** For when nobody is there. */
export const nobody: Prompter = () => Promise.resolve(undefined);

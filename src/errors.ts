/**
 * The one kind of error that is meant to be read by the person at the terminal:
 * what happened, what to do about it, and the exit code that goes with it.
 *
 * @module
 */

/** What each kind of error means for the process and for a running tunnel. */
const KINDS = {
  /** Something the contract does not foresee. */
  unforeseen: { exitCode: 1, permanent: false },
  /** Wrong usage, or a wrong profiles.yaml. */
  usage: { exitCode: 2, permanent: true },
  /** No such profile; for `status NAME`: not up. */
  "not-found": { exitCode: 3, permanent: true },
  /** Name, refused, timed out, no SSH there. */
  unreachable: { exitCode: 4, permanent: false },
  "login-refused": { exitCode: 5, permanent: true },
  /** Unknown and nobody to ask, changed, or not the pinned one. */
  "host-key": { exitCode: 6, permanent: true },
  /** A local port in use, or a forward the server refused. */
  forward: { exitCode: 7, permanent: false },
  interrupted: { exitCode: 130, permanent: true },
} as const;

export type ErrorKind = keyof typeof KINDS;

export interface I2ptunErrorOptions {
  /** What it mostly comes from, in words that can follow a colon. */
  why?: string | undefined;
  /** What to do about it: an imperative sentence, printed after `try: `. */
  remedy?: string | undefined;
  /** Lines printed before the error itself, such as each mistake in a file. */
  details?: readonly string[];
  cause?: unknown;
}

/** {@link I2ptunError} as it travels between processes. */
export interface ErrorRecord {
  kind: ErrorKind;
  message: string;
  why?: string;
  remedy?: string;
  details?: readonly string[];
}

/**
 * An error whose cause is known and explained.
 *
 * @example
 * ```ts
 * throw new I2ptunError("unreachable", "example.org refused the connection", {
 *   remedy: "check that sshd runs there",
 * });
 * ```
 */
export class I2ptunError extends Error {
  override readonly name = "I2ptunError";
  readonly why: string | undefined;
  readonly remedy: string | undefined;
  readonly details: readonly string[];

  constructor(
    readonly kind: ErrorKind,
    message: string,
    options: I2ptunErrorOptions = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.why = options.why;
    this.remedy = options.remedy;
    this.details = options.details ?? [];
  }

  get exitCode(): number {
    return KINDS[this.kind].exitCode;
  }

  /** Whether trying the same again cannot help. */
  get permanent(): boolean {
    return KINDS[this.kind].permanent;
  }

  /** Turns anything thrown into an `I2ptunError`; one that is already is kept. */
  static from(thrown: unknown): I2ptunError {
    if (thrown instanceof I2ptunError) return thrown;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return new I2ptunError("unforeseen", message, { cause: thrown });
  }

  toRecord(): ErrorRecord {
    return {
      kind: this.kind,
      message: this.message,
      ...(this.why === undefined ? {} : { why: this.why }),
      ...(this.remedy === undefined ? {} : { remedy: this.remedy }),
      ...(this.details.length === 0 ? {} : { details: this.details }),
    };
  }

  static fromRecord(record: ErrorRecord): I2ptunError {
    return new I2ptunError(record.kind, record.message, record);
  }
}

/**
 * What a check has found: its steps, one after the other.
 *
 * @module
 */

import type { I2ptunError } from "../errors.ts";

/** One step of `profile check --json`. */
export interface Step {
  step: string;
  ok: boolean;
  /** What was seen. */
  detail: string;
  /** Why; of a step that is ok, what may yet make trouble. */
  cause?: string;
  /** What to do about it. */
  try?: string;
}

/** Why something is as it is, and what to do. */
export interface Explanation {
  cause: string;
  try: string;
}

/** Collects the steps and passes them on as they come. */
export class Report {
  readonly steps: Step[] = [];
  /** What the first step that failed would make a start fail with. */
  failure: I2ptunError | undefined;
  readonly #onStep: (step: Step) => void;

  constructor(onStep: (step: Step) => void) {
    this.#onStep = onStep;
  }

  get ok(): boolean {
    return this.failure === undefined;
  }

  /** @param warning what may yet make trouble */
  passed(step: string, detail: string, warning?: Explanation): void {
    this.#add({ step, ok: true, detail, ...warning });
  }

  /** @param explanation if more is known than the error itself says */
  failed(
    step: string,
    error: I2ptunError,
    explanation: Partial<Explanation> & { detail?: string } = {},
  ): void {
    this.failure ??= error;
    const cause = explanation.cause ?? error.why ?? error.message;
    const remedy = explanation.try ?? error.remedy;
    this.#add({
      step,
      ok: false,
      detail: explanation.detail ??
        [...error.details, error.message].join("; "),
      cause,
      ...(remedy === undefined ? {} : { try: remedy }),
    });
  }

  #add(step: Step): void {
    this.steps.push(step);
    this.#onStep(step);
  }
}

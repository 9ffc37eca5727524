import { I2ptunError } from "../errors.ts";

/** The person pressed Escape: one step back, in a command out of it. */
export class Back extends I2ptunError {
  constructor() {
    super("interrupted", "interrupted");
  }
}

type OnEscape = (
  pressed: (key: "escape" | "ctrl-c") => void,
) => Disposable;

let onEscape: OnEscape | undefined;

/**
 * Has Escape interrupt, too, from now on.
 *
 * @param listen tells of the key as long as its result is in use
 */
export function interruptByEscape(listen: OnEscape): void {
  onEscape = listen;
}

/**
 * Ctrl-C, in the menu also Escape, as an abort signal for as long as the result
 * is in use.
 *
 * @example
 * ```ts
 * using interrupted = interruption();
 * await work(interrupted.signal);
 * ```
 */
export function interruption(): Disposable & { signal: AbortSignal } {
  const controller = new AbortController();
  const onSignal = () =>
    controller.abort(new I2ptunError("interrupted", "interrupted"));
  const escape = onEscape?.((key) =>
    key === "escape" ? controller.abort(new Back()) : onSignal()
  );
  Deno.addSignalListener("SIGINT", onSignal);
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      Deno.removeSignalListener("SIGINT", onSignal);
      escape?.[Symbol.dispose]();
    },
  };
}

/** Ctrl-C does not end this program, for as long as the result is in use. */
export function goingOn(): Disposable {
  const onSignal = () => {};
  Deno.addSignalListener("SIGINT", onSignal);
  return {
    [Symbol.dispose]: () => Deno.removeSignalListener("SIGINT", onSignal),
  };
}

/** What `work` comes to, unless Ctrl-C comes first: then work goes on unseen. */
export async function unlessInterrupted<T>(work: Promise<T>): Promise<T> {
  using interrupted = interruption();
  const { promise, reject } = Promise.withResolvers<never>();
  interrupted.signal.addEventListener(
    "abort",
    () => reject(interrupted.signal.reason),
  );
  return await Promise.race([work, promise]);
}

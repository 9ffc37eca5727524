import { I2ptunError } from "../errors.ts";

/**
 * Ctrl-C as an abort signal, for as long as the result is in use.
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
  Deno.addSignalListener("SIGINT", onSignal);
  return {
    signal: controller.signal,
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

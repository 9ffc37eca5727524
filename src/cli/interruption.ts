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

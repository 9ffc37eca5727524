/** Time and chance, as a parameter: tests bring their own. */
export interface Clock {
  /** Milliseconds, never going back. */
  now(): number;
  /** Wall-clock time, for people. */
  date(): Date;
  /** Resolves after `ms`, which may be `Infinity`, or as soon as `signal` aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** At least 0, less than 1. */
  random(): number;
}

/**
 * What sleepers wait for: Deno 2.7 forgets a signal of AbortSignal.any() that
 * nothing else holds, its listeners included.
 */
const awaited = new Set<AbortSignal>();

export const systemClock: Clock = {
  now: () => performance.now(),
  date: () => new Date(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const done = () => {
        clearTimeout(timer);
        awaited.delete(signal);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = ms === Infinity ? undefined : setTimeout(done, ms);
      awaited.add(signal);
      signal.addEventListener("abort", done, { once: true });
    }),
  random: Math.random,
};

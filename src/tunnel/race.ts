/**
 * An attempt to reach a server that hangs, joined by fresh ones: a packet that
 * was lost while the network was away is sent again only after seconds (RFC 6298
 * §5.5), a fresh one at once.
 *
 * @module
 */

/** How many fresh attempts may be under way beside the first. */
const MAX_FRESH = 3;

/** Resolves when it is time for a fresh attempt. */
export type Again = (signal: AbortSignal) => Promise<void>;

export interface RaceOptions<T> {
  /**
   * One attempt.
   *
   * @param onAnswer to be called when the server has said anything
   */
  attempt: (signal: AbortSignal, onAnswer: () => void) => Promise<T>;
  /** Ends what nobody needs any more. */
  end: (late: T) => void;
  /** Without it there is only the first attempt. */
  again: Again | undefined;
  /** Ends all of it; its reason is thrown. */
  signal: AbortSignal;
}

/**
 * Makes an attempt, and fresh ones beside it. The first that the server answers
 * goes on alone, and what comes of it is what comes of all. So does the first
 * that fails.
 *
 * @throws what the deciding attempt throws
 */
export async function race<T>(options: RaceOptions<T>): Promise<T> {
  const { attempt, end, again, signal } = options;
  const decided = new AbortController();
  const over = AbortSignal.any([signal, decided.signal]);
  const racers = new Set<AbortController>();
  const { promise, resolve, reject } = Promise.withResolvers<T>();

  const begin = () => {
    const racer = new AbortController();
    racers.add(racer);
    const alone = () => {
      decided.abort();
      for (const other of racers) if (other !== racer) other.abort();
    };
    attempt(AbortSignal.any([signal, racer.signal]), alone).then((result) => {
      if (racer.signal.aborted) return end(result);
      alone();
      resolve(result);
    }, (error) => {
      if (racer.signal.aborted) return;
      alone();
      reject(error);
    });
  };

  begin();
  const [first] = racers;
  const join = async () => {
    if (again === undefined) return;
    for (;;) {
      await again(over);
      if (over.aborted) return;
      // the first is kept: a slow server may need all of its time
      const fresh = [...racers].filter((racer) => racer !== first);
      if (fresh.length >= MAX_FRESH) {
        racers.delete(fresh[0]!);
        fresh[0]!.abort();
      }
      begin();
    }
  };
  join();
  return await promise;
}

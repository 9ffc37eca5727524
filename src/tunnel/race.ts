/**
 * An attempt to reach a server that hangs, joined by fresh ones. Before the
 * server has said a word: a packet that was lost while the network was away is
 * sent again only after seconds (RFC 6298 §5.5), a fresh one at once. After
 * that: what it began with may be lost with it. The old attempt is kept, since a
 * slow server may need all of its time.
 *
 * @module
 */

import { I2ptunError } from "../errors.ts";

/** How many fresh attempts may be under way beside the first. */
const MAX_FRESH = 3;

/** Resolves when it is time for a fresh attempt. */
export type Again = (signal: AbortSignal) => Promise<void>;

/** An attempt that hangs. */
export interface Hung {
  /** How long the server has not said a word, in milliseconds. */
  silentMs: number;
  /** Whether it had begun to talk. */
  hasTalked: boolean;
}

export interface RaceOptions<T> {
  /**
   * One attempt.
   *
   * @param onWord to be called with the server's first word, and with the next
   *   one after a silence
   * @param onSilence to be called when a server that has begun does not go on,
   *   with how long it has said nothing by then, in milliseconds
   */
  attempt: (
    signal: AbortSignal,
    onWord: () => void,
    onSilence: (ms: number) => void,
  ) => Promise<T>;
  /**
   * Told when a fresh attempt begins beside one that hangs: of the oldest that
   * there is, and once of each.
   */
  onJoined?: ((hung: Hung) => void) | undefined;
  /** Milliseconds, never going back; tests bring their own. */
  now?: () => number;
  /** Ends what nobody needs any more. */
  end: (late: T) => void;
  /** Without it there is only the first attempt. */
  again: Again | undefined;
  /** Ends all of it; its reason is thrown. */
  signal: AbortSignal;
}

/** One of the attempts; its end is the abort of its controller. */
interface Racer {
  controller: AbortController;
  /** `waiting`: the server has not said a word yet. */
  server: "waiting" | "talking" | "silent";
  /** Since when the server is silent, if it is. */
  silentSince: number;
  /** Whether {@link RaceOptions.onJoined} knows of it. */
  isTold: boolean;
}

/**
 * Makes an attempt, and fresh ones beside it for as long as the server talks to
 * none. As soon as it does, those end to which it has not said a word. What
 * succeeds first is what comes of all; so is what fails, unless an attempt is
 * left that has come further and trying again can help.
 *
 * @throws what the deciding attempt throws
 */
export async function race<T>(options: RaceOptions<T>): Promise<T> {
  const { attempt, end, again, signal, onJoined } = options;
  const { now = () => performance.now() } = options;
  const racers = new Set<Racer>();
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  let joining = new AbortController();

  const drop = (isDropped: (racer: Racer) => boolean) => {
    for (const racer of racers) {
      if (!isDropped(racer)) continue;
      racers.delete(racer);
      racer.controller.abort();
    }
  };
  const begin = () => {
    const racer: Racer = {
      controller: new AbortController(),
      server: "waiting",
      silentSince: now(),
      isTold: false,
    };
    racers.add(racer);
    const own = racer.controller.signal;
    const onWord = () => {
      if (own.aborted) return;
      racer.server = "talking";
      drop((each) => each.server === "waiting");
      joinIfNeeded();
    };
    const onSilence = (ms: number) => {
      if (own.aborted) return;
      racer.server = "silent";
      racer.silentSince = now() - ms;
      joinIfNeeded();
    };
    const decide = () => {
      joining.abort();
      drop((each) => each !== racer);
    };
    attempt(AbortSignal.any([signal, own]), onWord, onSilence).then(
      (result) => {
        if (own.aborted) return end(result);
        decide();
        resolve(result);
      },
      (error) => {
        if (own.aborted) return;
        racers.delete(racer);
        const isFurther = [...racers].some((each) => each.server !== "waiting");
        if (isFurther && !I2ptunError.from(error).permanent) {
          return joinIfNeeded();
        }
        decide();
        reject(error);
      },
    );
    return racer;
  };
  const tellOfOldest = () => {
    const [oldest] = racers;
    if (!oldest || oldest.isTold) return;
    oldest.isTold = true;
    onJoined?.({
      silentMs: now() - oldest.silentSince,
      hasTalked: oldest.server !== "waiting",
    });
  };
  const joinIfNeeded = async () => {
    joining.abort();
    if (again === undefined) return;
    if ([...racers].some((each) => each.server === "talking")) return;
    joining = new AbortController();
    const over = AbortSignal.any([signal, joining.signal]);
    for (;;) {
      await again(over);
      if (over.aborted) return;
      tellOfOldest();
      const fresh = [...racers].filter((each) => each !== first);
      if (fresh.length >= MAX_FRESH) drop((each) => each === fresh[0]);
      begin();
    }
  };

  const first = begin();
  joinIfNeeded();
  return await promise;
}

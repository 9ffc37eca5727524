/**
 * Giving memory back to the system.
 *
 * @module
 */

declare global {
  /** There with V8's `--expose-gc`. */
  var gc:
    | ((options: {
      type: "major";
      execution: "sync";
      flavor: "regular" | "last-resort";
    }) => void)
    | undefined;
}

function runGc(flavor: "regular" | "last-resort"): void {
  globalThis.gc?.({ type: "major", execution: "sync", flavor });
}

/**
 * Has V8 give back all that is not used any more, which takes some 20 ms. By
 * itself it does so only when there is more garbage, so in an idle process never.
 */
export function collectGarbage(): void {
  runGc("last-resort");
}

/**
 * Has V8 collect what is easily found, which takes some 10 ms, when what is under
 * way now waits for something.
 */
export function collectSoon(): void {
  setTimeout(() => runGc("regular"));
}

/** How long nothing has to happen, in milliseconds. */
const REST_MS = 500;

/** Calls back every so many milliseconds. @returns ends that */
type Every = (ms: number, callBack: () => void) => () => void;

const everySystemTime: Every = (ms, callBack) => {
  const timer = setInterval(callBack, ms);
  return () => clearInterval(timer);
};

/**
 * Collects once, as soon as there is a moment of rest, which is when
 * `activity` has not changed for half a second: it would hold up what goes on.
 *
 * @param every a parameter for tests, as is `collect`
 * @returns gives up waiting for it
 */
export function collectAtRest(
  activity: () => number,
  every: Every = everySystemTime,
  collect: () => void = collectGarbage,
): () => void {
  let before = activity();
  const end = every(REST_MS, () => {
    const now = activity();
    if (now === before) {
      end();
      collect();
    }
    before = now;
  });
  return end;
}

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
      flavor: "last-resort";
    }) => void)
    | undefined;
}

/**
 * Has V8 give back all that is not used any more, which takes some 20 ms. By
 * itself it does so only when there is more garbage, so in an idle process never.
 */
export function collectGarbage(): void {
  globalThis.gc?.({ type: "major", execution: "sync", flavor: "last-resort" });
}

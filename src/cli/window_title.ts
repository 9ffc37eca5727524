/**
 * The title of the terminal's window while something runs in it.
 *
 * @module
 */

import { terminalScreen } from "./live_view.ts";
import { canDraw } from "./output.ts";

/**
 * Sets the title, and puts the old one back when it is disposed of. Does nothing
 * where there is no terminal. (XTerm Control Sequences: OSC 0 and the title
 * stack, CSI 22 and 23; terminals without the stack keep the title.)
 *
 * @example
 * ```ts
 * using _title = windowTitle("i2ptun: home");
 * ```
 */
export function windowTitle(title: string): Disposable {
  // asked now: what runs may give up the environment
  const isTerminal = canDraw(Deno.stderr);
  // deno-lint-ignore no-control-regex
  const plain = title.replace(/[\x00-\x1f\x7f-\x9f]/g, "");
  const write = (text: string) => {
    if (isTerminal) terminalScreen.write(text);
  };
  write(`\x1b[22;0t\x1b]0;${plain}\x07`);
  return { [Symbol.dispose]: () => write("\x1b[23;0t") };
}

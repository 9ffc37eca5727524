/**
 * The program without arguments on a terminal, as after a double-click.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Sandbox } from "../support/program.ts";
import { startTerminal, type Terminal } from "../support/terminal.ts";

/** The marks of states and choices on a Unix terminal. */
export const POINTER = "❯";

/** Somebody at the terminal; disposing of it closes the terminal. */
export class Person implements AsyncDisposable {
  /** Keys pressed, those of typed text not counted. */
  presses = 0;
  #closed = false;

  private constructor(
    readonly terminal: Terminal,
    readonly sandbox: Sandbox,
  ) {}

  /**
   * Starts the program, and then says what state it left the terminal in.
   *
   * @param env added to the sandbox's
   */
  static async start(
    sandbox: Sandbox,
    env: Record<string, string> = {},
    args: string[] = [],
  ): Promise<Person> {
    // what a desktop would have
    const bin = `${sandbox.home}/bin`;
    await Deno.mkdir(bin, { recursive: true });
    await Deno.writeTextFile(
      `${bin}/xdg-open`,
      `#!/bin/sh\necho "$1" >> "${sandbox.home}/opened"\n`,
      { mode: 0o755 },
    );
    const script = 'trap : INT; "$@"; code=$?; stty -a; exit $code';
    const terminal = await startTerminal({
      command: ["sh", "-c", script, "sh", ...sandbox.command(...args)],
      env: {
        ...sandbox.env,
        // its glyphs are not ASCII
        LANG: "C.UTF-8",
        PATH: `${bin}:${sandbox.env.PATH}`,
        ...env,
      },
      cwd: sandbox.home,
    });
    return new Person(terminal, sandbox);
  }

  /** Waits until the screen matches. */
  async sees(pattern: RegExp, timeoutMs?: number): Promise<RegExpExecArray> {
    return await this.terminal.waitFor(pattern, timeoutMs);
  }

  /** Presses keys by tmux's names. */
  async press(...keys: string[]): Promise<void> {
    this.presses += keys.length;
    await this.terminal.press(...keys);
  }

  /** Waits for a question and answers it. */
  async answers(question: RegExp, text = ""): Promise<void> {
    await this.sees(question);
    if (text !== "") await this.terminal.type(text);
    await this.press("Enter");
  }

  /** Moves to a choice of the menu and presses Enter. */
  async chooses(label: string): Promise<void> {
    const escaped = label.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    const here = new RegExp(`^${POINTER} ${escaped}`, "m");
    await this.sees(new RegExp(`^[${POINTER} ] ${escaped}`, "m"));
    for (let i = 0; !here.test(await this.terminal.screen()); i++) {
      assert(i < 40, `no choice ${label}`);
      const before = await this.pointedAt();
      await this.press("Down");
      const deadline = performance.now() + 5000;
      while (await this.pointedAt() === before) {
        assert(performance.now() < deadline, "the pointer does not move");
        await this.#moment();
      }
    }
    await this.press("Enter");
  }

  /** The line that the pointer stands at. */
  async pointedAt(): Promise<string | undefined> {
    const screen = await this.terminal.screen();
    return screen.split("\n").findLast((line) => line.startsWith(POINTER));
  }

  /** The addresses that were opened in the browser. */
  async opened(): Promise<string[]> {
    const text = await Deno.readTextFile(`${this.sandbox.home}/opened`)
      .catch(() => "");
    return text.split("\n").slice(0, -1);
  }

  /**
   * Checks that the program has ended so, the terminal as it was before, and
   * closes the terminal.
   */
  async leaves(code: number): Promise<void> {
    assert.equal(await this.terminal.exit(), code);
    assert.match(await this.terminal.screen(), /[ \n]icanon[^]*[ \n]echo /);
    assert(await this.terminal.cursor(), "the cursor is hidden");
    await this[Symbol.asyncDispose]();
  }

  /** Checks that all from this line to the last is neither wrapped nor lost. */
  async fits(from: RegExp): Promise<void> {
    const screen = await this.terminal.screen();
    const start = screen.search(from);
    assert(start >= 0, screen);
    const lines = screen.slice(start).split("\n");
    // at the last column a terminal would wrap
    assert(lines.every((line) => [...line].length < 80), lines.join("\n"));
  }

  async #moment(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#closed) await this.terminal.close();
    this.#closed = true;
  }
}

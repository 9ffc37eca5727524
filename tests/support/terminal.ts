/**
 * A program on a terminal, driven as a person would: tmux(1) is the terminal.
 *
 * @module
 */
import { Child } from "./child.ts";
import { findProgram } from "./requirements.ts";
import { execute, makeScratchDir, removeDir } from "./scratch.ts";

/** What {@link startTerminal} is told. */
export interface TerminalOptions {
  /** The program and its arguments. */
  command: string[];
  /** Its whole environment but for TERM, such as `sandbox.env`. */
  env: Record<string, string>;
  cwd?: string;
  /** In characters. Default 80. */
  width?: number;
  /** In lines. Default 24. */
  height?: number;
}

const SETTINGS = `
set -g default-shell /bin/sh
set -g status off
set -g escape-time 0
`;

/** Starts a program on a new terminal. Needs `tmux`. */
export async function startTerminal(
  { command, env, cwd, width = 80, height = 24 }: TerminalOptions,
): Promise<Terminal> {
  const dir = await makeScratchDir();
  await Deno.writeTextFile(`${dir}/tmux.conf`, SETTINGS);
  const tmux = [findProgram("tmux")!, "-S", `${dir}/tmux`];
  // tmux itself (3.3a) often misses that a program has ended, so the shell that
  // runs it tells, and keeps the screen as it is. Ctrl-C is not for the shell.
  const script = [
    "trap : INT QUIT",
    quote(command),
    `echo $? > ${quote([`${dir}/exit`])}`,
    quote([...tmux, "wait-for", "-S", "ended"]),
    "exec sleep 2147483647",
  ].join("\n");
  const variables = Object.entries(env).filter(([name]) => name !== "TERM");
  try {
    await execute("env", [
      "-i",
      ...variables.map(([name, value]) => `${name}=${value}`),
      ...[...tmux, "-f", `${dir}/tmux.conf`],
      ...["new-session", "-d", "-x", `${width}`, "-y", `${height}`],
      ...(cwd ? ["-c", cwd] : []),
      script,
    ]);
  } catch (error) {
    await removeDir(dir);
    throw error;
  }
  return new Terminal(dir);
}

/** A terminal made by {@link startTerminal}; disposing of it closes it. */
export class Terminal implements AsyncDisposable {
  readonly #dir: string;
  /** Says `%output` each time the program has written something. */
  readonly #events: Child;

  /** Use {@link startTerminal}. */
  constructor(dir: string) {
    this.#dir = dir;
    this.#events = new Child("tmux", [
      ...["-S", `${dir}/tmux`, "-C", "attach-session", "-f", "ignore-size"],
    ]);
  }

  /** Types this text, as it is. */
  async type(text: string): Promise<void> {
    await this.#tmux("send-keys", "-l", "--", text);
  }

  /** Presses keys by tmux's names, such as `Enter`, `Down`, `C-c`. */
  async press(...keys: string[]): Promise<void> {
    await this.#tmux("send-keys", ...keys);
  }

  /** Gives its window another size, in characters and lines. */
  async resize(width: number, height: number): Promise<void> {
    await this.#tmux("resize-window", "-x", `${width}`, "-y", `${height}`);
  }

  /** As {@link resize}, and waits until the program can know: tmux takes its time. */
  async resizeFully(width: number, height: number): Promise<void> {
    await this.resize(width, height);
    const tty = await this.#tmux("display-message", "-p", "#{pane_tty}");
    const wanted = `${height} ${width}\n`;
    while (await execute("stty", ["-F", tty.trim(), "size"]) !== wanted) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** What is to be seen, without the blanks at the ends of lines. */
  async screen(): Promise<string> {
    return (await this.#tmux("capture-pane", "-p")).trimEnd();
  }

  /** Whether the cursor shows. */
  async cursor(): Promise<boolean> {
    const flag = await this.#tmux("display-message", "-p", "#{cursor_flag}");
    return flag.trim() === "1";
  }

  /**
   * Everything the program has written so far, control characters as tmux shows
   * them: `\033` for Escape.
   */
  get written(): string {
    return this.#events.output.text
      .replaceAll(/^%output \S+ (.*)\n|^.*\n/gm, "$1");
  }

  /** The title that the program gave its window. */
  async title(): Promise<string> {
    return (await this.#tmux("display-message", "-p", "#{pane_title}"))
      .trimEnd();
  }

  /**
   * Waits until what is to be seen matches.
   *
   * @throws {Error} with the screen, after `timeoutMs` milliseconds
   */
  async waitFor(pattern: RegExp, timeoutMs = 15_000): Promise<RegExpExecArray> {
    const once = new RegExp(pattern, pattern.flags.replace(/[gy]/g, ""));
    const deadline = performance.now() + timeoutMs;
    while (true) {
      const seen = this.#events.output.text.length;
      const screen = await this.screen();
      const match = once.exec(screen);
      if (match) return match;
      const left = deadline - performance.now();
      if (left <= 0) {
        throw new Error(
          `waited for ${pattern}, not within ${timeoutMs} ms; the screen:\n` +
            screen,
        );
      }
      await this.#events.output.longerThan(seen, left);
    }
  }

  /**
   * Waits until the program has ended.
   *
   * @returns its exit code, 128 + the signal's number if it was killed
   * @throws {Error} with the screen, after `timeoutMs` milliseconds
   */
  async exit(timeoutMs = 15_000): Promise<number> {
    const file = `${this.#dir}/exit`;
    try {
      // Only the first who waits is told; later there is the file.
      if (!(await Deno.readTextFile(file).catch(() => ""))) {
        const tmux = ["tmux", "-S", `${this.#dir}/tmux`, "wait-for", "ended"];
        await execute("timeout", [`${timeoutMs / 1000}`, ...tmux]);
      }
      return Number(await Deno.readTextFile(file));
    } catch (cause) {
      const screen = await this.screen();
      throw new Error(
        `waited for the end, not within ${timeoutMs} ms; the screen:\n${screen}`,
        { cause },
      );
    }
  }

  /** Ends the program and the terminal. */
  async close(): Promise<void> {
    await this.#tmux("kill-server").catch(() => {});
    await this.#events[Symbol.asyncDispose]();
    await removeDir(this.#dir);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #tmux(...args: string[]): Promise<string> {
    return execute("tmux", ["-S", `${this.#dir}/tmux`, ...args]);
  }
}

/** The words as one line for sh(1). */
function quote(words: string[]): string {
  return words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
}

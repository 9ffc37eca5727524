/**
 * The program under test as a process, in a home folder of its own.
 *
 * @module
 */
import { selfCommand } from "../../src/platform/run.ts";
import { dirname, resolve } from "node:path";
import { Child } from "./child.ts";
import { killAndWait, processesWithHome } from "./processes.ts";
import { execute, makeScratchDir, removeDir } from "./scratch.ts";
import type { HostIdentity } from "./sshd.ts";

/**
 * How the program is run: the executable that `I2PTUN_BIN` names, or from source
 * with the permissions that users run it with.
 */
export function programCommand(): string[] {
  const binary = Deno.env.get("I2PTUN_BIN");
  if (binary) return [resolve(binary)];
  const { program, args } = selfCommand();
  return [program, ...args];
}

/** What a run of the program came to. */
export interface RunResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** How {@link Sandbox.run} and {@link Sandbox.spawn} start the program. */
export interface RunOptions {
  /** Its standard input; without it, an empty one. Only for `run`. */
  stdin?: string;
  /** Kill it and throw after so many milliseconds. Default 30,000. Only for `run`. */
  timeoutMs?: number;
  /** Added to {@link Sandbox.env}. */
  env?: Record<string, string>;
}

/**
 * What a process comes to; then it is disposed of.
 *
 * @param name what errors call it
 * @throws {Error} as {@link Sandbox.run}
 */
export async function collect(
  process: Child,
  name: string,
  { stdin = "", timeoutMs = 30_000 }: RunOptions,
): Promise<RunResult> {
  await using child = process;
  // A program that does not read its input may be gone before it is written.
  if (stdin) await child.write(stdin).catch(() => {});
  await child.closeInput();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const what = child.running
        ? "still runs"
        : "has ended, but its output is still held open";
      reject(
        new Error(
          `${name} ${what} after ${timeoutMs} ms; ` +
            `it says:\n${child.output.text}`,
        ),
      );
    }, timeoutMs);
  });
  try {
    const done = Promise.all([child.exit, child.drained]);
    const [code] = await Promise.race([done, expired]);
    return { code, stdout: child.stdout.text, stderr: child.stderr.text };
  } finally {
    clearTimeout(timer);
  }
}

/**
 * A home folder without settings, keys or agent, and the program in it. Its
 * processes run in the home folder and see nothing of the caller's environment
 * but the PATH. Disposing of it stops whatever was started in it.
 *
 * @example
 * ```ts
 * await using sandbox = await Sandbox.create();
 * await sandbox.trust(sshd);
 * await sandbox.writeProfiles("version: 1\nprofiles: {}\n");
 * const { code, stdout } = await sandbox.run(["profile", "list"]);
 * ```
 */
export class Sandbox implements AsyncDisposable {
  /** The whole environment of the program; change it before a run. */
  readonly env: Record<string, string>;
  readonly #dir: string;
  readonly #children: Child[] = [];

  private constructor(dir: string) {
    this.#dir = dir;
    this.env = {
      ...denoEnvironment(),
      PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin",
      LANG: Deno.env.get("LANG") ?? "C.UTF-8",
      TERM: Deno.env.get("TERM") ?? "xterm-256color",
      HOME: `${dir}/home`,
      TMPDIR: `${dir}/tmp`,
    };
  }

  /** Makes the folders. */
  static async create(): Promise<Sandbox> {
    const dir = await makeScratchDir();
    await Deno.mkdir(`${dir}/tmp`);
    await Deno.mkdir(`${dir}/home/.ssh`, { recursive: true });
    await Deno.chmod(`${dir}/home/.ssh`, 0o700);
    return new Sandbox(dir);
  }

  /** The home folder; short enough for Unix sockets in it. */
  get home(): string {
    return `${this.#dir}/home`;
  }

  /** Where the program looks for profiles.yaml. */
  get profiles(): string {
    return Deno.build.os === "darwin"
      ? `${this.home}/Library/Application Support/i2ptun/profiles.yaml`
      : `${this.home}/.config/i2ptun/profiles.yaml`;
  }

  /** The known_hosts file; it need not exist. */
  get knownHosts(): string {
    return `${this.home}/.ssh/known_hosts`;
  }

  /**
   * Runs the program to its end.
   *
   * @throws {Error} with its output, when it takes longer than `timeoutMs`, or
   * has ended but something it started still holds its output: that would keep
   * a shell's `$(…)` waiting
   */
  async run(args: string[], options: RunOptions = {}): Promise<RunResult> {
    return await collect(
      this.spawn(args, options),
      `i2ptun ${args.join(" ")}`,
      options,
    );
  }

  /** Starts the program and leaves it running, its standard input open. */
  spawn(args: string[], options: Pick<RunOptions, "env"> = {}): Child {
    const [command, ...fixed] = this.command(...args);
    const child = new Child(command!, fixed, {
      cwd: this.home,
      env: { ...this.env, ...options.env },
    });
    this.#children.push(child);
    return child;
  }

  /** The command line that runs the program, for a terminal or a shell. */
  command(...args: string[]): string[] {
    return [...programCommand(), ...args];
  }

  /** Writes profiles.yaml. @returns its path */
  async writeProfiles(yaml: string): Promise<string> {
    await Deno.mkdir(dirname(this.profiles), { recursive: true });
    await Deno.writeTextFile(this.profiles, yaml);
    return this.profiles;
  }

  /**
   * Adds a server's keys to known_hosts.
   *
   * @param at where clients reach it, if a relay stands in front of it
   */
  async trust(
    server: HostIdentity,
    at: { host: string; port: number } = server,
  ): Promise<void> {
    const name = at.port === 22 ? at.host : `[${at.host}]:${at.port}`;
    const lines = server.hostKeys.map((key) => `${name} ${key.publicLine}\n`);
    await Deno.writeTextFile(this.knownHosts, lines.join(""), { append: true });
  }

  /**
   * Makes a key pair with ssh-keygen(1).
   *
   * @param file relative to `~/.ssh`; the default is where programs look for it
   */
  async key(
    { type = "ed25519", file = `id_${type}`, passphrase = "" }: {
      type?: string;
      file?: string;
      passphrase?: string;
    } = {},
  ): Promise<{ path: string; publicLine: string }> {
    const path = `${this.home}/.ssh/${file}`;
    await execute("ssh-keygen", [
      ...["-q", "-t", type, "-C", "test", "-N", passphrase, "-f", path],
    ]);
    return {
      path,
      publicLine: (await Deno.readTextFile(`${path}.pub`)).trim(),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) await child[Symbol.asyncDispose]();
    if (processesWithHome(this.home).length > 0) {
      // A failed test must show its own error, not that stopping failed too.
      await this.run(["profile", "stop", "--all"], { timeoutMs: 10_000 })
        .catch(() => {});
      await killAndWait(processesWithHome(this.home));
    }
    await removeDir(this.#dir);
  }
}

/** What Deno needs to find its cache, though HOME is another. */
function denoEnvironment(): Record<string, string> {
  const env: Record<string, string> = {
    DENO_DIR: Deno.env.get("DENO_DIR") ?? defaultDenoDir(),
    DENO_NO_UPDATE_CHECK: "1",
  };
  const store = Deno.env.get("DENO_TLS_CA_STORE");
  if (store !== undefined) env.DENO_TLS_CA_STORE = store;
  return env;
}

function defaultDenoDir(): string {
  const home = Deno.env.get("HOME") ?? "";
  if (Deno.build.os === "darwin") return `${home}/Library/Caches/deno`;
  return `${Deno.env.get("XDG_CACHE_HOME") || `${home}/.cache`}/deno`;
}

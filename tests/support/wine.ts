/**
 * A Windows machine, as far as Wine 10 is one: the executable that
 * `I2PTUN_WINDOWS_EXE` names runs in the Debian 13 with Wine whose folder
 * `I2PTUN_WINE_ROOT` names (debootstrap(8), then `apt install wine`).
 *
 * It shares this machine's network and nothing else: its processes are in a
 * namespace of their own and end with it, as on a machine that is switched off.
 *
 * @module
 */
import { compileScript } from "../../scripts/compile.ts";
import { writeFlag } from "../../src/platform/run.ts";
import { Child } from "./child.ts";
import { childrenOf } from "./processes.ts";
import { collect, type RunOptions, type RunResult } from "./program.ts";
import { execute, makeScratchDir, removeDir } from "./scratch.ts";

/** Who uses it: a home folder with a space and letters beyond ASCII. */
const USER = "Zoë Müller";

/** %USERPROFILE% */
export const WINDOWS_HOME = `C:\\users\\${USER}`;

/** The program's folder, likewise. */
const PROGRAMS = "Z:\\mnt\\Programme für Zoë";
const PROGRAM = `${PROGRAMS}\\i2ptün.exe`;

/** The same, under a name that needs no quotes. */
const SHORT_CUT = "Z:\\mnt\\i2ptun.exe";

/**
 * Wine asks the account's name from /etc/passwd. The folder of the test is
 * Z:\mnt; /tmp is fresh, as Wine's server has its socket there.
 */
const SWITCH_ON = `
set -e
mount --bind "$DIR" "$ROOT/mnt"
mount -t proc proc "$ROOT/proc"
mount --rbind /dev "$ROOT/dev"
mount -t tmpfs tmpfs "$ROOT/tmp"
mount --bind "$DIR/passwd" "$ROOT/etc/passwd"
echo ready
exec sleep infinity
`;

/** A machine that is switched on; disposing of it switches it off. */
export class WindowsMachine implements AsyncDisposable {
  readonly #dir: string;
  readonly #power: Child;
  readonly #init: number;
  readonly #children: Child[] = [];
  #runs = 0;

  private constructor(dir: string, power: Child) {
    this.#dir = dir;
    this.#power = power;
    this.#init = childrenOf(power.pid)[0]!;
  }

  /** Switches one on, with the program and the helper on it. */
  static async start(): Promise<WindowsMachine> {
    const dir = await makeScratchDir();
    const programs = hostPath(dir, PROGRAMS);
    await Deno.mkdir(`${programs}/stand-ins`, { recursive: true });
    await Deno.copyFile(
      Deno.env.get("I2PTUN_WINDOWS_EXE")!,
      hostPath(dir, PROGRAM),
    );
    await Deno.link(hostPath(dir, PROGRAM), hostPath(dir, SHORT_CUT));
    await compileForWindows(
      "tests/windows/helper.ts",
      `${programs}/helper.exe`,
    );
    await Deno.writeTextFile(
      `${dir}/passwd`,
      `${USER}:x:0:0::/root:/bin/sh\n`,
    );
    const power = new Child("unshare", [
      ..."--mount --pid --fork --kill-child sh -c".split(" "),
      SWITCH_ON,
    ], { env: { PATH, DIR: dir, ROOT: wineRoot() } });
    await power.waitFor(/^ready$/m);
    const machine = new WindowsMachine(dir, power);
    // makes its drive C:
    await machine.succeed("cmd", ["/c", "exit"]);
    return machine;
  }

  /** {@link WINDOWS_HOME} as we see it. */
  get home(): string {
    return this.path(WINDOWS_HOME);
  }

  /** Where we see a file of C: or Z:\mnt. */
  path(windowsPath: string): string {
    return hostPath(this.#dir, windowsPath);
  }

  /** Runs i2ptun to its end. */
  run(args: string[], options: RunOptions = {}): Promise<RunResult> {
    return this.#toEnd([PROGRAM, ...args], options);
  }

  /** Runs a command line of cmd.exe to its end, in the program's folder. */
  runLine(line: string): Promise<RunResult> {
    const whole = `chcp 65001 > nul& cd Programme*&& ${line}`;
    return this.#toEnd(["cmd", "/c", whole], {});
  }

  /**
   * With the output in files: a pipe would stay open for as long as a tunnel
   * runs that was started (docs/architecture.md, "Windows").
   */
  async #toEnd(words: string[], options: RunOptions): Promise<RunResult> {
    const log = `run-${this.#runs++}`;
    const redirect = `exec "$@" >${log}.stdout 2>${log}.stderr`;
    const child = this.#spawn(
      this.#command(words, options.env, ["sh", "-c", redirect, "sh"]),
    );
    const { code } = await collect(child, words.join(" "), options);
    const read = (kind: string) =>
      Deno.readTextFile(`${this.#dir}/${log}.${kind}`);
    return {
      code,
      stdout: await read("stdout"),
      stderr: await read("stderr"),
    };
  }

  /** Starts i2ptun and leaves it running, its standard input open. */
  spawn(args: string[], options: Pick<RunOptions, "env"> = {}): Child {
    return this.#spawn(this.command(args, options.env));
  }

  /** The command line on this machine that runs i2ptun on that one. */
  command(args: string[], env: Record<string, string> = {}): string[] {
    return this.#command([PROGRAM, ...args], env);
  }

  /** Makes another program of a script, and starts it. */
  async startScript(script: string, ...args: string[]): Promise<Child> {
    const program = `${PROGRAMS}\\script.exe`;
    await compileForWindows(script, this.path(program));
    return this.#spawn(this.#command([program, ...args]));
  }

  /**
   * Opens i2ptun by itself, in a window of its own, as a double-click does.
   *
   * @param without variables of Windows that are not set
   * @param env where its windows are to be, as `DISPLAY`
   */
  doubleClick(without: string[], env: Record<string, string>): Child {
    const unset = without.map((name) => `set ${name}=&& `).join("");
    const start = `${unset}start /wait ${SHORT_CUT}`;
    return this.#spawn(this.#command(["cmd", "/c", start], env));
  }

  /** Starts tests/windows/helper.ts, which ends when it is disposed of. */
  helper(...args: string[]): Child {
    return this.#spawn(this.#command([`${PROGRAMS}\\helper.exe`, ...args]));
  }

  /** Runs tests/windows/helper.ts to its end. @returns what it says */
  async askHelper(...args: string[]): Promise<string> {
    const name = `helper ${args.join(" ")}`;
    return (await collect(this.helper(...args), name, {})).stdout.trim();
  }

  /** Runs any program there. @returns its output. @throws if it fails */
  async succeed(program: string, args: string[]): Promise<string> {
    return await execute("timeout", [
      "60",
      ...this.#command([program, ...args]),
    ]);
  }

  /**
   * Has the helper run in place of these programs of Windows.
   *
   * @returns the environment to run i2ptun in
   */
  async standIn(...names: string[]): Promise<Record<string, string>> {
    const folder = `${PROGRAMS}\\stand-ins`;
    for (const name of names) {
      const path = this.path(`${folder}\\${name}.exe`);
      await Deno.remove(path).catch(() => {});
      await Deno.link(this.path(`${PROGRAMS}\\helper.exe`), path);
    }
    return { WINEPATH: folder };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) await child[Symbol.asyncDispose]();
    await this.#power[Symbol.asyncDispose]();
    await removeDir(this.#dir);
  }

  #spawn([command, ...args]: string[]): Child {
    const child = new Child(command!, args);
    this.#children.push(child);
    return child;
  }

  /** @param before a Unix program that runs Wine */
  #command(
    words: string[],
    env: Record<string, string> = {},
    before: string[] = [],
  ): string[] {
    const variables = {
      PATH,
      HOME: "/root",
      LANG: "C.UTF-8",
      TERM: "xterm-256color",
      XDG_RUNTIME_DIR: "/tmp",
      WINEDEBUG: "-all",
      WINEPREFIX: "/mnt/.wine",
      ...env,
    };
    return [
      ...["nsenter", "-t", `${this.#init}`, "-m", "-p", "/usr/sbin/chroot"],
      ...[wineRoot(), "env", "-i", "-C", "/mnt"],
      ...Object.entries(variables).map(([name, value]) => `${name}=${value}`),
      ...[...before, "wine", ...words],
    ];
  }
}

const PATH = "/usr/sbin:/usr/bin:/sbin:/bin";

function wineRoot(): string {
  return Deno.env.get("I2PTUN_WINE_ROOT")!;
}

function hostPath(dir: string, windowsPath: string): string {
  return windowsPath.replace(/^C:/i, `${dir}/.wine/drive_c`)
    .replace(/^Z:\\mnt/i, dir).replaceAll("\\", "/");
}

/** Makes an executable of a script, as the program is made. */
async function compileForWindows(script: string, output: string) {
  await compileScript(
    script,
    output,
    "--target=x86_64-pc-windows-msvc",
    writeFlag("windows"),
  );
}

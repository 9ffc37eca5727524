/**
 * A real systemd that manages a user's services (systemd(1), `--user`), also
 * where the machine itself was not started by systemd.
 *
 * @module
 */
import { Child } from "./child.ts";
import type { Sandbox } from "./program.ts";
import { execute, scratchName } from "./scratch.ts";

export const SYSTEMD = "/lib/systemd/systemd";

/** Lists where control groups can be made; both in a hybrid hierarchy. */
const LIST_CGROUPS = `
  for path in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
    [ -e "$path/cgroup.procs" ] && mkdir "$path/$1" && rmdir "$path/$1" &&
      echo "$path"
  done`;

/** The hierarchies that systemd uses and that we can write to. */
export function writableCgroups(): string[] {
  // Deno itself lets nobody near /sys who has not every permission
  const { stdout } = new Deno.Command("sh", {
    args: ["-c", LIST_CGROUPS, "sh", scratchName()],
    stderr: "null",
  }).outputSync();
  return new TextDecoder().decode(stdout).split("\n").filter(Boolean);
}

/** A systemd of the sandbox's user; disposing of it ends its services. */
export interface UserManager extends AsyncDisposable {
  /**
   * Runs a program where systemd is found.
   *
   * @throws {Error} with what it said, if it fails
   */
  run(command: string[]): Promise<string>;
  systemctl(...args: string[]): Promise<string>;
  /** A property of a service, as systemctl(1) shows it. */
  show(unit: string, property: string): Promise<string>;
}

/**
 * Starts one. Needs `user-manager` of requirements.ts.
 *
 * @throws {Error} with what it said, if it does not come up
 */
export async function startUserManager(sandbox: Sandbox): Promise<UserManager> {
  const name = scratchName();
  const groups = writableCgroups().map((path) => `${path}/${name}`);
  const runtime = `${sandbox.home}/runtime`;
  await Deno.mkdir(runtime, { mode: 0o700 });
  const env = { ...sandbox.env, XDG_RUNTIME_DIR: runtime };
  // it works only where the system's own seems to run
  const script = `mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system
    for group; do mkdir "$group" && echo $$ >"$group/cgroup.procs"; done
    exec ${SYSTEMD} --user`;
  const child = new Child("unshare", [
    ...["--mount", "--propagation", "private", "sh", "-c", script, "sh"],
    ...groups,
  ], { env, cwd: sandbox.home });
  const run = async (command: string[]) => {
    const inside = [
      `--mount=/proc/${child.pid}/ns/mnt`,
      `--wd=${sandbox.home}`,
    ];
    await using program = new Child("nsenter", [...inside, ...command], {
      env,
    });
    if (await program.exit !== 0) throw new Error(program.output.text);
    await program.drained;
    return program.stdout.text;
  };
  const systemctl = (...args: string[]) =>
    run(["systemctl", "--user", "--no-pager", ...args]);
  const end = async () => {
    // its services end with it
    child.signal("SIGTERM");
    await child.exit;
    await child[Symbol.asyncDispose]();
    for (const group of groups) {
      await execute("find", [group, "-depth", "-type", "d", "-delete"]);
    }
  };
  // degraded: something else of this machine's has failed
  const isUp = () =>
    systemctl("is-system-running").catch((error) => error.message)
      .then((said) => /^(running|degraded)/.test(said));
  while (!await isUp()) {
    if (!child.running) throw new Error(child.output.text);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    run,
    systemctl,
    show: async (unit, property) =>
      (await systemctl("show", "--property", property, "--value", unit)).trim(),
    [Symbol.asyncDispose]: end,
  };
}

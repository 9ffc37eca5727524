/**
 * Names and folders for what a test makes on the machine, and the removal of
 * what runs that were killed have left behind: every name carries the id of the
 * process that owns it.
 *
 * @module
 */
import {
  isAlive,
  killHard,
  listProcesses,
  searchProcesses,
} from "./processes.ts";

const PREFIX = "i2ptun-t-";
const OWNED = new RegExp(`${PREFIX}(\\d+)-`);

/** The servers that tests start, by the names in /proc. */
const SERVERS = /^(sshd|sshd-session|i2pd|dropbear|tmux)/;

/** `i2ptun-t-PID-XXXXXX`: at most 23 bytes, so good for a user or a namespace. */
export function scratchName(): string {
  const random = Math.floor(Math.random() * 36 ** 6).toString(36);
  return `${PREFIX}${Deno.pid}-${random.padStart(6, "0")}`;
}

/** A new folder with a short path that every user may enter. */
export async function makeScratchDir(): Promise<string> {
  await sweep();
  const dir = await Deno.makeTempDir({ prefix: `${PREFIX}${Deno.pid}-` });
  await Deno.chmod(dir, 0o755);
  return dir;
}

/** Removes a folder and all in it; one that is already gone is no error. */
export async function removeDir(dir: string): Promise<void> {
  // Whoever was killed a moment ago may still be writing there.
  for (let attempt = 0; attempt < 5; attempt++) {
    try {
      return await Deno.remove(dir, { recursive: true });
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
    }
  }
}

/** Runs a program to its end. @returns its standard output. @throws if it fails. */
export async function execute(
  command: string,
  args: string[],
  input?: string,
): Promise<string> {
  const child = new Deno.Command(command, {
    args,
    stdin: input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  if (input !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(input));
    await writer.close();
  }
  const { success, code, stdout, stderr } = await child.output();
  const text = new TextDecoder();
  if (!success) {
    throw new Error(
      `${command} ${args.join(" ")}: exit ${code}: ` +
        (text.decode(stderr) + text.decode(stdout)).trim(),
    );
  }
  return text.decode(stdout);
}

let swept: Promise<void> | undefined;

/** Once per test file, before it makes anything; see {@link sweepNow}. */
export function sweep(): Promise<void> {
  return swept ??= sweepNow();
}

/** Removes the processes, namespaces, users and folders of owners that are dead. */
export async function sweepNow(): Promise<void> {
  const servers = new Set(
    listProcesses().filter((p) => SERVERS.test(p.name)).map((p) => p.pid),
  );
  const named = `${PREFIX}[0-9]+-`;
  killHard(
    [
      ...searchProcesses("cmdline", named).filter((p) => servers.has(p.pid)),
      ...searchProcesses("environ", `^HOME=.*${named}`),
    ].filter((p) => isOrphan(p.text)).map((p) => p.pid),
  );
  for (const name of orphansIn("/run/netns")) {
    await attempt(async () => {
      killHard(await namespacePids(name));
      await execute("ip", ["netns", "del", name]);
    });
  }
  for (const name of orphansIn("/etc/netns")) {
    await removeDir(`/etc/netns/${name}`);
  }
  if (Deno.uid() === 0) {
    for (const line of Deno.readTextFileSync("/etc/passwd").split("\n")) {
      const name = line.slice(0, line.indexOf(":"));
      if (isOrphan(name)) {
        await attempt(() => execute("userdel", ["--force", name]));
      }
    }
  }
  const tmp = Deno.env.get("TMPDIR") ?? "/tmp";
  for (const name of orphansIn(tmp)) await removeDir(`${tmp}/${name}`);
}

/** The ids of the processes in a network namespace. */
export async function namespacePids(namespace: string): Promise<number[]> {
  const pids = await execute("ip", ["netns", "pids", namespace]);
  return pids.split("\n").filter(Boolean).map(Number);
}

/** Whether the name or text carries the id of an owner that is no more. */
function isOrphan(text: string): boolean {
  const owner = OWNED.exec(text)?.[1];
  return owner !== undefined && !isAlive(Number(owner));
}

function orphansIn(dir: string): string[] {
  try {
    return [...Deno.readDirSync(dir)].map((entry) => entry.name)
      .filter((name) => name.startsWith(PREFIX) && isOrphan(name));
  } catch {
    return [];
  }
}

/** Another run may be removing the same thing, so failing is no matter. */
async function attempt(remove: () => Promise<unknown>): Promise<void> {
  try {
    await remove();
  } catch {
    // Gone already.
  }
}

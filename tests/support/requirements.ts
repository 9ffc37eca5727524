/**
 * What a test needs from the machine, and tests that are left out, never
 * silently, where it is missing.
 *
 * @module
 */
import { scratchName } from "./scratch.ts";
import { writableCgroups } from "./user_manager.ts";

/** Names the file to which every test that is left out adds a {@link Skip}. */
export const SKIPS_FILE = "I2PTUN_TEST_SKIPS";

/** One line, in JSON, of the file that {@link SKIPS_FILE} names. */
export interface Skip {
  name: string;
  /** The test file, as far as the stack tells it. */
  file: string;
  reason: string;
}

/** The programs that tests may need, and where Debian has them. */
const PROGRAMS = {
  "sshd": "openssh-server",
  "ssh": "openssh-client",
  "ssh-keygen": "openssh-client",
  "ssh-agent": "openssh-client",
  "ssh-add": "openssh-client",
  "i2pd": "i2pd",
  "tmux": "tmux",
  "ip": "iproute2",
  "ss": "iproute2",
  "lsof": "lsof",
  "puttygen": "putty-tools",
  "plink": "putty-tools",
  "dropbear": "dropbear-bin",
  "dbclient": "dropbear-bin",
  "useradd": "passwd",
  "bash": "bash",
  "zsh": "zsh",
  "fish": "fish",
  "mandoc": "mandoc",
  "curl": "curl",
  "openssl": "openssl",
  "python3": "python3",
  "systemd-analyze": "systemd",
  "xmllint": "libxml2-utils",
  "faketime": "faketime",
  "chromium": "chromium",
  "firefox-esr": "firefox-esr",
} as const;

type Program = keyof typeof PROGRAMS;

/**
 * `sshd-before-10`: an sshd that needs a session to send at once; `sshd-10`: one
 * that needs none; `netns`: network namespaces can be made; `tcp-reset`:
 * connections can be reset (relay.ts); `test-user`: users can be made
 * (test_user.ts); `windows`: there is Wine and the program for it (wine.ts);
 * `windows-desktop`: and an X server for its windows, and xdotool(1) to press
 * keys in them; `user-manager`: systemd can be started for a user
 * (user_manager.ts); `wine`: the command in I2PTUN_WINE, called with a folder, a
 * Windows program and its arguments, runs it there; `windows-program`:
 * I2PTUN_WINDOWS_EXE is this one; `executable`: I2PTUN_BIN is.
 */
export type Requirement =
  | Program
  | "root"
  | "linux"
  | "sshd-before-10"
  | "sshd-10"
  | "netns"
  | "tcp-reset"
  | "windows"
  | "windows-desktop"
  | "test-user"
  | "remote-host"
  | "remote-host-with-i2pd"
  | "user-manager"
  | "wine"
  | "windows-program"
  | "executable";

/** The Debian packages of all programs that tests may need and are not there. */
export function missingPackages(): string[] {
  const programs = Object.keys(PROGRAMS) as Program[];
  const missing = programs.filter((program) => !findProgram(program));
  return [...new Set(missing.map((program) => PROGRAMS[program]))];
}

/** A program's absolute path; also where only root's PATH would look. */
export function findProgram(name: string): string | undefined {
  const dirs = (Deno.env.get("PATH") ?? "").split(":");
  return [...dirs, "/usr/local/sbin", "/usr/sbin", "/sbin"].map((dir) =>
    `${dir}/${name}`
  ).find((path) => {
    try {
      const { isFile, mode } = Deno.statSync(path);
      return isFile && (mode! & 0o111) !== 0;
    } catch {
      return false;
    }
  });
}

/** Why a requirement is not met; undefined if it is. */
export function whyMissing(requirement: Requirement): string | undefined {
  switch (requirement) {
    case "root":
      return Deno.uid() === 0 ? undefined : "needs root";
    case "linux":
      return Deno.build.os === "linux" ? undefined : "needs Linux";
    case "netns":
      return firstMissing("linux", "root", "ip") ?? tryNamespace();
    case "tcp-reset":
      return firstMissing("linux", "root", "ss");
    case "windows":
      return firstMissing("linux", "root") ??
        ["I2PTUN_WINDOWS_EXE", "I2PTUN_WINE_ROOT"]
          .filter((name) => !Deno.env.get(name))
          .map((name) => `needs ${name}, see docs/architecture.md`)[0];
    case "windows-desktop":
      return firstMissing("windows") ??
        ["Xvfb", "xdotool"].filter((name) => !findProgram(name))
          .map((name) => `needs ${name}`)[0];
    case "test-user":
      return firstMissing("linux", "root", "useradd");
    case "remote-host":
      return firstMissing("netns", "sshd");
    case "remote-host-with-i2pd":
      return firstMissing("remote-host", "i2pd");
    case "user-manager":
      return firstMissing("linux", "root", "systemd-analyze") ??
        (writableCgroups().length > 0
          ? undefined
          : "needs the right to make control groups");
    case "wine":
      return whyNotSet("I2PTUN_WINE");
    case "windows-program":
      return whyNotSet("I2PTUN_WINDOWS_EXE");
    case "executable":
      return whyNotSet("I2PTUN_BIN");
    case "sshd":
      return firstMissing("linux", "ssh-keygen") ?? whyNoProgram("sshd");
    case "sshd-before-10":
      return firstMissing("sshd") ??
        (openSshVersion()[0] < 10
          ? undefined
          : "needs an sshd of OpenSSH before 10");
    case "sshd-10":
      return firstMissing("sshd") ??
        (openSshVersion()[0] >= 10
          ? undefined
          : "needs an sshd of OpenSSH 10 or later");
    default:
      return whyNoProgram(requirement);
  }
}

/**
 * `Deno.test`, but left out, with the reason told at the end of the run, where
 * the machine lacks something.
 *
 * @example
 * ```ts
 * testWith(["sshd", "test-user"], "logs in with a password", async () => {…});
 * ```
 */
export function testWith(
  requirements: Requirement[],
  name: string,
  fn: (context: Deno.TestContext) => void | Promise<void>,
  options: Pick<Deno.TestDefinition, "sanitizeOps" | "sanitizeResources"> = {},
): void {
  const reason = firstMissing(...requirements);
  if (reason !== undefined) {
    const file = /[^/]+_test\.ts/.exec(new Error().stack ?? "")?.[0] ?? "";
    tellSkip({ name, file, reason });
  }
  Deno.test({
    // Deno counts ssh2's ciphers as leaks until they are collected.
    sanitizeResources: false,
    ...options,
    name,
    fn,
    ignore: reason !== undefined,
  });
}

function firstMissing(...requirements: Requirement[]): string | undefined {
  for (const requirement of requirements) {
    const reason = whyMissing(requirement);
    if (reason !== undefined) return reason;
  }
}

/** Of the server: major and minor. */
export function openSshVersion(): [number, number] {
  // before 9.2 it says so where it says that it knows no -V
  const { stderr } = new Deno.Command(findProgram("sshd")!, { args: ["-V"] })
    .outputSync();
  const said = new TextDecoder().decode(stderr);
  const [, major, minor] = /OpenSSH_(\d+)\.(\d+)/.exec(said) ?? [];
  return [Number(major ?? 0), Number(minor ?? 0)];
}

function whyNoProgram(name: Program): string | undefined {
  if (findProgram(name)) return undefined;
  return `needs ${name} (Debian package ${PROGRAMS[name]})`;
}

function whyNotSet(variable: string): string | undefined {
  return Deno.env.get(variable) ? undefined : `needs ${variable}`;
}

let namespaceTried: { reason: string | undefined } | undefined;

/** A container may be root and still not be allowed to. */
function tryNamespace(): string | undefined {
  return (namespaceTried ??= { reason: tryNamespaceOnce() }).reason;
}

function tryNamespaceOnce(): string | undefined {
  const name = scratchName();
  const ip = (...args: string[]) =>
    new Deno.Command("ip", { args, stdout: "null", stderr: "null" })
      .outputSync().success;
  if (!ip("netns", "add", name)) {
    return "needs the right to make network namespaces";
  }
  try {
    return ip(
        "-n",
        name,
        "link",
        "add",
        "v0",
        "type",
        "veth",
        "peer",
        "name",
        "v1",
      )
      ? undefined
      : "needs virtual network links (veth)";
  } finally {
    ip("netns", "del", name);
  }
}

function tellSkip(skip: Skip): void {
  const file = Deno.env.get(SKIPS_FILE);
  if (file === undefined) {
    console.error(`left out: ${skip.name}: ${skip.reason}`);
  } else {
    Deno.writeTextFileSync(file, JSON.stringify(skip) + "\n", { append: true });
  }
}

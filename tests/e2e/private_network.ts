/**
 * A user's machine and a router's machine with nothing between and beyond them:
 * two network namespaces (ip-netns(8)) of their own, so that commands run with
 * the very addresses and ports of a guide, and nothing gets out.
 *
 * @module
 */
import { Child } from "../support/child.ts";
import { killHard } from "../support/processes.ts";
import { type RunResult, Sandbox } from "../support/program.ts";
import { execute, namespacePids, scratchName } from "../support/scratch.ts";
import { type Sshd, startSshd } from "../support/sshd.ts";

/** Where the router's machine is. */
export const SERVER = "20.228.143.58";
/** Another address of it, whose SSH server can only jump further. */
export const JUMP_HOST = "20.228.143.60";
/** An address of the user's machine that virtual machines would see. */
export const GATEWAY = "192.168.122.1";

/** Which of the two machines. */
export type Side = "near" | "far";

/**
 * Makes both machines, with SSH servers at port 22 of {@link SERVER} and
 * {@link JUMP_HOST} that the user's key and known_hosts fit. `remote-server`,
 * `final-server` and `jumphost.example.com` are names of theirs. Needs
 * `remote-host` of requirements.ts.
 *
 * @param config lines of sshd_config(5) for the server
 */
export async function startPrivateNetwork(
  config = "",
): Promise<PrivateNetwork> {
  const stack = new AsyncDisposableStack();
  try {
    const near = await makeNamespace(stack);
    const far = await makeNamespace(stack);
    await execute(
      "ip",
      `link add eth0 netns ${near} type veth peer name eth0 netns ${far}`
        .split(" "),
    );
    await addAddress(near, "20.228.143.1/24", "eth0");
    await addAddress(near, `${GATEWAY}/24`, "lo");
    await addAddress(far, `${SERVER}/24`, "eth0");
    await addAddress(far, `${JUMP_HOST}/24`, "eth0");
    for (const namespace of [near, far]) {
      const set = ["-n", namespace, "link", "set", "eth0"];
      // no address that comes a second later: browsers give up what they load
      await execute("ip", [...set, "addrgenmode", "none"]);
      await execute("ip", [...set, "up"]);
    }

    const at = { netns: far, port: 22 };
    const sshd = stack.use(await startSshd({ ...at, host: SERVER, config }));
    const jump = stack.use(await startSshd({ ...at, host: JUMP_HOST }));
    const sandbox = stack.use(await Sandbox.create());
    const { publicLine } = await sandbox.key();
    for (const server of [sshd, jump]) {
      await server.authorize(publicLine);
      await sandbox.trust(server);
    }
    await Deno.writeTextFile(
      `${sandbox.home}/.ssh/config`,
      `Host remote-server final-server\n  HostName ${SERVER}\n` +
        `Host jumphost.example.com\n  HostName ${JUMP_HOST}\n` +
        `Host *\n  User ${sshd.user}\n`,
    );
    await writeCommand(sandbox);
    return new PrivateNetwork({ near, far }, sandbox, sshd, jump, stack);
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

/** Both machines; disposing of them removes them with all that runs there. */
export class PrivateNetwork implements AsyncDisposable {
  /** Both consoles, proxies and so on are pages with this in them. */
  readonly id = crypto.randomUUID();
  readonly #namespaces: Record<Side, string>;
  readonly #stack: AsyncDisposableStack;

  /** Use {@link startPrivateNetwork}. */
  constructor(
    namespaces: Record<Side, string>,
    /** The user's home; `i2ptun` is a command in it. */
    readonly sandbox: Sandbox,
    readonly sshd: Sshd,
    readonly jump: Sshd,
    stack: AsyncDisposableStack,
  ) {
    this.#namespaces = namespaces;
    this.#stack = stack;
  }

  /** Starts a program on one of the machines, as the user. */
  spawn(side: Side, command: string, ...args: string[]): Child {
    const { env, home } = this.sandbox;
    return new Child("ip", [
      ...["netns", "exec", this.#namespaces[side], command, ...args],
    ], { cwd: home, env: { ...env, PATH: `${home}/bin:${env.PATH}` } });
  }

  /** Starts a line of a shell script on the user's machine. */
  spawnLine(line: string): Child {
    return this.spawn("near", "sh", "-c", `exec ${line}`);
  }

  /**
   * Runs a program on one of the machines to its end, as the user; after half a
   * minute it is ended, with exit code 124.
   */
  async run(
    side: Side,
    command: string,
    ...args: string[]
  ): Promise<RunResult> {
    await using child = this.spawn(side, "timeout", "30", command, ...args);
    await child.closeInput();
    const code = await child.exit;
    await child.drained;
    return { code, stdout: child.stdout.text, stderr: child.stderr.text };
  }

  /** Serves a page at these ports of a machine's 127.0.0.1 and ::1. */
  async servePages(side: Side, ports: number[]): Promise<Child> {
    const script = ports.flatMap((port) =>
      ["127.0.0.1", "::1"].map((hostname) =>
        `Deno.serve({ hostname: "${hostname}", port: ${port}, onListen() {} }, ` +
        `() => new Response("${this.page(side, port)}"));`
      )
    ).join("\n");
    // not as the user, whose processes are the program's
    const child = new Child("ip", [
      ...["netns", "exec", this.#namespaces[side], Deno.execPath(), "eval"],
      `${script} console.log("serving")`,
    ]);
    await child.waitFor(/serving/);
    return child;
  }

  /** The page at a port of a machine. */
  page(side: Side, port: number): string {
    return `${side} ${port} ${this.id}`;
  }

  /** Gets a page with curl(1), with these options. @returns its text */
  async fetch(
    side: Side,
    url: string,
    ...options: string[]
  ): Promise<string> {
    const { code, stdout, stderr } = await this.run(
      side,
      "curl",
      ...["-sS", "--globoff", "--noproxy", "", "--max-time", "15"],
      ...options,
      url,
    );
    if (code !== 0) throw new Error(`${url}: ${stderr}`);
    return stdout;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

async function makeNamespace(stack: AsyncDisposableStack): Promise<string> {
  const name = scratchName();
  await execute("ip", ["netns", "add", name]);
  stack.defer(async () => {
    killHard(await namespacePids(name));
    await execute("ip", ["netns", "del", name]);
  });
  await execute("ip", ["-n", name, "link", "set", "lo", "up"]);
  return name;
}

async function addAddress(namespace: string, address: string, to: string) {
  await execute("ip", ["-n", namespace, "addr", "add", address, "dev", to]);
}

/** `~/bin/i2ptun` */
async function writeCommand(sandbox: Sandbox): Promise<void> {
  const file = `${sandbox.home}/bin/i2ptun`;
  const words = sandbox.command().map((word) => `'${word}'`).join(" ");
  await Deno.mkdir(`${sandbox.home}/bin`);
  await Deno.writeTextFile(file, `#!/bin/sh\nexec ${words} "$@"\n`);
  await Deno.chmod(file, 0o755);
}

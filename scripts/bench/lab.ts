/**
 * Everything a benchmark needs around it: a server, a target behind it, ways to
 * it of several lengths, a user with a key, and the programs that are compared.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { Child } from "../../tests/support/child.ts";
import { freePort } from "../../tests/support/ports.ts";
import { descendantsOf } from "../../tests/support/processes.ts";
import { Sandbox } from "../../tests/support/program.ts";
import { execute } from "../../tests/support/scratch.ts";
import { type Sshd, startSshd } from "../../tests/support/sshd.ts";
import { firstByte } from "./client.ts";
import type { Program } from "./programs.ts";

/** A program that keeps a tunnel to the target up; disposing of it kills it. */
export interface Tunnel extends AsyncDisposable {
  /** The local port that leads to the target. */
  port: number;
  /** Its processes. */
  pids: number[];
  /** From its start to the first byte through the tunnel, in ms. */
  launchMs: number;
}

/** What a program is told about where to go. */
export interface Route {
  user: string;
  serverPort: number;
  localPort: number;
  targetPort: number;
}

/** Made by {@link openLab}; disposing of it ends and removes everything. */
export class Lab implements AsyncDisposable {
  /** The user's home; his key and known hosts are where programs look for them. */
  readonly sandbox: Sandbox;
  readonly #sshd: Sshd;
  readonly #targetPort: number;
  /** The server's port at each round trip, in ms; at 0 it is the server's own. */
  readonly #ports: Map<number, number>;
  readonly #stack: AsyncDisposableStack;
  readonly #signal: AbortSignal;

  /** Use {@link openLab}. */
  constructor(
    sandbox: Sandbox,
    sshd: Sshd,
    targetPort: number,
    ports: Map<number, number>,
    stack: AsyncDisposableStack,
    signal: AbortSignal,
  ) {
    this.sandbox = sandbox;
    this.#sshd = sshd;
    this.#targetPort = targetPort;
    this.#ports = ports;
    this.#stack = stack;
    this.#signal = signal;
  }

  /** What the server's host key is, as PuTTY's `-hostkey` wants it. */
  get hostKey(): string {
    return this.#sshd.hostKeys[0]!.sha256;
  }

  /**
   * Starts a program and waits until a byte comes through.
   *
   * @throws {Error} with what it says, if none does
   */
  async start(program: Program, roundTripMs: number): Promise<Tunnel> {
    await this.#serverIdle();
    const route = {
      user: this.#sshd.user,
      serverPort: this.#ports.get(roundTripMs)!,
      localPort: freePort(),
      targetPort: this.#targetPort,
    };
    const [command, ...args] = await program.command(route, this);
    const start = performance.now();
    const child = new Child(command!, args, {
      env: this.sandbox.env,
      cwd: this.sandbox.home,
    });
    try {
      const waiting = () => child.running && !this.#signal.aborted;
      await firstByte(route.localPort, waiting);
    } catch (error) {
      await child[Symbol.asyncDispose]();
      const said = child.output.text.trim();
      throw new Error(said || (error as Error).message, { cause: error });
    }
    const launchMs = performance.now() - start;
    return {
      port: route.localPort,
      launchMs,
      pids: [child.pid, ...descendantsOf(child.pid)],
      [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  /** Waits until the server is done with the tunnel before. */
  async #serverIdle(): Promise<void> {
    const until = performance.now() + 5000;
    while (this.#sshd.connections().length > 0 && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/**
 * Starts the servers, and makes the user's key.
 *
 * @param roundTrips the distances, in ms, beside 0
 * @param signal nobody waits for a tunnel any more
 */
export async function openLab(
  roundTrips: readonly number[],
  signal: AbortSignal,
): Promise<Lab> {
  await using stack = new AsyncDisposableStack();
  const sandbox = stack.use(await Sandbox.create());
  const sshd = stack.use(await startSshd());
  await sshd.authorize((await sandbox.key()).publicLine);

  const [targetPort] = await startScript("target.ts", [], 1);
  const relays = await startScript(
    "distance.ts",
    [sshd.port, ...roundTrips],
    roundTrips.length,
  );
  const ports = new Map([[0, sshd.port]]);
  roundTrips.forEach((roundTrip, i) => ports.set(roundTrip, relays[i]!));
  for (const port of ports.values()) {
    await sandbox.trust(sshd, { host: sshd.host, port });
  }
  // dbclient looks a server up without its port
  await sandbox.trust(sshd, { host: sshd.host, port: 22 });

  return new Lab(sandbox, sshd, targetPort!, ports, stack.move(), signal);

  async function startScript(
    file: string,
    args: number[],
    lines: number,
  ): Promise<number[]> {
    const script = fileURLToPath(new URL(file, import.meta.url));
    const config = fileURLToPath(new URL("../../deno.json", import.meta.url));
    const child = stack.use(
      new Child(Deno.execPath(), [
        ...["run", "-q", "--no-prompt", `--config=${config}`, "-P=i2ptun"],
        ...[script, ...args.map(String)],
      ], { env: sandbox.env }),
    );
    const said = await child.waitFor(new RegExp(`^(\\d+\\n){${lines}}`));
    return said[0].trim().split("\n").map(Number);
  }
}

/** The private key in another program's format, made when it is asked for. */
export async function convertedKey(
  { sandbox }: Lab,
  format: "putty" | "dropbear",
): Promise<string> {
  const from = `${sandbox.home}/.ssh/id_ed25519`;
  const to = `${from}.${format}`;
  try {
    await Deno.stat(to);
  } catch {
    await (format === "putty"
      ? execute("puttygen", [from, "-O", "private", "-o", to])
      : execute("dropbearconvert", ["openssh", "dropbear", from, to]));
  }
  return to;
}

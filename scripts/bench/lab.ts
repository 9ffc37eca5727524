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
import { startFarHost } from "./far_host.ts";
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

/** How far away the server is. */
export interface Distance {
  /** There and back; by a relay that holds every byte back, unless it is 0. */
  roundTripMs: number;
  /** By a link that holds every packet back, which TCP notices. */
  overTcp?: true;
}

/** What a program is told about where to go. */
export interface Route {
  user: string;
  host: string;
  serverPort: number;
  /** What the server's host key is, as PuTTY's `-hostkey` wants it. */
  hostKey: string;
  localPort: number;
  targetPort: number;
  /** Whether i2ptun opens a session. */
  session: boolean;
}

/** A way to a server with a target behind it. */
type Way = Pick<Route, "host" | "serverPort" | "targetPort"> & { sshd: Sshd };

/** Made by {@link openLab}; disposing of it ends and removes everything. */
export class Lab implements AsyncDisposable {
  /** The user's home; his key and known hosts are where programs look for them. */
  readonly sandbox: Sandbox;
  readonly #ways: Map<string, Way>;
  readonly #stack: AsyncDisposableStack;
  readonly #signal: AbortSignal;

  /** Use {@link openLab}. */
  constructor(
    sandbox: Sandbox,
    ways: Map<string, Way>,
    stack: AsyncDisposableStack,
    signal: AbortSignal,
  ) {
    this.sandbox = sandbox;
    this.#ways = ways;
    this.#stack = stack;
    this.#signal = signal;
  }

  /**
   * Starts a program and waits until a byte comes through.
   *
   * @param session whether i2ptun opens a session
   * @throws {Error} with what it says, if none does
   */
  async start(
    program: Program,
    distance: Distance,
    session = false,
  ): Promise<Tunnel> {
    const { sshd, ...way } = this.#ways.get(nameOf(distance))!;
    await serverIdle(sshd);
    const route = {
      ...way,
      user: sshd.user,
      hostKey: sshd.hostKeys[0]!.sha256,
      localPort: freePort(),
      session,
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
}

function nameOf({ roundTripMs, overTcp }: Distance): string {
  return `${roundTripMs}${overTcp ? " tcp" : ""}`;
}

/** Waits until the server is done with the tunnel before. */
async function serverIdle(sshd: Sshd): Promise<void> {
  const until = performance.now() + 5000;
  while (sshd.connections().length > 0 && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/**
 * Starts the servers, and makes the user's key.
 *
 * @param roundTrips of the relays, in ms
 * @param overTcp of the links, in ms; for what they need see far_host.ts
 * @param signal nobody waits for a tunnel any more
 */
export async function openLab(
  roundTrips: readonly number[],
  overTcp: readonly number[],
  signal: AbortSignal,
): Promise<Lab> {
  await using stack = new AsyncDisposableStack();
  const sandbox = stack.use(await Sandbox.create());
  const key = (await sandbox.key()).publicLine;
  const ways = new Map<string, Way>();
  const addWay = async (distance: Distance, way: Way) => {
    const { sshd, host, serverPort: port } = way;
    await sandbox.trust(sshd, { host, port });
    // dbclient looks a server up without its port
    await sandbox.trust(sshd, { host, port: 22 });
    ways.set(nameOf(distance), way);
  };

  const sshd = stack.use(await startSshd());
  await sshd.authorize(key);
  const { host, port } = sshd;
  const [targetPort] = await startScript("target.ts", [], 1);
  const relays = await startScript(
    "distance.ts",
    [port, ...roundTrips],
    roundTrips.length,
  );
  const near = { sshd, host, serverPort: port, targetPort: targetPort! };
  await addWay({ roundTripMs: 0 }, near);
  for (const [i, roundTripMs] of roundTrips.entries()) {
    await addWay({ roundTripMs }, { ...near, serverPort: relays[i]! });
  }

  for (const roundTripMs of overTcp) {
    const { namespace, address, sshd } = await startFarHost(roundTripMs, stack);
    await sshd.authorize(key);
    const there = ["ip", "netns", "exec", namespace];
    const [targetPort] = await startScript("target.ts", [], 1, there);
    await addWay({ roundTripMs, overTcp: true }, {
      ...{ sshd, host: address, serverPort: sshd.port },
      targetPort: targetPort!,
    });
  }
  return new Lab(sandbox, ways, stack.move(), signal);

  /** @returns the numbers in the lines that it begins with */
  async function startScript(
    file: string,
    args: number[],
    lines: number,
    prefix: string[] = [],
  ): Promise<number[]> {
    const script = fileURLToPath(new URL(file, import.meta.url));
    const config = fileURLToPath(new URL("../../deno.json", import.meta.url));
    const [command, ...words] = [
      ...[...prefix, Deno.execPath(), "run", "-q", "--no-prompt"],
      ...[`--config=${config}`, "-P=i2ptun", script, ...args.map(String)],
    ];
    const child = stack.use(new Child(command!, words, { env: sandbox.env }));
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

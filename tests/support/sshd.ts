/**
 * A real OpenSSH server with its own port, host keys and settings (sshd(8),
 * sshd_config(5)). What it keeps is gone when it is disposed of.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { userInfo } from "node:os";
import { Child } from "./child.ts";
import { freePort } from "./ports.ts";
import { childrenOf, descendantsOf, killHard } from "./processes.ts";
import { findProgram, openSshVersion } from "./requirements.ts";
import { execute, makeScratchDir, removeDir } from "./scratch.ts";
import { Transcript, type WaitOptions } from "./transcript.ts";

export type HostKeyType = "ed25519" | "rsa" | "ecdsa";

/** What {@link startSshd} is told. */
export interface SshdOptions {
  /** Lines of sshd_config(5); they win over those that are there anyway. */
  config?: string;
  /** Default: ed25519 only, which is the quickest to make. */
  hostKeyTypes?: HostKeyType[];
  /** Where it listens. Default 127.0.0.1. */
  host?: string;
  /** Default: any free one. */
  port?: number;
  /** The network namespace it runs in. */
  netns?: string;
}

/** A host key as a client sees it. */
export interface HostKey {
  /** The name in the protocol, such as `ssh-ed25519`. */
  type: string;
  /** `TYPE BASE64`, as in known_hosts. */
  publicLine: string;
  /** `SHA256:…`, as OpenSSH shows it. */
  sha256: string;
}

/** What a client has to know to trust a server. */
export type HostIdentity = Pick<Sshd, "host" | "port" | "hostKeys">;

/**
 * Starts a server that lets the current user in by the keys that are authorized,
 * and, being root, every user by key and password.
 *
 * @returns when it listens
 * @throws {Error} with what sshd said, if it does not start
 *
 * @example
 * ```ts
 * await using sshd = await startSshd({ config: "AllowTcpForwarding no" });
 * await sshd.authorize(publicKeyLine);
 * ```
 */
export async function startSshd(options: SshdOptions = {}): Promise<Sshd> {
  const dir = await makeScratchDir();
  try {
    const hostKeys: HostKey[] = [];
    for (const type of options.hostKeyTypes ?? ["ed25519"]) {
      hostKeys.push(await makeHostKey(`${dir}/host_${type}`, type));
    }
    const sshd = new Sshd(dir, hostKeys, options);
    await sshd.start();
    return sshd;
  } catch (error) {
    await removeDir(dir);
    throw error;
  }
}

/** A server made by {@link startSshd}. */
export class Sshd implements AsyncDisposable {
  readonly host: string;
  readonly hostKeys: readonly HostKey[];
  /** Who may log in: the user the tests run as. */
  readonly user: string = userInfo().username;
  /** The authorized_keys(5) file, for all users. */
  readonly authorizedKeys: string;
  readonly #dir: string;
  readonly #options: SshdOptions;
  readonly #log = new Transcript("sshd");
  #port: number;
  #process: Child | undefined;

  /** Use {@link startSshd}. */
  constructor(dir: string, hostKeys: HostKey[], options: SshdOptions) {
    this.#dir = dir;
    this.#options = options;
    this.#port = options.port ?? freePort();
    this.host = options.host ?? "127.0.0.1";
    this.hostKeys = hostKeys;
    this.authorizedKeys = `${dir}/authorized_keys`;
    Deno.writeTextFileSync(this.authorizedKeys, "");
  }

  /** The same for as long as it lives. */
  get port(): number {
    return this.#port;
  }

  /** Lets the owner of this key in. @param publicKeyLine as in a `.pub` file */
  async authorize(publicKeyLine: string): Promise<void> {
    await Deno.writeTextFile(
      this.authorizedKeys,
      `${publicKeyLine.trim()}\n`,
      { append: true },
    );
  }

  /** What it has logged so far, at level VERBOSE unless `config` says otherwise. */
  log(): string {
    return this.#log.text;
  }

  /** Waits until its log matches; with `after`, only what follows counts. */
  waitForLog(pattern: RegExp, options?: WaitOptions): Promise<RegExpExecArray> {
    return this.#log.waitFor(pattern, options);
  }

  /** The ids of the processes that serve its connections, one each. */
  connections(): number[] {
    return this.#process?.running ? childrenOf(this.#process.pid) : [];
  }

  /**
   * Kills (`kill -9`) what serves the connections, with all they have started;
   * the server itself stays. @returns how many connections there were
   */
  killConnections(): number {
    const connections = this.connections();
    killHard(connections.flatMap((pid) => [pid, ...descendantsOf(pid)]));
    return connections.length;
  }

  /** Listens (again), on the same port and with the same host keys. */
  async start(): Promise<void> {
    if (this.#process?.running) return;
    // sshd keeps its unprivileged half in there; systemd would have made it.
    if (Deno.uid() === 0) await Deno.mkdir("/run/sshd", { recursive: true });
    while (true) {
      const child = await this.#spawn();
      try {
        await child.waitFor(/^Server listening on .*$/m);
        this.#process = child;
        return;
      } catch (error) {
        await child[Symbol.asyncDispose]();
        const taken = /Address already in use/.test(child.output.text);
        if (!taken || this.#options.port !== undefined) throw error;
        this.#port = freePort();
      }
    }
  }

  /** Ends the server and its connections, as a crash of the machine would. */
  async stop(): Promise<void> {
    const child = this.#process;
    if (!child) return;
    this.#process = undefined;
    const below = descendantsOf(child.pid);
    await child[Symbol.asyncDispose]();
    killHard(below);
  }

  /** {@link stop}, then {@link start}. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await removeDir(this.#dir);
  }

  async #spawn(): Promise<Child> {
    const file = `${this.#dir}/sshd_config`;
    const config = this.#config();
    await Deno.writeTextFile(file, config);
    // sshd insists on an absolute path to itself.
    const command = [findProgram("sshd")!, "-D", "-e", "-f", file];
    const { netns } = this.#options;
    if (netns) command.unshift("ip", "netns", "exec", netns);
    return new Child(command[0]!, command.slice(1), { log: this.#log });
  }

  #config(): string {
    // The first value of a keyword wins, and a Match block lasts to the end.
    const own = this.#options.config ?? "";
    const match = own.search(/^\s*Match\s/im);
    const [head, tail] = match < 0
      ? [own, ""]
      : [own.slice(0, match), own.slice(match)];
    const keys = this.#options.hostKeyTypes ?? ["ed25519"];
    return [
      head,
      `ListenAddress ${this.host}`,
      `Port ${this.#port}`,
      ...keys.map((type) => `HostKey ${this.#dir}/host_${type}`),
      `AuthorizedKeysFile ${this.authorizedKeys}`,
      "PidFile none",
      "StrictModes no",
      "UsePAM no",
      "PermitRootLogin yes",
      "PasswordAuthentication yes",
      "KbdInteractiveAuthentication no",
      "LogLevel VERBOSE",
      // All tests come from one address, and many at once.
      "MaxStartups 1000",
      ...(penalizesSources() ? ["PerSourcePenalties no"] : []),
      tail,
      "",
    ].join("\n");
  }
}

/** `SHA256:…` of a public key line, as `ssh-keygen -l` shows it. */
export function fingerprint(publicLine: string): string {
  const blob = atob(publicLine.split(" ")[1]!);
  const digest = createHash("sha256").update(blob, "latin1").digest("base64");
  return `SHA256:${digest.replace(/=+$/, "")}`;
}

async function makeHostKey(file: string, type: HostKeyType): Promise<HostKey> {
  await execute("ssh-keygen", ["-q", "-t", type, "-N", "", "-f", file]);
  const text = await Deno.readTextFile(`${file}.pub`);
  const [name, blob] = text.split(" ");
  const publicLine = `${name} ${blob!.trim()}`;
  return { type: name!, publicLine, sha256: fingerprint(publicLine) };
}

/** Whether this is OpenSSH 9.8 or newer, which makes those wait who fail often. */
function penalizesSources(): boolean {
  const [major, minor] = openSshVersion();
  return major > 9 || major === 9 && minor >= 8;
}

/**
 * What can happen to a tunnel, done to real parts: servers, links, names.
 *
 * @module
 */
import { Child } from "./child.ts";
import { freePort } from "./ports.ts";
import { Sandbox } from "./program.ts";
import { type Relay, startRelay } from "./relay.ts";
import { type RemoteHost, startRemoteHost } from "./remote_host.ts";
import { makeScratchDir, removeDir } from "./scratch.ts";
import { type Sshd, startSshd } from "./sshd.ts";

/** How the server is reached: its address, a relay, a jump host, or a name. */
export type Route = "direct" | "relay" | "jump" | "name";

/** The name of the server for whoever is started with {@link World.spawn}. */
export const SERVER_NAME = "server.test";

/**
 * A server on a host of its own, with an echo behind it, and the ways to it.
 * Needs `remote-host` of requirements.ts.
 */
export async function startWorld(): Promise<World> {
  const stack = new AsyncDisposableStack();
  try {
    const host = stack.use(await startRemoteHost());
    const relay = stack.use(
      startRelay({ to: { host: host.address, port: host.sshd.port } }),
    );
    const jump = stack.use(await startSshd());
    const sandbox = stack.use(await Sandbox.create());
    const { publicLine } = await sandbox.key();
    for (const sshd of [host.sshd, jump]) {
      await sshd.authorize(publicLine);
      await sandbox.trust(sshd);
    }
    await sandbox.trust(host.sshd, relay);
    await sandbox.trust(host.sshd, { host: SERVER_NAME, port: 22 });
    const dir = await makeScratchDir();
    stack.defer(() => removeDir(dir));
    const world = new World(host, relay, jump, sandbox, dir, stack);
    await world.setName(true);
    await world.startEcho();
    return world;
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

/** Made by {@link startWorld}; disposing of it ends all of it. */
export class World implements AsyncDisposable {
  /** The echo's, at the server's 127.0.0.1. */
  readonly echoPort: number = freePort();
  #echo: Child | undefined;
  readonly #dir: string;
  readonly #stack: AsyncDisposableStack;

  /** Use {@link startWorld}. */
  constructor(
    readonly host: RemoteHost,
    readonly relay: Relay,
    readonly jump: Sshd,
    readonly sandbox: Sandbox,
    dir: string,
    stack: AsyncDisposableStack,
  ) {
    this.#dir = dir;
    this.#stack = stack;
  }

  /** Where to connect, and as whom. */
  address(route: Route): { user: string; host: string; port: number } {
    const { user } = this.host.sshd;
    const { host, port } = route === "relay"
      ? this.relay
      : { host: this.host.address, port: 22 };
    return { user, host: route === "name" ? SERVER_NAME : host, port };
  }

  /**
   * Starts a program as the user, for whom {@link SERVER_NAME} may be a name,
   * and no other is.
   */
  spawn(command: string[], env: Record<string, string> = {}): Child {
    const script = 'mount --bind "$1/hosts" /etc/hosts && ' +
      'mount --bind "$1/resolv.conf" /etc/resolv.conf && shift && exec "$@"';
    return new Child("unshare", [
      ...["--mount", "--propagation", "private", "sh", "-c", script, "sh"],
      ...[this.#dir, ...command],
    ], { cwd: this.sandbox.home, env: { ...this.sandbox.env, ...env } });
  }

  /** Whether {@link SERVER_NAME} can be looked up. */
  async setName(known: boolean): Promise<void> {
    const lines = ["127.0.0.1 localhost"];
    if (known) lines.push(`${this.host.address} ${SERVER_NAME}`);
    // in place: a bind mount is of the file, not of its name
    await Deno.writeTextFile(`${this.#dir}/hosts`, lines.join("\n") + "\n");
    // nobody answers there
    await Deno.writeTextFile(
      `${this.#dir}/resolv.conf`,
      "nameserver 127.0.0.254\noptions timeout:1 attempts:1\n",
    );
  }

  /** Starts what sends everything back. */
  async startEcho(): Promise<void> {
    const script = `const listener = Deno.listen({ hostname: "127.0.0.1", ` +
      `port: ${this.echoPort} }); console.log("echoes"); ` +
      `for await (const each of listener) ` +
      `each.readable.pipeTo(each.writable).catch(() => {});`;
    this.#echo = new Child("ip", [
      ...["netns", "exec", this.host.namespace, Deno.execPath()],
      ...["eval", script],
    ]);
    await this.#echo.waitFor(/echoes/);
  }

  async stopEcho(): Promise<void> {
    await this.#echo?.[Symbol.asyncDispose]();
    this.#echo = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopEcho();
    await this.#stack.disposeAsync();
  }
}

/** One thing that happens, and what is to come of it. */
export interface Fault {
  name: string;
  route: Route;
  /** How long it lasts; 0: it is over as soon as it has happened. */
  lastsMs: number;
  /**
   * `closes`: the connection ends at once; `silent`: nothing is heard any more;
   * `short`: over before anybody can notice; `final`: trying again cannot help.
   */
  kind: "closes" | "silent" | "short" | "final";
  begin: (world: World) => Promise<unknown> | void;
  end: (world: World) => Promise<unknown> | void;
}

/** Takes the server's place, with another host key. */
let impostor: Sshd | undefined;

/** All of them. */
export const FAULTS: Fault[] = [
  {
    name: "sshd restarted",
    route: "direct",
    lastsMs: 1000,
    kind: "closes",
    begin: ({ host }) => host.sshd.stop(),
    end: ({ host }) => host.sshd.start(),
  },
  {
    name: "sshd's child killed",
    route: "direct",
    lastsMs: 0,
    kind: "closes",
    begin: ({ host }) => void host.sshd.killConnections(),
    end: () => {},
  },
  {
    name: "link cut for 5 s",
    route: "direct",
    lastsMs: 5000,
    kind: "short",
    begin: ({ host }) => host.cutLink(),
    end: ({ host }) => host.restoreLink(),
  },
  {
    name: "link cut for 20 s",
    route: "direct",
    lastsMs: 20_000,
    kind: "silent",
    begin: ({ host }) => host.cutLink(),
    end: ({ host }) => host.restoreLink(),
  },
  {
    name: "link stalled for 12 s",
    route: "relay",
    lastsMs: 12_000,
    kind: "silent",
    begin: ({ relay }) => relay.stall(),
    end: ({ relay }) => relay.resume(),
  },
  {
    name: "TCP reset",
    route: "relay",
    lastsMs: 0,
    kind: "closes",
    begin: ({ relay }) => relay.reset(),
    end: () => {},
  },
  {
    name: "accepts and says nothing, for 8 s",
    route: "relay",
    lastsMs: 8000,
    kind: "closes",
    begin: async ({ relay }) => {
      await relay.cut();
      relay.stall();
    },
    // those who wait there already wait for ever
    end: ({ relay }) => relay.passNew(),
  },
  {
    // the greeting, and some of what is said of algorithms
    name: "greets, then hangs, for 8 s",
    route: "relay",
    lastsMs: 8000,
    kind: "closes",
    begin: ({ relay }) => {
      relay.stallNewAfter(100);
      return relay.cut();
    },
    end: ({ relay }) => relay.passNew(),
  },
  {
    // keys are exchanged, but nobody is let in
    name: "hangs in the login, for 8 s",
    route: "relay",
    lastsMs: 8000,
    kind: "closes",
    begin: ({ relay }) => {
      relay.stallNewAfter(1600);
      return relay.cut();
    },
    end: ({ relay }) => relay.passNew(),
  },
  {
    name: "name not found for 5 s",
    route: "name",
    lastsMs: 5000,
    kind: "closes",
    begin: async (world) => {
      await world.setName(false);
      world.host.sshd.killConnections();
    },
    end: (world) => world.setName(true),
  },
  {
    name: "remote service down for 3 s",
    route: "direct",
    lastsMs: 3000,
    kind: "short",
    begin: (world) => world.stopEcho(),
    end: (world) => world.startEcho(),
  },
  {
    name: "jump host lost for 2 s",
    route: "jump",
    lastsMs: 2000,
    kind: "closes",
    begin: ({ jump }) => jump.stop(),
    end: ({ jump }) => jump.start(),
  },
  {
    name: "another host key",
    route: "direct",
    lastsMs: 3000,
    kind: "final",
    begin: async ({ host }) => {
      await host.sshd.stop();
      impostor = await startSshd({
        ...{ host: host.address, port: 22, netns: host.namespace },
      });
    },
    end: async ({ host }) => {
      await impostor?.[Symbol.asyncDispose]();
      impostor = undefined;
      await host.sshd.start();
    },
  },
  {
    name: "key removed while away",
    route: "direct",
    lastsMs: 3000,
    kind: "final",
    begin: async ({ host: { sshd } }) => {
      await sshd.stop();
      await Deno.rename(sshd.authorizedKeys, `${sshd.authorizedKeys}.away`);
      await sshd.start();
    },
    end: async ({ host: { sshd } }) => {
      await Deno.rename(`${sshd.authorizedKeys}.away`, sshd.authorizedKeys);
    },
  },
];

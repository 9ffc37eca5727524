/**
 * Listening sockets on this machine: which addresses a forward's bind address
 * means, and what is wrong when they cannot be had.
 *
 * @module
 */

import { I2ptunError } from "../errors.ts";
import { currentSystem, type System } from "../platform/paths.ts";
import { isHidden } from "../platform/port_owner.ts";
import { formatHostPort, type ListenAddress } from "./address.ts";
import { listenAt, type Listening, type OnConnection } from "./socket.ts";

export interface Listener {
  /** `host:port` or socket path of each address. */
  addresses: string[];
  /** Resolves when the addresses are free. */
  close(): Promise<void>;
}

/** Who holds a port. */
export interface PortHolder {
  /** Such as `i2pd (pid 4242)`. */
  name: string;
  /** The command that makes it free the port, where there is one. */
  stop?: string;
}

/** Finds out who holds a port, if that is possible. */
export type PortOwner = (port: number) => Promise<PortHolder | undefined>;

export interface ListenOptions {
  /** The forward's name, for messages. */
  name: string;
  listen: ListenAddress;
  /** The I2P service that it is for, as profiles.yaml names it. */
  service?: string | undefined;
  onConnection: OnConnection;
  portOwner: PortOwner;
  /** Default: this machine's. */
  system?: System;
  /** Whether a program there is in the way although the system says nothing. */
  isTaken?: (host: string, port: number) => Promise<boolean>;
}

/**
 * Listens on every address that `listen` means; all or none.
 *
 * @throws {I2ptunError} `forward`, saying why and who holds the port.
 */
export async function openListener(options: ListenOptions): Promise<Listener> {
  const { listen, onConnection, isTaken = isHidden } = options;
  const listening: Listening[] = [];
  const close = async () => {
    await Promise.all(listening.map((each) => each.close()));
  };
  try {
    if (listen.kind === "unix") {
      await removeAbandoned(listen.path);
      listening.push(listenAt({ path: listen.path }, onConnection));
      return { addresses: [listen.path], close };
    }
    const { bind, port } = listen;
    const addresses: string[] = [];
    const hosts = hostsOf(bind);
    const taken = await Promise.all(
      hosts.map(({ host }) => isTaken(host, port)),
    );
    for (const [i, { host, mayFail }] of hosts.entries()) {
      try {
        if (taken[i]) throw portInUse();
        const opened = listenAt({ host, port }, onConnection);
        listening.push(opened);
        addresses.push(formatHostPort(host, opened.port));
      } catch (error) {
        if (!mayFail(error as NodeError, listening.length)) throw error;
        if (!isMissingAddress(error)) {
          addresses.push(formatHostPort(host, port));
        }
      }
    }
    const isIPv6 = (address: string) => Number(address.startsWith("["));
    addresses.sort((a, b) => isIPv6(a) - isIPv6(b));
    return { addresses, close };
  } catch (error) {
    await close();
    throw await explain(error as NodeError, options);
  }
}

/**
 * Removes a socket that nobody listens at: a process that was killed has left
 * it, and nobody shall have to look after that. ssh(1) does with
 * StreamLocalBindUnlink, also to one that is used.
 */
async function removeAbandoned(path: string): Promise<void> {
  try {
    if (!(await Deno.lstat(path)).isSocket) return;
    (await Deno.connect({ transport: "unix", path })).close();
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) {
      await Deno.remove(path).catch(() => {});
    }
  }
}

type NodeError = Error & { code?: string };

function portInUse(): NodeError {
  return Object.assign(new Error("address in use"), { code: "EADDRINUSE" });
}

/** The addresses to listen at; where one `mayFail`, the others do. */
function hostsOf(bind: string | undefined): {
  host: string;
  mayFail: (error: NodeError, open: number) => boolean;
}[] {
  switch (bind) {
    case undefined:
    case "localhost":
      return [
        { host: "127.0.0.1", mayFail: () => false },
        { host: "::1", mayFail: isMissingAddress },
      ];
    case "*":
    case "":
      return [
        { host: "::", mayFail: isMissingAddress },
        // on most systems :: has taken it already, ip(7) and ipv6(7)
        {
          host: "0.0.0.0",
          mayFail: ({ code }, open) => code === "EADDRINUSE" && open > 0,
        },
      ];
    default:
      return [{ host: bind, mayFail: () => false }];
  }
}

/** Deno reports an IPv6 address on a system without IPv6 as EINVAL, too. */
function isMissingAddress(error: unknown): boolean {
  const { code } = error as NodeError;
  return code === "EADDRNOTAVAIL" || code === "EAFNOSUPPORT" ||
    code === "EINVAL";
}

/** What is wrong, for the person who wants to listen. */
export async function explain(
  error: NodeError,
  { name, listen, service, portOwner, system = currentSystem() }: Pick<
    ListenOptions,
    "name" | "listen" | "service" | "portOwner" | "system"
  >,
): Promise<I2ptunError> {
  if (listen.kind === "unix") {
    if (system === "windows") {
      return new I2ptunError(
        "forward",
        `${name}: Windows has no Unix sockets to listen at`,
        { remedy: "listen at a port: 127.0.0.1:PORT", cause: error },
      );
    }
    return new I2ptunError(
      "forward",
      `${name}: cannot listen at ${listen.path}: ${error.message}`,
      {
        remedy: error.code === "EADDRINUSE"
          ? "delete the file if no program uses it any more, or choose another path"
          : "choose a path in a folder of your own",
        cause: error,
      },
    );
  }
  const { port } = listen;
  const where = formatHostPort(listen.bind ?? "127.0.0.1", port);
  if (error.code === "EADDRINUSE") {
    const holder = await portOwner(port);
    const stop = holder?.stop ?? "stop that program";
    const other = service === undefined
      ? ""
      : `: { service: ${service}, listen: 8080 }`;
    return new I2ptunError(
      "forward",
      `${name}: port ${port} is already in use${
        holder === undefined ? "" : ` by ${holder.name}`
      }`,
      {
        why: holder?.stop === undefined
          ? "often that is a router or another tunnel on this machine"
          : undefined,
        remedy: `${stop}, or let this forward listen on another port${other}`,
        cause: error,
      },
    );
  }
  if (error.code === "EACCES" || error.code === "EPERM") {
    return new I2ptunError(
      "forward",
      `${name}: not allowed to listen on port ${port}`,
      {
        remedy: system === "windows"
          ? "Windows keeps some ports to itself (netsh interface ipv4 show excludedportrange tcp); choose another"
          : "ports below 1024 belong to the system; choose one from 1024 to 65535",
        cause: error,
      },
    );
  }
  if (isMissingAddress(error) || /lookup address/.test(error.message)) {
    return new I2ptunError(
      "forward",
      `${name}: this machine has no address ${listen.bind}`,
      {
        remedy:
          "use 127.0.0.1 for this machine only, or one of this machine's own addresses",
        cause: error,
      },
    );
  }
  return new I2ptunError(
    "forward",
    `${name}: cannot listen on ${where}: ${error.message}`,
    { cause: error },
  );
}

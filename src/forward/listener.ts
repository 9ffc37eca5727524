/**
 * Listening sockets on this machine: which addresses a forward's bind address
 * means, and what is wrong when they cannot be had.
 *
 * @module
 */

import { createServer, isIPv6, type Server, type Socket } from "node:net";
import { I2ptunError } from "../errors.ts";
import { formatHostPort, type ListenAddress } from "./address.ts";

export interface Listener {
  /** `host:port` or socket path of each address. */
  addresses: string[];
  close(): void;
}

/** Names the program that holds a port, if that can be found out. */
export type PortOwner = (port: number) => Promise<string | undefined>;

export interface ListenOptions {
  /** The forward's name, for messages. */
  name: string;
  listen: ListenAddress;
  onConnection: (socket: Socket) => void;
  portOwner: PortOwner;
}

/**
 * Listens on every address that `listen` means; all or none.
 *
 * @throws {I2ptunError} `forward`, saying why and who holds the port.
 */
export async function openListener(options: ListenOptions): Promise<Listener> {
  const { listen } = options;
  const servers: Server[] = [];
  const addresses: string[] = [];
  const close = () => servers.forEach((server) => server.close());
  try {
    if (listen.kind === "unix") {
      servers.push(await bind({ path: listen.path }, options));
      addresses.push(listen.path);
    } else {
      for (const { host, optional } of hostsOf(listen.bind)) {
        try {
          const server = await bind({ host, port: listen.port }, options);
          servers.push(server);
          addresses.push(formatHostPort(host, portOf(server) ?? listen.port));
        } catch (error) {
          if (!(optional && isMissingAddress(error))) throw error;
        }
      }
    }
    return { addresses, close };
  } catch (error) {
    close();
    throw await explain(error as NodeError, options);
  }
}

function portOf(server: Server): number | undefined {
  const address = server.address();
  return typeof address === "object" ? address?.port : undefined;
}

type NodeError = Error & { code?: string };

/** ::1 and :: are left out where the system has no IPv6. */
function hostsOf(
  bind: string | undefined,
): { host: string; optional: boolean }[] {
  switch (bind) {
    case undefined:
    case "localhost":
      return [
        { host: "127.0.0.1", optional: false },
        { host: "::1", optional: true },
      ];
    case "*":
    case "":
      return [
        { host: "0.0.0.0", optional: false },
        { host: "::", optional: true },
      ];
    default:
      return [{ host: bind, optional: false }];
  }
}

/** Deno reports an address that this machine does not have as EINVAL. */
function isMissingAddress(error: unknown): boolean {
  const { code } = error as NodeError;
  return code === "EADDRNOTAVAIL" || code === "EAFNOSUPPORT" ||
    code === "EINVAL";
}

function bind(
  at: { host: string; port: number } | { path: string },
  options: ListenOptions,
): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer({
      allowHalfOpen: true,
      pauseOnConnect: true,
      noDelay: true,
    });
    server.once("error", reject);
    server.listen(
      "host" in at ? { ...at, ipv6Only: isIPv6(at.host), backlog: 511 } : at,
      () => {
        server.removeListener("error", reject);
        server.on("error", () => {});
        server.on("connection", options.onConnection);
        resolve(server);
      },
    );
  });
}

async function explain(
  error: NodeError,
  { name, listen, portOwner }: ListenOptions,
): Promise<I2ptunError> {
  if (listen.kind === "unix") {
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
    const owner = await portOwner(port);
    return new I2ptunError(
      "forward",
      `${name}: port ${port} is already in use${
        owner === undefined ? "" : ` by ${owner}`
      }`,
      {
        remedy:
          `stop that program, or let this forward listen on another port (listen: in the profile)`,
        cause: error,
      },
    );
  }
  if (error.code === "EACCES" || error.code === "EPERM") {
    return new I2ptunError(
      "forward",
      `${name}: not allowed to listen on port ${port}`,
      {
        remedy:
          "ports below 1024 belong to the system; choose one from 1024 to 65535",
        cause: error,
      },
    );
  }
  if (isMissingAddress(error) || error.code === "ENOTFOUND") {
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

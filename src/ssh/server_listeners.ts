/**
 * Where the server listens for us: TCP (RFC 4254 §7.1) and Unix sockets
 * (streamlocal-forward@openssh.com, OpenSSH's PROTOCOL §2.4).
 *
 * @module
 */

import { I2ptunError } from "../errors.ts";
import { formatHostPort, type ListenAddress } from "../forward/address.ts";
import type { Channels, Incoming, Originator } from "./channels.ts";
import type { RoundTrip } from "./receive_window.ts";
import type { SshClient } from "./ssh2.ts";

/** A connection that came in at the server and waits for an answer. */
export interface IncomingConnection extends Incoming {
  from: Originator;
}

export type ServeIncoming = (incoming: IncomingConnection) => void;

/**
 * A bind address as it goes over the wire, by ssh(1) -R: without one, the
 * server's loopback; "" and "*" are all its interfaces.
 */
export function bindOnWire(bind: string | undefined): string {
  return bind === undefined ? "localhost" : bind === "*" ? "" : bind;
}

/** Where the server was asked to listen: `host:port` or a socket's path. */
export function formatServerListen(at: ListenAddress): string {
  return at.kind === "unix"
    ? at.path
    : formatHostPort(bindOnWire(at.bind) || "*", at.port);
}

/** The server said no; why, the protocol does not tell (RFC 4254 §4). */
export function listenRefused(at: ListenAddress): I2ptunError {
  return new I2ptunError(
    "forward",
    `the server refuses to listen on ${formatServerListen(at)}`,
    {
      remedy: at.kind === "unix"
        ? "on the server, see whether its folder is there and yours, whether the socket exists already (StreamLocalBindUnlink removes it), and whether sshd_config allows it: AllowStreamLocalForwarding"
        : "on the server, see whether a program has the port already, and whether sshd_config allows it: AllowTcpForwarding, PermitListen, GatewayPorts",
    },
  );
}

/** The listeners that one connection has asked for. */
export class ServerListeners {
  readonly #client: SshClient;
  readonly #roundTrip: RoundTrip;
  readonly #serving = new Map<string, ServeIncoming>();

  constructor(client: SshClient, channels: Channels) {
    this.#client = client;
    this.#roundTrip = channels.roundTrip;
    channels.onIncoming = ({ listener, from }, incoming) => {
      const serve = this.#serving.get(listener);
      serve?.({ from, ...incoming });
      return serve !== undefined;
    };
  }

  /**
   * Asks the server to listen.
   *
   * @returns the port, chosen by the server if it was 0; 0 for a Unix socket
   * @throws {Error} ssh2's, if the server refused or the connection was lost
   */
  listen(at: ListenAddress, serve: ServeIncoming): Promise<number> {
    const answered = this.#roundTrip.start();
    return new Promise((resolve, reject) => {
      if (at.kind === "unix") {
        this.#client.openssh_forwardInStreamLocal(at.path, (error) => {
          if (error) return reject(error);
          answered();
          this.#serving.set(at.path, serve);
          resolve(0);
        });
      } else {
        const bind = bindOnWire(at.bind);
        this.#client.forwardIn(bind, at.port, (error, port) => {
          if (error) return reject(error);
          answered();
          this.#serving.set(keyOf(bind, port), serve);
          resolve(port);
        });
      }
    });
  }

  /** Ends listening; `at` with the port that {@link listen} returned. */
  cancel(at: ListenAddress): void {
    const ignore = () => {};
    if (at.kind === "unix") {
      this.#serving.delete(at.path);
      this.#client.openssh_unforwardInStreamLocal(at.path, ignore);
    } else {
      const bind = bindOnWire(at.bind);
      this.#serving.delete(keyOf(bind, at.port));
      this.#client.unforwardIn(bind, at.port, ignore);
    }
  }
}

function keyOf(bind: string, port: number): string {
  return `${bind}:${port}`;
}

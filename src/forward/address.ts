/**
 * What a forward is: where it listens and where its connections go.
 * Terms as in RFC 4254 §7 and ssh(1).
 *
 * @module
 */

/** Where a forward listens. */
export type ListenAddress =
  /**
   * `bind` is as the user wrote it, without brackets: undefined or "localhost"
   * means this machine only, "*" or "" every interface. Port 0: any free one.
   */
  | { kind: "tcp"; bind: string | undefined; port: number }
  | { kind: "unix"; path: string };

/** Where a forwarded connection goes. */
export type TargetAddress =
  | { kind: "tcp"; host: string; port: number }
  | { kind: "unix"; path: string };

export type ForwardKind = Forward["kind"];

/** A forward of a profile. `name` is unique within it. */
export type Forward =
  /** Listens here, connects from the server: `ssh -L`, RFC 4254 §7.2. */
  | {
    kind: "local";
    name: string;
    /** The I2P service this is, if the profile said so by name. */
    service?: string;
    listen: ListenAddress;
    target: TargetAddress;
  }
  /** Listens on the server, connects from here: `ssh -R`, RFC 4254 §7.1. */
  | {
    kind: "remote";
    name: string;
    listen: ListenAddress;
    /** Undefined: the server's side is a SOCKS proxy, as `ssh -R port`. */
    target: TargetAddress | undefined;
  }
  /** A SOCKS proxy here whose connections leave from the server: `ssh -D`. */
  | { kind: "dynamic"; name: string; listen: ListenAddress };

/** `host:port`, with an IPv6 address in brackets. */
export function formatHostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** A target as the spec and `ssh -L` write it: `host:port` or a socket path. */
export function formatTarget(target: TargetAddress): string {
  return target.kind === "unix"
    ? target.path
    : formatHostPort(target.host, target.port);
}

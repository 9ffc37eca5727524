/**
 * The arguments of `ssh -L`, `-R` and `-D`, as in ssh(1) and as parsed by
 * `parse_forward` of OpenSSH's readconf.c: fields divided by colons, a field
 * with a slash is a Unix socket, brackets or a backslash take what they hold
 * or precede literally.
 *
 * @module
 */

import { I2ptunError } from "../errors.ts";
import {
  formatHostPort,
  type Forward,
  type ForwardKind,
  type ListenAddress,
  type TargetAddress,
} from "../forward/address.ts";

type Unnamed<F> = F extends Forward ? Omit<F, "name"> : never;

/** A {@link Forward} before it has a name. */
export type UnnamedForward = Unnamed<Forward>;

const FORMS: Record<ForwardKind, string> = {
  local: "[BIND:]PORT:HOST:HOSTPORT, as ssh -L takes it",
  remote: "[BIND:]PORT:HOST:HOSTPORT or [BIND:]PORT, as ssh -R takes it",
  dynamic: "[BIND:]PORT, as ssh -D takes it",
};

/** Longest path of a Unix socket in bytes: `sun_path` of unix(7), less its NUL. */
const LONGEST_SOCKET_PATH = 107;

/**
 * Reads the argument of `ssh -L` (`local`), `-R` (`remote`) or `-D` (`dynamic`).
 *
 * Stricter than ssh(1) in this: a port is a number, no name of a service;
 * a target has a host; a SOCKS proxy listens on a port; `${VAR}` and, in the
 * path of a socket, `%h` are refused.
 *
 * @throws I2ptunError "usage" naming the field that is wrong
 *
 * @example
 * ```ts
 * parseForward("local", "8080:127.0.0.1:7657");
 * ```
 */
export function parseForward<K extends ForwardKind>(
  kind: K,
  text: string,
): Extract<UnnamedForward, { kind: K }> {
  // TypeScript does not narrow K by what was compared with `kind`.
  return parse(kind, text) as Extract<UnnamedForward, { kind: K }>;
}

/**
 * The argument for `ssh -L`, `-R` or `-D` that {@link parseForward} reads as
 * `forward`.
 */
export function formatForward(forward: UnnamedForward): string {
  const listen = formatListen(forward.listen);
  const target = forward.kind === "dynamic" ? undefined : forward.target;
  if (target === undefined) return listen;
  return `${listen}:${
    target.kind === "unix"
      ? escapePath(target.path)
      : formatHostPort(target.host, target.port)
  }`;
}

/**
 * Reads where something listens on this machine: a port, `bind:port`, or the
 * path of a Unix socket (anything with a slash).
 *
 * @throws I2ptunError "usage" naming the field that is wrong
 */
export function parseListen(text: string): ListenAddress {
  const fail = failure(text, "write a port, BIND:PORT or the path of a socket");
  return toListen(splitFields(text, fail), 1, fail);
}

/** The text that {@link parseListen} reads as `listen`. */
export function formatListen(listen: ListenAddress): string {
  if (listen.kind === "unix") return escapePath(listen.path);
  const { bind, port } = listen;
  return bind === undefined ? String(port) : formatHostPort(bind, port);
}

interface Field {
  text: string;
  isPath: boolean;
}

type Fail = (what: string) => never;

function failure(text: string, remedy: string): Fail {
  return (what) => {
    throw new I2ptunError("usage", `forward "${text}": ${what}`, { remedy });
  };
}

function parse(kind: ForwardKind, text: string): UnnamedForward {
  const fail = failure(text, `write it as ${FORMS[kind]}`);
  const fields = splitFields(text, fail);
  if (fields.length > 4) {
    fail("too many fields; an IPv6 address must be in brackets");
  }
  const lowestPort = kind === "remote" ? 0 : 1;
  const [targetFields, listenFields] = divide(kind, fields, fail);
  const listen = toListen(listenFields, lowestPort, fail);
  const target = targetFields && toTarget(targetFields, fail);
  if (target === undefined && listen.kind === "unix") {
    fail("a SOCKS proxy listens on a port, not on a socket");
  }
  if (kind === "dynamic") return { kind, listen };
  if (kind === "remote") return { kind, listen, target };
  return { kind, listen, target: target ?? fail("the target is missing") };
}

/** Parts the fields of the target from those of the listener before them. */
function divide(
  kind: ForwardKind,
  fields: Field[],
  fail: Fail,
): [target: Field[] | undefined, listen: Field[]] {
  if (kind === "dynamic") {
    if (fields.length > 2) fail("a SOCKS proxy has no target");
    return [undefined, fields];
  }
  const count = fields.length;
  if (count > 1 && fields[count - 1]!.isPath) {
    return [fields.slice(-1), fields.slice(0, -1)];
  }
  if (count > 2) return [fields.slice(-2), fields.slice(0, -2)];
  if (kind === "remote" && !fields[0]!.isPath) return [undefined, fields];
  return fail(
    oldSlashForm(fields[0]!.text) ?? "the target's host or port is missing",
  );
}

/** `bind/port/host/hostport`, which ssh took before it knew Unix sockets. */
function oldSlashForm(text: string): string | undefined {
  const parts = text.split("/");
  const isOld = !text.startsWith("/") && !text.includes(":") &&
    (parts.length === 3 || parts.length === 4) && /^\d+$/.test(parts.at(-1)!);
  return isOld
    ? `ssh no longer divides by slashes; write ${parts.join(":")}`
    : undefined;
}

function toListen(fields: Field[], lowest: number, fail: Fail): ListenAddress {
  const [first, second, ...more] = fields;
  if (first === undefined || more.length > 0) {
    return fail("where to listen is one port, BIND:PORT or a socket");
  }
  if (second !== undefined) {
    return {
      kind: "tcp",
      bind: first.text === "" ? "" : toHost(first, "bind address", fail),
      port: toPort(second, lowest, fail),
    };
  }
  return first.isPath
    ? { kind: "unix", path: toPath(first, fail) }
    : { kind: "tcp", bind: undefined, port: toPort(first, lowest, fail) };
}

function toTarget(fields: Field[], fail: Fail): TargetAddress {
  const [host, port] = fields;
  return port === undefined ? { kind: "unix", path: toPath(host!, fail) } : {
    kind: "tcp",
    host: toHost(host!, "host", fail),
    port: toPort(port, 1, fail),
  };
}

function toPort(field: Field, lowest: number, fail: Fail): number {
  const { text } = field;
  if (text === "") return fail("a port is missing");
  if (!/^\d+$/.test(text)) {
    return fail(
      `port "${text}" is not a number (names of services are not accepted)`,
    );
  }
  const port = Number(text);
  if (port === 0 && lowest === 1) {
    return fail("port 0, any free one, is for the listening port of -R only");
  }
  return port <= 65535 ? port : fail(`port ${text} is more than 65535`);
}

function toHost(field: Field, what: string, fail: Fail): string {
  const { text } = field;
  if (text === "") return fail(`the ${what} is missing`);
  return /[\s/[\]@\p{Cc}]/u.test(text)
    ? fail(`"${text}" is not a ${what}`)
    : text;
}

function toPath(field: Field, fail: Fail): string {
  // ssh(1) fills in %h and the like in the paths of sockets, %% being a "%".
  const text = field.text.replaceAll(/%(.?)/gsu, (token, letter) => {
    if (letter === "%") return "%";
    return fail(`${token} is not filled in; write its value, or %% for "%"`);
  });
  if (/\p{Cc}/u.test(text)) fail("the socket's path has a control character");
  if (new TextEncoder().encode(text).length > LONGEST_SOCKET_PATH) {
    fail(`the socket's path is longer than ${LONGEST_SOCKET_PATH} bytes`);
  }
  return text;
}

function splitFields(spec: string, fail: Fail): Field[] {
  // ssh(1) fills it in; taking it literally would make a socket of that name.
  const variable = spec.match(/\$\{\w*\}?/)?.[0];
  if (variable) fail(`${variable} is not filled in; write its value`);
  const fields: Field[] = [];
  let rest = spec.trimStart();
  for (;;) {
    const [field, length] = rest.startsWith("[")
      ? bracketedField(rest, fail)
      : plainField(rest, fail);
    fields.push(field);
    if (length === rest.length) return fields;
    rest = rest.slice(length + 1);
  }
}

function bracketedField(rest: string, fail: Fail): [Field, length: number] {
  const [all, text] = rest.match(/^\[([^\]]*)\](?=:|$)/) ??
    fail('a "[" needs its "]", followed by ":" or nothing');
  return [{ text: text!, isPath: text!.includes("/") }, all.length];
}

function plainField(rest: string, fail: Fail): [Field, length: number] {
  const all = rest.match(/^(?:\\.|[^\\:])*/su)![0];
  if (rest[all.length] === "\\") fail("it ends in a lone backslash");
  return [{
    text: all.replaceAll(/\\(.)/gsu, "$1"),
    isPath: all.replaceAll(/\\./gsu, "").includes("/"),
  }, all.length];
}

function escapePath(path: string): string {
  const shown = path.includes("/") ? path : `./${path}`;
  return shown.replaceAll(/[\\:]|^[[\s]/g, "\\$&").replaceAll("%", "%%");
}

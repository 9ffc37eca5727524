/**
 * Reads an OpenSSH command line as it stands in a guide: `ssh -fTNL …`.
 *
 * @module
 */

import { I2ptunError } from "../errors.ts";
import { parseServerAddress } from "./server_address.ts";

/** What an ssh(1) command line asks for. */
export interface SshCommand {
  /** `[user@]host[:port]`, with `-l` and `-p` put in. */
  server: string;
  /** Each hop of `-J`, nearest first. */
  jump: string[];
  identity: string[];
  /** In the order they were given. */
  forwards: ({ local: string } | { remote: string } | { dynamic: string })[];
  /** `-o`, and the flags that are shorthands for it: ssh_config(5) lines. */
  options: { key: string; value: string }[];
  /** `-F` */
  configFile: string | undefined;
  /** `-f` */
  background: boolean;
  /** `-v` */
  verbose: boolean;
  /** `-q` */
  quiet: boolean;
}

/** Options of ssh(1) that have a value and make no sense without a shell. */
const UNSUPPORTED_WITH_VALUE = "BEISWbcemOQw";
/** … and those without one. */
const UNSUPPORTED_FLAGS = "GMKsVXYyt";
/** What changes nothing for a tunnel. */
const IGNORED_FLAGS = "NTnaxk";

/** Flags that stand for an ssh_config(5) line. */
const SHORTHANDS: Record<string, { key: string; value: string }> = {
  "4": { key: "AddressFamily", value: "inet" },
  "6": { key: "AddressFamily", value: "inet6" },
  C: { key: "Compression", value: "yes" },
  g: { key: "GatewayPorts", value: "yes" },
};

/**
 * Reads the arguments of an ssh command, without the word `ssh`.
 *
 * @throws {I2ptunError} `usage` naming what is wrong or cannot be done
 *
 * @example
 * ```ts
 * parseSshCommand(["-fTNL", "7657:127.0.0.1:7657", "i2p@20.228.143.58"]);
 * ```
 */
export function parseSshCommand(args: readonly string[]): SshCommand {
  const command: SshCommand = {
    server: "",
    jump: [],
    identity: [],
    forwards: [],
    options: [],
    configFile: undefined,
    background: false,
    verbose: false,
    quiet: false,
  };
  let login: string | undefined;
  let port: string | undefined;
  let destination: string | undefined;
  const rest = [...args];
  while (rest.length > 0) {
    const word = rest.shift()!;
    if (word === "--") {
      destination ??= rest.shift();
      break;
    }
    if (!word.startsWith("-") || word === "-") {
      if (destination !== undefined) {
        rest.unshift(word);
        break;
      }
      destination = word;
      continue;
    }
    for (let i = 1; i < word.length; i++) {
      const flag = word[i]!;
      const value = () => {
        const attached = word.slice(i + 1);
        i = word.length;
        const given = attached === "" ? rest.shift() : attached;
        if (given === undefined) throw usage(`-${flag} needs a value`);
        return given;
      };
      switch (flag) {
        case "L":
          command.forwards.push({ local: value() });
          break;
        case "R":
          command.forwards.push({ remote: value() });
          break;
        case "D":
          command.forwards.push({ dynamic: value() });
          break;
        case "J":
          command.jump.push(...splitJumps(value()));
          break;
        case "l":
          login ??= value();
          break;
        case "p":
          port ??= value();
          break;
        case "i":
          command.identity.push(value());
          break;
        case "o":
          command.options.push(splitOption(value()));
          break;
        case "F":
          command.configFile = value();
          break;
        case "f":
          command.background = true;
          break;
        case "v":
          command.verbose = true;
          break;
        case "q":
          command.quiet = true;
          break;
        case "A":
          throw usage("-A: i2ptun does not forward the agent", "leave out -A");
        default:
          if (SHORTHANDS[flag]) command.options.push(SHORTHANDS[flag]);
          else if (IGNORED_FLAGS.includes(flag)) break;
          else if (UNSUPPORTED_WITH_VALUE.includes(flag)) {
            throw usage(`-${flag} ${value()}: i2ptun has nothing like it`);
          } else if (UNSUPPORTED_FLAGS.includes(flag)) {
            throw usage(
              `-${flag}: i2ptun has nothing like it`,
              `leave out -${flag}`,
            );
          } else throw usage(`ssh has no option -${flag}`);
      }
    }
  }
  if (rest.length > 0) {
    throw usage(
      `i2ptun opens tunnels and runs no command on the server: ${
        rest.join(" ")
      }`,
      "leave out the command; for one, use ssh itself",
    );
  }
  if (destination === undefined) throw usage("the server is missing");
  command.server = withLogin(destination, login, port);
  return command;
}

/** An error about a command line. */
export function usage(
  message: string,
  remedy = "i2ptun ssh -L 7657:127.0.0.1:7657 user@server",
): I2ptunError {
  return new I2ptunError("usage", message, { remedy });
}

/** A destination with what `-l` and `-p` say put in. */
export function withLogin(
  destination: string,
  login: string | undefined,
  port: string | undefined,
): string {
  const address = parseServerAddress(destination);
  // ssh: what the destination says wins over -l and -p, except without URI
  const user = address.user ?? login;
  const number = port ?? address.port;
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return `${user === undefined ? "" : `${user}@`}${host}${
    number === undefined ? "" : `:${number}`
  }`;
}

/** The hops of `-J` or ProxyJump. */
export function splitJumps(value: string): string[] {
  return value.toLowerCase() === "none" ? [] : value.split(",");
}

/** `KEY=VALUE` or `KEY VALUE`, as ssh_config(5) has it, quotes and all. */
function splitOption(text: string): { key: string; value: string } {
  const [, key, value] = /^\s*(\w+)(?:\s*=\s*|\s+)(.*?)\s*$/s.exec(text) ?? [];
  if (key === undefined || !value) {
    throw usage(`-o ${text}: not of the form KEY=VALUE`);
  }
  return { key, value };
}

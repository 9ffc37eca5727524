/**
 * Where things are on each system. The system is a parameter, so that the paths
 * of one are ordinary code on any other.
 *
 * @module
 */

import { userInfo } from "node:os";
import { posix, win32 } from "node:path";
import { I2ptunError } from "../errors.ts";

export type System = "linux" | "darwin" | "windows";

/** The user's surroundings, as far as the program depends on them. */
export interface Environment {
  system: System;
  home: string;
  userName: string;
  /** An environment variable; empty counts as unset. */
  variable(name: string): string | undefined;
}

/** This machine's. */
export function currentSystem(): System {
  const { os } = Deno.build;
  return os === "windows" || os === "darwin" ? os : "linux";
}

/** What {@link currentEnvironment} reads. */
const HOME_VARIABLE: Record<System, string> = {
  linux: "HOME",
  darwin: "HOME",
  windows: "USERPROFILE",
};

/**
 * This process's surroundings.
 *
 * @throws {I2ptunError} `usage` if there is no home folder.
 */
export function currentEnvironment(): Environment {
  const system = currentSystem();
  const variable = (name: string) => Deno.env.get(name) || undefined;
  const home = variable(HOME_VARIABLE[system]);
  if (home === undefined) {
    throw new I2ptunError(
      "usage",
      `${HOME_VARIABLE[system]} is not set, so there is no home folder`,
      { remedy: `set ${HOME_VARIABLE[system]}` },
    );
  }
  return { system, home, userName: accountName(home, system), variable };
}

/** As ssh(1): whose account it is, whatever the environment says. */
function accountName(home: string, system: System): string {
  try {
    return userInfo().username;
  } catch {
    // an id without an account, as in some containers
    return (system === "windows" ? win32 : posix).basename(home);
  }
}

/** Files and folders of i2ptun and of SSH. */
export interface Paths {
  profiles: string;
  /** Parent of run/ and log/. */
  state: string;
  /** One lock, record and control socket per running profile. */
  run: string;
  log: string;
  knownHosts: string;
  /** Read only. */
  systemKnownHosts: string[];
  sshConfig: string;
  systemSshConfig: string;
  /** Tried when a profile names no key. */
  identities: string[];
  /** The agent's socket or pipe, if there is one. */
  agent: string | undefined;
}

/** Where everything is in `environment`. */
export function pathsOf(environment: Environment): Paths {
  const { system, home, variable } = environment;
  const { join } = system === "windows" ? win32 : posix;
  const support = join(home, "Library", "Application Support", "i2ptun");
  const absolute = (name: string) => {
    // XDG Base Directory Specification: relative paths are to be ignored
    const value = variable(name);
    return value !== undefined && posix.isAbsolute(value) ? value : undefined;
  };
  const config = {
    linux: () =>
      join(absolute("XDG_CONFIG_HOME") ?? join(home, ".config"), "i2ptun"),
    darwin: () => support,
    windows: () =>
      join(variable("APPDATA") ?? join(home, "AppData", "Roaming"), "i2ptun"),
  }[system]();
  const state = variable("I2PTUN_STATE_DIR") ?? {
    linux: () =>
      join(
        absolute("XDG_STATE_HOME") ?? join(home, ".local", "state"),
        "i2ptun",
      ),
    darwin: () => join(support, "state"),
    windows: () =>
      join(
        variable("LOCALAPPDATA") ?? join(home, "AppData", "Local"),
        "i2ptun",
      ),
  }[system]();
  const ssh = join(home, ".ssh");
  const systemSsh = system === "windows"
    ? join(variable("PROGRAMDATA") ?? "C:\\ProgramData", "ssh")
    : "/etc/ssh";
  return {
    profiles: variable("I2PTUN_CONFIG") ?? join(config, "profiles.yaml"),
    state,
    run: join(state, "run"),
    log: join(state, "log"),
    knownHosts: join(ssh, "known_hosts"),
    systemKnownHosts: [join(systemSsh, "ssh_known_hosts")],
    sshConfig: join(ssh, "config"),
    systemSshConfig: join(systemSsh, "ssh_config"),
    identities: ["id_ed25519", "id_ecdsa", "id_rsa"].map((each) =>
      join(ssh, each)
    ),
    agent: variable("SSH_AUTH_SOCK") ??
      (system === "windows" ? "\\\\.\\pipe\\openssh-ssh-agent" : undefined),
  };
}

/** Expands a leading `~/`. */
export function expandHome(path: string, environment: Environment): string {
  const { home, system } = environment;
  if (path === "~") return home;
  if (
    path.startsWith("~/") || (system === "windows" && path.startsWith("~\\"))
  ) {
    return (system === "windows" ? win32 : posix).join(home, path.slice(2));
  }
  return path;
}

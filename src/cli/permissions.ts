/**
 * What each command needs, and that it gives up the rest before it begins.
 *
 * @module
 */

import { keepOnly } from "../platform/permissions.ts";
import { I2ptunError } from "../errors.ts";
import { currentEnvironment, pathsOf } from "../platform/paths.ts";

/**
 * `run`: starting programs, of those in platform/run.ts; `net`: the network,
 * which a tunnel's control socket is part of; `state`: writing where the state is,
 * which goes with the network; `write`: writing files, wherever the user says.
 * Every command may read files, and the variables and system information that
 * deno.json names.
 */
type Need = "run" | "net" | "state" | "write";

/** By the command as it is typed. A tunnel gives up more when it is up. */
const NEEDS: Record<string, readonly Need[]> = {
  // the menu
  "": ["run", "net", "write"],
  "profile list": ["net"],
  "profile add": ["write"],
  "profile show": ["net"],
  "profile edit": ["run", "net", "write"],
  "profile remove": ["net", "write"],
  "profile import putty": ["run", "write"],
  "profile import ssh-config": ["write"],
  "profile start": ["run", "net", "write"],
  // ending a process that does not answer counts as run
  "profile stop": ["run", "net"],
  "profile restart": ["run", "net", "write"],
  "profile status": ["net"],
  "profile logs": ["state"],
  "profile check": ["run", "net", "write"],
  "ssh": ["run", "net", "write"],
  "discover": ["net", "write"],
  "open": ["run", "net"],
  "browse": ["run", "net", "write"],
  "key create": ["write"],
  "key install": ["net", "write"],
  "autostart": ["run", "net", "write"],
  "demo": ["net"],
  "completions": [],
  "schema": [],
  "version": [],
  "help": [],
  // PuTTY's sessions are in the registry
  "complete": Deno.build.os === "windows" ? ["run", "write"] : [],
  "background": ["run", "net", "write"],
};

/**
 * Gives up what a command does not need, for the rest of this process.
 *
 * @param command its names, such as `profile list`; empty for the menu
 * @throws {TypeError} if the table does not have it
 */
export async function giveUpUnneeded(command: string): Promise<void> {
  const needs = NEEDS[command];
  if (!needs) throw new TypeError(`src/cli/permissions.ts lacks ${command}`);
  keepOnly({
    run: needs.includes("run"),
    net: needs.includes("net"),
    env: true,
    write: needs.includes("write")
      ? "everywhere"
      : needs.includes("net") || needs.includes("state")
      ? await stateFiles()
      : [],
  });
}

/** The state, and the control sockets of what runs, wherever they are. */
async function stateFiles(): Promise<string[]> {
  const { RunFolder } = await import("../background/records.ts");
  const { controlFiles, controlFolders } = await import(
    "../background/control_socket.ts"
  );
  const environment = currentEnvironment();
  const { run, log } = pathsOf(environment);
  const folder = new RunFolder(run);
  const names = await folder.names().catch(() => []);
  const records = await Promise.all(names.map((name) => folder.read(name)));
  return [
    run,
    log,
    ...controlFolders(run, environment),
    ...records.flatMap((each) =>
      each?.control ? controlFiles(each.control, run) : []
    ),
  ];
}

/** What Deno says of a permission that is not granted, in words for our users. */
export function explainDenial(error: I2ptunError): I2ptunError {
  const denial = /\bRequires (\w+) access to "([^"]*)"/.exec(error.message);
  if (!denial) return error;
  const [, access, name = ""] = denial;
  const { kind, cause } = error;
  if (access === "env") {
    return new I2ptunError(
      kind,
      `i2ptun may not read the environment variable ${name}`,
      // where Windows keeps the current folder of each drive
      name.startsWith("=")
        ? { cause, remedy: `name the whole path, as ${name.slice(1)}\\…` }
        : { cause },
    );
  }
  if (access === "write" && name.startsWith("\\\\")) {
    return new I2ptunError(
      kind,
      `i2ptun may not write ${name}, only drives with a letter`,
      {
        cause,
        remedy: "give the share one, as with: net use X: \\\\server\\share; " +
          "then name the place by it with --config, I2PTUN_CONFIG or " +
          "I2PTUN_STATE_DIR",
      },
    );
  }
  return error;
}

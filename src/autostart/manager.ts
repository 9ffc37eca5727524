/**
 * Puts a profile into the system's own way of starting things, and takes it out.
 *
 * @module
 */

import { dirname, isAbsolute, join, win32 } from "node:path";
import { I2ptunError } from "../errors.ts";
import type { Environment } from "../platform/paths.ts";
import { output } from "../platform/run.ts";
import { agentLabel, launchdPlist } from "./launchd.ts";
import type {
  AutostartFile,
  AutostartStatus,
  AutostartTask,
} from "./service.ts";
import { systemdUnit, unitName } from "./systemd.ts";
import { taskName, taskXml, utf16 } from "./task_scheduler.ts";

export interface AutostartManager {
  /** The file that {@link enable} writes. */
  file: AutostartFile;
  /** @throws {I2ptunError} if the system does not take it */
  enable(): Promise<void>;
  disable(): Promise<void>;
  status(): Promise<AutostartStatus>;
}

export interface ManagerOptions {
  task: AutostartTask;
  environment: Environment;
  /** The folder of state. */
  state: string;
  /** Where it listens at Unix sockets. */
  sockets?: string[] | undefined;
  /** With the system instead of at login; systemd only. */
  system: boolean;
}

/** The manager of this system. */
export function autostartManager(options: ManagerOptions): AutostartManager {
  const { environment, system } = options;
  if (system && environment.system !== "linux") {
    throw new I2ptunError("usage", "--system is for systemd only", {
      remedy: "leave it out: the profile then starts at login",
    });
  }
  switch (environment.system) {
    case "linux":
      return systemd(options);
    case "darwin":
      return launchd(options);
    case "windows":
      return taskScheduler(options);
  }
}

function systemd(
  { task, environment, state, sockets = [], system }: ManagerOptions,
): AutostartManager {
  const unit = unitName(task.name);
  const config = environment.variable("XDG_CONFIG_HOME") ??
    join(environment.home, ".config");
  const file = {
    path: system
      ? join("/etc/systemd/system", unit)
      : join(config, "systemd", "user", unit),
    content: systemdUnit(task, {
      user: system ? environment.userName : undefined,
      writable: [
        ...[state, join(environment.home, ".ssh")],
        ...new Set(sockets.filter(isAbsolute).map((path) => dirname(path))),
      ],
    }),
  };
  const scope = system ? [] : ["--user"];
  const systemctl = (...args: string[]) =>
    output("systemctl", ...scope, ...args);
  return {
    file,
    enable: async () => {
      // the service may not make it: only what is there can be opened to it
      await makeState(state);
      await write(file, 0o644);
      await systemctl("daemon-reload");
      if (await systemctl("enable", "--now", unit) === undefined) {
        throw failed(`systemctl ${[...scope, "enable"].join(" ")} ${unit}`);
      }
    },
    disable: async () => {
      await systemctl("disable", "--now", unit);
      await Deno.remove(file.path).catch(ignoreMissing);
      await systemctl("daemon-reload");
    },
    status: async () => ({
      enabled: await systemctl("is-enabled", "--quiet", unit) !== undefined,
      active: await systemctl("is-active", "--quiet", unit) !== undefined,
    }),
  };
}

function launchd(
  { task, environment, state }: ManagerOptions,
): AutostartManager {
  const label = agentLabel(task.name);
  const logs = join(state, "log");
  const file = {
    path: join(
      environment.home,
      "Library",
      "LaunchAgents",
      `${label}.plist`,
    ),
    content: launchdPlist(task, join(logs, `${task.name}.launchd.log`)),
  };
  const domain = `gui/${Deno.uid() ?? 0}`;
  return {
    file,
    enable: async () => {
      // launchd makes a file for what is said, but no folder
      await makeState(logs);
      await write(file, 0o644);
      await output("launchctl", "bootout", `${domain}/${label}`);
      if (
        await output("launchctl", "bootstrap", domain, file.path) === undefined
      ) {
        throw failed(`launchctl bootstrap ${domain} ${file.path}`);
      }
    },
    disable: async () => {
      await output("launchctl", "bootout", `${domain}/${label}`);
      await Deno.remove(file.path).catch(ignoreMissing);
    },
    status: async () => {
      const printed = await output("launchctl", "print", `${domain}/${label}`);
      return {
        enabled: await exists(file.path),
        active: /state = running/.test(printed ?? ""),
      };
    },
  };
}

function taskScheduler(
  { task, environment, state }: ManagerOptions,
): AutostartManager {
  const name = taskName(task.name);
  const domain = environment.variable("USERDOMAIN");
  const user = domain === undefined
    ? environment.userName
    : `${domain}\\${environment.userName}`;
  const file = {
    path: win32.join(state, `${task.name}.task.xml`),
    content: taskXml(task, user),
  };
  return {
    file,
    enable: async () => {
      await write({ path: file.path, content: utf16(file.content) }, 0o600);
      const made = await output(
        "schtasks",
        "/Create",
        "/TN",
        name,
        "/XML",
        file.path,
        "/F",
      );
      await Deno.remove(file.path).catch(ignoreMissing);
      if (made === undefined) throw failed(`schtasks /Create /TN ${name}`);
      await output("schtasks", "/Run", "/TN", name);
    },
    disable: async () => {
      await output("schtasks", "/End", "/TN", name);
      await output("schtasks", "/Delete", "/TN", name, "/F");
    },
    status: async () => {
      const printed = await output(
        "schtasks",
        "/Query",
        "/TN",
        name,
        "/FO",
        "CSV",
        "/NH",
      );
      return {
        enabled: printed !== undefined,
      };
    },
  };
}

async function makeState(folder: string): Promise<void> {
  try {
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new I2ptunError("unforeseen", `cannot make ${folder}`, {
      remedy: "make room or make it writable, or set I2PTUN_STATE_DIR",
      cause,
    });
  }
}

async function write(
  file: { path: string; content: string | Uint8Array },
  mode: number,
): Promise<void> {
  const { content } = file;
  try {
    await Deno.mkdir(join(file.path, ".."), { recursive: true });
    await Deno.writeFile(
      file.path,
      typeof content === "string" ? new TextEncoder().encode(content) : content,
      { mode },
    );
  } catch (cause) {
    throw new I2ptunError("unforeseen", `cannot write ${file.path}`, {
      remedy: cause instanceof Deno.errors.PermissionDenied
        ? "run it as root, or without --system"
        : "look whether the folder is there and has room",
      cause,
    });
  }
}

function failed(command: string): I2ptunError {
  return new I2ptunError("unforeseen", `the system refused: ${command}`, {
    remedy: "run that command yourself to see why",
  });
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

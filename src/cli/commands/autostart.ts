import type { AutostartTask } from "../../autostart/service.ts";
import { autostartManager } from "../../autostart/manager.ts";
import { runningStatus, stopRunning } from "../../background/running.ts";
import { selfCommand } from "../../platform/run.ts";
import type { Context } from "../context.ts";
import { print, printJson, printRaw, say } from "../output.ts";

export type AutostartAction = "enable" | "disable" | "status";

/** `autostart enable|disable|status` */
export async function autostart(
  action: AutostartAction,
  name: string,
  options: { print?: boolean | undefined; system?: boolean | undefined },
  context: Context,
): Promise<void> {
  // what was taken out of the file can still be disabled
  const profile = action === "enable"
    ? await context.store.get(name)
    : undefined;
  const manager = autostartManager({
    task: taskOf(name, context),
    environment: context.environment,
    state: context.paths.state,
    sockets: profile?.forwards.flatMap(({ kind, listen }) =>
      kind !== "remote" && listen.kind === "unix" ? [listen.path] : []
    ),
    system: options.system ?? false,
  });
  const { path, content } = manager.file;
  if (options.print) {
    say(`# ${path}`);
    return printRaw(content);
  }
  switch (action) {
    case "enable":
      // the system's own process takes over from one that was started by hand
      await stopRunning(context.folder, name);
      await manager.enable();
      print(
        `${name} starts ${options.system ? "with the system" : "at login"}`,
      );
      print(`and runs now; see: i2ptun profile status ${name}`);
      return;
    case "disable":
      await manager.disable();
      if (context.environment.system === "windows") {
        await stopRunning(context.folder, name);
      }
      return print(`${name} does not start by itself any more`);
    case "status": {
      const { enabled, ...told } = await manager.status();
      const state = (await runningStatus(context.folder, name))?.state ??
        "stopped";
      const active = told.active ?? (state !== "stopped" && state !== "failed");
      if (context.json) return printJson({ name, enabled, active, state });
      return print(
        `${name}: ${enabled ? "enabled" : "disabled"}, ${
          active ? "active" : "not active"
        }, ${state}`,
      );
    }
  }
}

/** Where the files are is fixed now: at login there are other variables. */
export function taskOf(name: string, context: Context): AutostartTask {
  const { program, args } = selfCommand();
  const { system, variable } = context.environment;
  const variables: Record<string, string> = {};
  for (const key of ["I2PTUN_STATE_DIR", "XDG_STATE_HOME", "DENO_DIR"]) {
    const value = variable(key);
    if (value !== undefined) variables[key] = value;
  }
  return {
    name,
    command: [
      program,
      ...args,
      "profile",
      "start",
      name,
      // a task that stays would be a window that stays
      system === "windows" ? "--keep-trying" : "--foreground",
      "--config",
      context.config,
    ],
    variables,
  };
}

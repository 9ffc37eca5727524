import assert from "node:assert/strict";
import { taskOf } from "../../src/cli/commands/autostart.ts";
import type { Context } from "../../src/cli/context.ts";
import type { System } from "../../src/platform/paths.ts";

/** What is started at login, after the program itself. */
function task(system: System): string[] {
  const { command } = taskOf("home", {
    environment: { system, variable: () => undefined },
    config: "/home/me/profiles.yaml",
  } as unknown as Context);
  return command.slice(command.indexOf("profile"));
}

Deno.test("what is started at login is tried again until it is up", () => {
  const start = ["profile", "start", "home"];
  const config = ["--config", "/home/me/profiles.yaml"];
  // by the system
  for (const system of ["linux", "darwin"] as const) {
    assert.deepEqual(task(system), [...start, "--foreground", ...config]);
  }
  // by itself
  assert.deepEqual(task("windows"), [...start, "--keep-trying", ...config]);
});

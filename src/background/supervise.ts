/**
 * Runs one profile in this process, from taking its lock to leaving no trace:
 * what `start --foreground` and a background process both do.
 *
 * @module
 */

import type { I2ptunError } from "../errors.ts";
import type { Log } from "../log.ts";
import { collectAtRest, collectSoon } from "../platform/memory.ts";
import { type Environment, pathsOf } from "../platform/paths.ts";
import type { Profile } from "../profile/profile.ts";
import { nobody, type Prompter } from "../ssh/prompter.ts";
import { Secrets } from "../ssh/secrets.ts";
import { systemClock } from "../tunnel/clock.ts";
import { connectRoute, type Explain } from "../tunnel/connect.ts";
import { resolveRoute } from "../tunnel/route.ts";
import type { TunnelStatus } from "../tunnel/status.ts";
import { Tunnel } from "../tunnel/tunnel.ts";
import { confine } from "./confinement.ts";
import { type ControlRequest, openControl } from "./control.ts";
import { controlFiles, removeControl } from "./control_socket.ts";
import { logFiles, logPath } from "./log.ts";
import { portHolder } from "./port_holder.ts";
import { checkPresence } from "./presence.ts";
import { RunFolder } from "./records.ts";
import { AlreadyRunningError } from "./running.ts";

export interface SuperviseOptions {
  profile: Profile;
  environment: Environment;
  ask: Prompter;
  acceptNew: boolean;
  /** Finds out more about why the server cannot be reached for a start. */
  explain: Explain;
  /** Try again when the first attempt fails, unless that cannot help. */
  keepTrying?: boolean | undefined;
  log: Log;
  /** Stops the tunnel. */
  signal: AbortSignal;
  /** Files and sockets that the caller goes on writing, besides the log. */
  files?: string[] | undefined;
  /**
   * Called once, when the tunnel is up and before this process gives up what
   * {@link confine} takes. `latest` gives the status at any later time.
   */
  onUp: (status: TunnelStatus, latest: () => TunnelStatus) => void;
  /**
   * Called before that if the first attempt has failed and is tried again.
   * Returns who is asked from then on; without it, nobody.
   */
  onWaiting?: ((status: TunnelStatus) => Prompter) | undefined;
}

/**
 * Resolves when the tunnel has been stopped.
 *
 * @throws {I2ptunError} why it could not start, or why it failed later;
 *   {@link AlreadyRunningError} if another process runs it.
 */
export async function supervise(options: SuperviseOptions): Promise<void> {
  const { profile, environment, log, signal } = options;
  const paths = pathsOf(environment);
  const folder = new RunFolder(paths.run);
  await folder.prepare();
  const route = await resolveRoute(profile, environment);
  for (const warning of route.warnings) log("warning", warning);
  const lock = await folder.lock(profile.name);
  if (!lock) throw new AlreadyRunningError(profile.name);

  const secrets = new Secrets();
  // Only a start has someone to ask. What a reconnect needs, it has kept.
  let ask = options.ask;
  const up = Promise.withResolvers<"up">();
  const tunnel = new Tunnel({
    profile,
    server: route.server.login,
    connect: async (signal, again) => {
      // only a reconnect may be hurried
      if (again) await checkPresence(profile);
      return connectRoute(route, {
        ...{ ...options, ask, secrets, signal, session: profile.session },
        explain: again ? undefined : options.explain,
        // two at a time must not ask one person
        again: ask === nobody ? again : undefined,
      });
    },
    portOwner: (port) =>
      portHolder(port, folder, environment.system, profile.name),
    clock: systemClock,
    log,
    keepTrying: options.keepTrying,
    onChange: ({ name }) => {
      if (name === "up") up.resolve("up");
      if (name === "up" || name === "reconnecting") settle();
      // what the lost connection leaves, while the server is dialled
      if (name === "reconnecting") collectSoon();
    },
  });
  let settle: () => void = () => {};
  const settled = new Promise<void>((resolve) => settle = resolve);

  let cleared: () => void = () => {};
  const clear = new Promise<void>((resolve) => cleared = resolve);
  const answer = async (request: ControlRequest) => {
    switch (request.command) {
      case "status":
        break;
      case "wait":
        await settled;
        break;
      case "stop":
        tunnel.stop();
        await clear;
    }
    return tunnel.status();
  };

  try {
    const left = await folder.read(profile.name);
    if (left && !left.failed) await removeControl(left.control, folder.path);
    const control = await openControl({
      folder: folder.path,
      name: profile.name,
      system: environment.system,
      answer,
    });
    const stop = () => tunnel.stop();
    let failure: I2ptunError | undefined;
    try {
      await folder.write({
        name: profile.name,
        pid: Deno.pid,
        ...control.address,
      }).catch((error) => {
        if (!folder.isFoundAt(profile.name, control.address.control)) {
          throw error;
        }
        log("warning", error.message);
        // what an earlier failure left
        return folder.remove(profile.name);
      });
      signal.addEventListener("abort", stop, { once: true });
      signal.throwIfAborted();
      if (!await tunnel.start()) {
        ask = options.onWaiting?.(tunnel.status()) ?? nobody;
      }
      if (await Promise.race([up.promise, tunnel.finished]) === "up") {
        ask = nobody;
        options.onUp(tunnel.status(), () => tunnel.status());
        confine({
          profile,
          route,
          files: [
            ...logFiles(logPath(paths.log, profile.name)),
            ...folder.files(profile.name),
            ...controlFiles(control.address.control, folder.path),
            ...options.files ?? [],
          ],
        });
        // what only the start needed
        const endRest = collectAtRest(() => tunnel.activity);
        tunnel.finished.finally(endRest);
      }
      failure = await tunnel.finished;
    } finally {
      signal.removeEventListener("abort", stop);
      if (failure === undefined) await folder.remove(profile.name);
      else {
        await folder.write({
          name: profile.name,
          pid: Deno.pid,
          control: "",
          failed: { ...tunnel.status(), pid: null },
        }).catch((error) => log("warning", error.message));
      }
      // whoever is told that it has stopped can start it again at once
      await control.stopListening();
      lock.release();
      settle();
      cleared();
      await control.close();
    }
    if (failure !== undefined) throw failure;
  } finally {
    lock.release();
  }
}

import { launch } from "../../background/launch.ts";
import {
  AlreadyRunningError,
  stopRunning,
  waitUntilSettled,
} from "../../background/running.ts";
import { I2ptunError } from "../../errors.ts";
import { reachableBy, reachableThere } from "../../forward/reach.ts";
import type { Log } from "../../log.ts";
import { openUrl } from "../../platform/open_url.ts";
import type { Profile } from "../../profile/profile.ts";
import type { Prompter } from "../../ssh/prompter.ts";
import type { TunnelStatus } from "../../tunnel/status.ts";
import type { Context } from "../context.ts";
import { interruption } from "../interruption.ts";
import { print, printJson, say, styles, warn } from "../output.ts";
import { standardInputPrompter, terminalPrompter } from "../prompts.ts";
import { spinner } from "../spinner.ts";
import { firstPage, showStarted, statusForPrograms } from "../status_view.ts";

export interface StartOptions {
  foreground?: boolean | undefined;
  open?: boolean | undefined;
  passwordStdin?: boolean | undefined;
  acceptNew?: boolean | undefined;
  /** Try again where the first attempt fails, unless that cannot help. */
  keepTrying?: boolean | undefined;
  /** Seconds. */
  timeout?: number | undefined;
  /** Another process with the same name is an {@link AlreadyRunningError}. */
  onlyNew?: boolean | undefined;
  /** They ran before: where one fails, the others stay. */
  again?: boolean | undefined;
  /** Only errors and the result. */
  quiet?: boolean | undefined;
}

/** How long another process may run a profile before it can be asked, in ms. */
const HIDDEN_MS = 5000;

/** Who answers, if it is neither the person at the terminal nor a pipe. */
export interface Answering {
  ask?: Prompter;
}

/** `profile start` */
export async function start(
  names: string[],
  options: StartOptions,
  context: Context,
): Promise<void> {
  const profiles: Profile[] = [];
  for (const name of names) profiles.push(await context.store.get(name));
  await startProfiles(profiles, options, context);
}

/** Starts profiles, wherever they come from. */
export async function startProfiles(
  profiles: Profile[],
  options: StartOptions & Answering,
  context: Context,
): Promise<void> {
  const [first] = profiles;
  if (options.foreground && first && profiles.length > 1) {
    throw new I2ptunError("usage", "--foreground takes one profile", {
      remedy: `i2ptun profile start ${first.name} --foreground`,
    });
  }
  if (options.keepTrying) checkPatience(options);
  if (!options.quiet) profiles.forEach(warnOfReach);
  const ask = options.ask ??
    (options.passwordStdin
      ? await standardInputPrompter()
      : terminalPrompter());
  if (options.foreground && first) {
    const { foreground } = await import("./foreground.ts");
    return await foreground(first, { ...options, ask }, context);
  }
  const started: TunnelStatus[] = [];
  const own: string[] = [];
  try {
    for (const profile of profiles) {
      const { status, isOwn } = await startOne(profile, options, ask, context);
      if (isOwn) own.push(profile.name);
      started.push(status);
      if (!context.json) showStarted(status).forEach(print);
    }
  } catch (error) {
    // a start is all or nothing
    for (const name of options.again ? [] : own) {
      await stopRunning(context.folder, name);
      say(`stopped ${name} again`);
    }
    throw error;
  }
  if (context.json) printJson(statusForPrograms(started));
  if (options.open && started[0]) await openFirstPage(started[0], context);
}

async function startOne(
  profile: Profile,
  options: StartOptions,
  ask: Prompter,
  context: Context,
): Promise<{ status: TunnelStatus; isOwn: boolean }> {
  const { name } = profile;
  using interrupted = interruption();
  const signals = [interrupted.signal];
  const timeout = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  if (options.timeout !== undefined) {
    signals.push(timeout.signal);
    timer = setTimeout(
      () => timeout.abort(notUpInTime(name, options.timeout!)),
      options.timeout * 1000,
    );
  }
  const signal = AbortSignal.any(signals);
  using _busy = spinner(`starting ${name}`);
  let hiddenSince: number | undefined;
  try {
    for (;;) {
      const status = await launch({
        profile,
        acceptNew: options.acceptNew ?? false,
        keepTrying: options.keepTrying ?? false,
        debug: context.debug,
        ask,
        log: options.quiet ? () => {} : progress(context.debug),
        signal,
      });
      if (status) return { status, isOwn: true };
      if (options.onlyNew) throw new AlreadyRunningError(name);
      const running = await waitUntilSettled(context.folder, name, signal);
      if (running?.state === "up" || running?.state === "reconnecting") {
        say(styles.dim(`${name} was running already`));
        if (running.state !== "up" && running.lastError !== null) {
          warn(running.lastError);
        }
        return { status: running, isOwn: false };
      }
      if (running?.state === "stopped") {
        throw new I2ptunError("interrupted", `${name} was stopped meanwhile`);
      }
      // the other start has failed, or has only just begun
      hiddenSince = running ? undefined : hiddenSince ?? performance.now();
      if (
        hiddenSince !== undefined && performance.now() - hiddenSince > HIDDEN_MS
      ) {
        throw new I2ptunError(
          "unforeseen",
          `another process holds ${name}, and cannot be reached`,
          { remedy: `end the process that runs: i2ptun background ${name}` },
        );
      }
    }
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** @throws {I2ptunError} `usage` if another option says otherwise */
function checkPatience(options: StartOptions): void {
  if (options.timeout !== undefined) {
    throw new I2ptunError("usage", "--keep-trying has no --timeout", {
      remedy: "leave one of them out",
    });
  }
  if (options.passwordStdin && !options.foreground) {
    throw new I2ptunError(
      "usage",
      "--keep-trying takes no --password-stdin in the background, where it may be asked for later",
      { remedy: "use a key, or --foreground" },
    );
  }
}

function notUpInTime(name: string, seconds: number): I2ptunError {
  return new I2ptunError(
    "unreachable",
    `${name} was not up after ${seconds} s`,
    { remedy: "give it more --timeout, or look with --debug what takes long" },
  );
}

/** What happens during a start, as far as a person wants to know. */
export function progress(debug: boolean): Log {
  return (level, message) => {
    if (level === "warning") warn(message);
    else if (debug) say(styles.dim(message));
  };
}

function warnOfReach(profile: Profile): void {
  for (const forward of profile.forwards) {
    const reach = forward.kind === "remote" ? reachableThere : reachableBy;
    const who = reach(forward.listen);
    if (who !== undefined) {
      warn(`${profile.name}: ${forward.name} can be used by ${who}`);
    }
  }
}

async function openFirstPage(
  status: TunnelStatus,
  context: Context,
): Promise<void> {
  const url = firstPage(status);
  if (status.state !== "up") {
    warn(`no page is opened before ${status.name} is up`);
  } else if (url === undefined) {
    warn(`${status.name} has no page to open`);
  } else if (!await openUrl(url, context.environment.system)) {
    warn(`no browser could be started; open ${url} yourself`);
  }
}

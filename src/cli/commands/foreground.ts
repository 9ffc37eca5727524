import { join } from "node:path";
import { formatLine, logPath, openLog } from "../../background/log.ts";
import { AlreadyRunningError } from "../../background/running.ts";
import { supervise } from "../../background/supervise.ts";
import { isLaunchdAgent } from "../../autostart/launchd.ts";
import { openNotifier } from "../../autostart/notify.ts";
import { I2ptunError } from "../../errors.ts";
import type { LogLevel } from "../../log.ts";
import { openUrl } from "../../platform/open_url.ts";
import type { System } from "../../platform/paths.ts";
import type { Profile } from "../../profile/profile.ts";
import { nobody, type Prompter } from "../../ssh/prompter.ts";
import type { TunnelStatus } from "../../tunnel/status.ts";
import type { Context } from "../context.ts";
import { explainFailure } from "../explain_failure.ts";
import { LiveView, terminalScreen } from "../live_view.ts";
import { canDraw, print, say, screenSize, styles, warning } from "../output.ts";
import { onResize } from "../resize.ts";
import { firstPage, showStarted, showStatus } from "../status_view.ts";
import { windowTitle } from "../window_title.ts";

const REDRAW_MS = 1000;

/** What asks a program to end, besides Ctrl-C; on Windows SIGHUP is its window. */
const TERMINATING: Record<System, Deno.Signal[]> = {
  linux: ["SIGTERM", "SIGHUP"],
  darwin: ["SIGTERM", "SIGHUP"],
  windows: ["SIGHUP", "SIGBREAK"],
};

/**
 * `profile start --foreground`: runs the tunnel in this process until SIGTERM
 * or, on Windows, its window is closed (exit code 0), or Ctrl-C (130).
 */
export async function foreground(
  profile: Profile,
  options: {
    ask: Prompter;
    acceptNew?: boolean | undefined;
    keepTrying?: boolean | undefined;
    open?: boolean | undefined;
    timeout?: number | undefined;
    quiet?: boolean | undefined;
  },
  context: Context,
): Promise<void> {
  const { environment, debug } = context;
  const stop = new AbortController();
  let interrupted = false;
  const onInterrupt = () => {
    interrupted = true;
    stop.abort(new I2ptunError("interrupted", "interrupted"));
  };
  const onTerminate = () =>
    stop.abort(new I2ptunError("interrupted", "terminated"));
  Deno.addSignalListener("SIGINT", onInterrupt);
  for (const signal of TERMINATING[environment.system]) {
    Deno.addSignalListener(signal, onTerminate);
  }
  await Deno.mkdir(context.paths.log, { recursive: true, mode: 0o700 })
    .catch(() => {});
  const file = openLog(
    logPath(join(context.paths.log), profile.name),
    debug ? "debug" : "info",
  );
  const timer = options.timeout === undefined ? undefined : setTimeout(
    () =>
      stop.abort(
        new I2ptunError(
          "unreachable",
          `${profile.name} was not up after ${options.timeout} s`,
        ),
      ),
    options.timeout * 1000,
  );

  // what it says there goes to a file without a limit, and the log has it all
  const isSilent = isLaunchdAgent(environment.variable);
  const view = canDraw(Deno.stderr) ? new LiveView(terminalScreen) : null;
  let current: () => TunnelStatus | undefined = () => undefined;
  const lines = () => {
    const status = current();
    return status
      ? [
        ...showStatus(status, new Date(), { columns: screenSize().columns }),
        styles.dim("Ctrl-C stops it"),
      ]
      : [];
  };
  let stopView: (() => void) | undefined;
  const note = (level: LogLevel, message: string) => {
    if (isSilent) return;
    const line = level === "warning" && stopView === undefined
      ? warning(message)
      : styles.dim(formatLine(new Date(), level, message));
    if (!view) say(line);
    // it would be written over the question
    else if (!isAsking) view.note(line, lines());
  };

  let isAsking = false;
  const ask: Prompter = async (...question) => {
    isAsking = true;
    try {
      return await options.ask(...question);
    } finally {
      isAsking = false;
    }
  };

  using _title = windowTitle(`i2ptun: ${profile.name}`);
  await context.folder.prepare();
  const notifier = openNotifier(environment.variable, context.paths.run);
  stop.signal.addEventListener("abort", () => notifier?.stopping());
  try {
    await supervise({
      profile,
      environment,
      ask,
      acceptNew: options.acceptNew ?? false,
      explain: explainFailure,
      keepTrying: options.keepTrying,
      signal: stop.signal,
      files: notifier?.files,
      log: (level, message) => {
        file(level, message);
        if (options.quiet) return;
        if (level !== "debug" || debug) note(level, message);
      },
      onWaiting: (status) => {
        if (!options.quiet) showStarted(status).forEach(say);
        return options.ask === nobody ? nobody : ask;
      },
      onUp: (status, latest) => {
        clearTimeout(timer);
        notifier?.ready();
        current = latest;
        if (view) {
          view.draw(lines());
          const timer = setInterval(() => view.draw(lines()), REDRAW_MS);
          const ignoreSize = onResize(
            view.screen.size(),
            () => view.redraw(lines()),
          );
          stopView = () => {
            clearInterval(timer);
            ignoreSize();
          };
        } else showStarted(status).forEach(print);
        if (options.open) {
          const url = firstPage(status);
          if (url !== undefined) openUrl(url, environment.system);
        }
      },
    });
  } catch (error) {
    if (!stop.signal.aborted) {
      if (!(error instanceof AlreadyRunningError)) {
        file("error", I2ptunError.from(error).message);
      }
      throw error;
    }
  } finally {
    stopView?.();
    notifier?.close();
    clearTimeout(timer);
  }
  const reason = stop.signal.reason;
  if (
    interrupted ||
    (reason instanceof I2ptunError && reason.kind !== "interrupted")
  ) throw reason;
}

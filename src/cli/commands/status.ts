import { I2ptunError } from "../../errors.ts";
import { runningStatus } from "../../background/running.ts";
import type { Profile } from "../../profile/profile.ts";
import type { TunnelStatus } from "../../tunnel/status.ts";
import { type Context, statusOf } from "../context.ts";
import { interruption } from "../interruption.ts";
import { FullScreen } from "../full_screen.ts";
import { canDraw, print, printJson, resultColumns, say } from "../output.ts";
import { showStatus, statusForPrograms } from "../status_view.ts";
import { showWatched, TrafficHistory, watchedLine } from "../watch_view.ts";

const WATCH_MS = 1000;

const NO_PROFILES =
  "There are no profiles yet. Add one: i2ptun profile add home";

/** `profile status` */
export async function status(
  names: string[],
  watch: boolean,
  context: Context,
): Promise<void> {
  if (watch) return await watchStatus(names, context);
  const statuses = await collect(names, context);
  if (context.json) printJson(statusForPrograms(statuses));
  else if (statuses.length === 0) {
    say(NO_PROFILES);
  } else {
    const now = new Date();
    const columns = resultColumns();
    apart(statuses.map((each) => showStatus(each, now, { columns })))
      .forEach(print);
  }
  const down = names.length === 0
    ? undefined
    : statuses.find((each) => each.state !== "up");
  if (down) {
    throw new I2ptunError("not-found", `${down.name} is ${down.state}`, {
      remedy: down.state === "stopped" || down.state === "failed"
        // a failed one that has a process does not answer
        ? `i2ptun profile ${
          down.pid === null ? "start" : "restart"
        } ${down.name}`
        : `i2ptun profile logs ${down.name}`,
    });
  }
}

/**
 * The named profiles, or all and whatever else runs.
 *
 * @param profiles those in the file, if that is known already
 */
export async function collect(
  names: string[],
  context: Context,
  profiles?: Profile[],
): Promise<TunnelStatus[]> {
  profiles ??= await context.store.load();
  if (names.length > 0) {
    return await Promise.all(names.map(async (name) => {
      const running = await runningStatus(context.folder, name);
      if (running) return running;
      const profile = profiles.find((each) => each.name === name);
      return statusOf(profile ?? await context.store.get(name), context);
    }));
  }
  const known = new Set(profiles.map((profile) => profile.name));
  const statuses = await Promise.all(
    profiles.map((profile) => statusOf(profile, context)),
  );
  // what still runs although it was taken out of the file
  for (const name of await context.folder.names()) {
    if (known.has(name)) continue;
    const running = await runningStatus(context.folder, name);
    if (running) statuses.push(running);
  }
  return statuses;
}

/** With an empty line between two of them. */
function apart(blocks: string[][]): string[] {
  return blocks.flatMap((block, i) => i === 0 ? block : ["", ...block]);
}

async function watchStatus(names: string[], context: Context): Promise<void> {
  using interrupted = interruption();
  const isLive = !context.json && canDraw(Deno.stdout);
  using screen = isLive ? new FullScreen() : null;
  const history = new TrafficHistory();
  const told = new Map<string, string>();
  let profiles = await context.store.load();
  while (!interrupted.signal.aborted) {
    const statuses = await collect(names, context, profiles);
    const now = new Date();
    for (const each of statuses) history.add(each, performance.now());
    if (context.json) print(JSON.stringify(statusForPrograms(statuses)));
    else if (screen) {
      screen.draw((columns) =>
        statuses.length === 0 ? [NO_PROFILES] : apart(
          statuses.map((each) => showWatched(each, history, now, columns)),
        )
      );
    } else {
      for (const each of statuses) {
        const line = watchedLine(each, history);
        if (told.get(each.name) === line) continue;
        told.set(each.name, line);
        print(`${now.toISOString().replace(/\.\d+/, "")} ${line}`);
      }
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, WATCH_MS);
      interrupted.signal.addEventListener("abort", () => {
        clearTimeout(timer);
        resolve();
      }, { once: true });
    });
    // who edits it may save it half done
    profiles = await context.store.load().catch(() => profiles);
  }
  throw interrupted.signal.reason;
}

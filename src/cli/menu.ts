/**
 * `i2ptun` without arguments on a terminal: a menu of the profiles, and on the
 * first run the questions that make the first one.
 *
 * @module
 */

import { autostartManager } from "../autostart/manager.ts";
import { logPath } from "../background/log.ts";
import { isRunning } from "../background/running.ts";
import { I2ptunError } from "../errors.ts";
import { findBrowser } from "../platform/browsers.ts";
import type { TunnelStatus } from "../tunnel/status.ts";
import { autostart, taskOf } from "./commands/autostart.ts";
import { browse } from "./commands/browse.ts";
import { check } from "./commands/check.ts";
import { edit, editorOf, openEditor } from "./commands/edit.ts";
import { importPutty } from "./commands/import_putty.ts";
import { lastOfLog } from "./commands/logs.ts";
import { open } from "./commands/open.ts";
import { remove } from "./commands/remove.ts";
import { restart } from "./commands/restart.ts";
import { start } from "./commands/start.ts";
import { collect } from "./commands/status.ts";
import { stop } from "./commands/stop.ts";
import type { Context } from "./context.ts";
import { onEscape } from "./escape_key.ts";
import { addServer } from "./first_run.ts";
import { Back, goingOn, interruptByEscape } from "./interruption.ts";
import { anyKey, liveMenu, type MenuView } from "./live_menu.ts";
import {
  type Action,
  ADD,
  brokenView,
  EDIT_FILE,
  IMPORT,
  listView,
  profileView,
  QUIT,
} from "./menu_view.ts";
import { say, sayError, screenSize } from "./output.ts";
import { hasPuttyTunnels, wantsPuttyTunnels } from "./putty_offer.ts";
import { spinner } from "./spinner.ts";
import { cutTo } from "./table.ts";

/**
 * Runs until the person leaves.
 *
 * @throws {I2ptunError} `interrupted` after Ctrl-C
 */
export async function menu(context: Context): Promise<void> {
  interruptByEscape(onEscape);
  let at: string | undefined;
  const hasPutty = await hasPuttyTunnels(context);
  if (hasPutty && await isFirstRun(context) && await wantsPuttyTunnels()) {
    await attempt(context, () => importPutty([], {}, context));
  }
  if (await isFirstRun(context)) {
    at = await addServer(context, { welcome: true });
    if (at === undefined) return;
    await profileMenu(at, context);
  }
  for (;;) {
    const chosen = await liveMenu(() => listNow(context, hasPutty), {
      at,
      hint: "↑↓ choose · Enter open · Esc quit",
    }).catch(backAs(QUIT));
    switch (chosen) {
      case QUIT:
        return await sayWhatGoesOn(context);
      case EDIT_FILE:
        await attempt(context, async () => {
          await openEditor(editorOf(context.environment), context.config);
        });
        break;
      case ADD:
        at = ADD;
        await attempt(context, async () => {
          const name = await addServer(context, { welcome: false });
          at = name ?? ADD;
        });
        break;
      case IMPORT:
        at = undefined;
        await attempt(context, () => importPutty([], {}, context));
        break;
      default:
        at = chosen;
        await profileMenu(chosen, context);
    }
  }
}

function backAs<T>(instead: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof Back) return instead;
    throw error;
  };
}

/** Whether there is no profile; a file with mistakes has some. */
async function isFirstRun(context: Context): Promise<boolean> {
  try {
    return (await collect([], context)).length === 0;
  } catch {
    return false;
  }
}

async function listNow(
  context: Context,
  hasPutty: boolean,
): Promise<MenuView> {
  try {
    return listView(await collect([], context), hasPutty);
  } catch (error) {
    return brokenView(I2ptunError.from(error));
  }
}

/** What still runs when the menu is left, so that nobody is surprised. */
async function sayWhatGoesOn(context: Context): Promise<void> {
  const statuses = await collect([], context).catch((): TunnelStatus[] => []);
  const running = statuses.filter(({ pid }) => pid !== null)
    .map(({ name }) => name);
  if (running.length === 0) return;
  const runs = running.length === 1 ? "runs" : "run";
  say(`${running.join(", ")} still ${runs}; i2ptun shows the menu again.`);
}

/** What the pointer stands at after an action, if not at the same again. */
const THEN = new Map<string, Action | undefined>([
  // the first: a page to open
  ["start", undefined],
  ["restart", undefined],
  ["enable", "disable"],
  ["disable", "enable"],
]);

/** One profile's menu, until the person goes back. */
async function profileMenu(name: string, context: Context): Promise<void> {
  let at: string | undefined;
  let atLogin = await startsAtLogin(name, context);
  const browser = findBrowser(context.environment)?.title;
  for (;;) {
    let gone = false;
    const look = async (): Promise<MenuView> => {
      try {
        const statuses = await collect([], context);
        const status = statuses.find((each) => each.name === name);
        if (status) {
          const inFile = (await context.store.load())
            .some((each) => each.name === name);
          return profileView(status, new Date(), { inFile, atLogin, browser });
        }
        gone = true;
      } catch (error) {
        return {
          header: brokenView(I2ptunError.from(error)).header,
          choices: [{ value: "back", label: "Back" }],
        };
      }
      return {
        header: [`${name} is no more`],
        choices: [{ value: "back", label: "Back" }],
      };
    };
    const action = await liveMenu(look, {
      at,
      hint: "↑↓ choose · Enter do it · Esc back",
    }).catch(backAs("back"));
    if (action === "back" || gone) return;
    at = THEN.has(action) ? THEN.get(action) : action;
    await attempt(context, () => perform(action as Action, name, context));
    if (action === "remove" && !await exists(name, context)) return;
    if (action === "enable" || action === "disable") {
      atLogin = await startsAtLogin(name, context);
    }
  }
}

async function exists(name: string, context: Context): Promise<boolean> {
  return await context.store.get(name).then(() => true, () => false) ||
    await isRunning(context.folder, name);
}

/** Undefined where the system cannot say. */
async function startsAtLogin(
  name: string,
  context: Context,
): Promise<boolean | undefined> {
  using _busy = spinner("looking");
  try {
    const manager = autostartManager({
      task: taskOf(name, context),
      environment: context.environment,
      state: context.paths.state,
      system: false,
    });
    return (await manager.status()).enabled;
  } catch {
    return undefined;
  }
}

async function perform(
  action: Action,
  name: string,
  context: Context,
): Promise<void> {
  if (action.startsWith("open ")) {
    return await open(name, action.slice("open ".length), {}, context);
  }
  switch (action) {
    case "browse":
      return await browse(name, undefined, {}, context);
    case "start":
      return await start([name], {}, context);
    case "stop":
      return await stop([name], false, context);
    case "restart":
      return await restart([name], {}, context);
    case "check":
      return await showCheck(name, context);
    case "log":
      return await showLog(name, context);
    case "edit":
      return await edit(name, context);
    case "enable":
    case "disable":
      return await autostart(action, name, {}, context);
    case "remove":
      return await remove(name, false, context);
  }
}

/** The steps stay until they were read: the menu would push them away. */
async function showCheck(name: string, context: Context): Promise<void> {
  try {
    await check(name, {}, context);
  } catch (thrown) {
    const error = I2ptunError.from(thrown);
    if (error.kind === "interrupted") return;
    sayError(error, context.debug);
  }
  await anyKey("Any key: back");
}

/** As much of the end of the log as the screen has room for. */
async function showLog(name: string, context: Context): Promise<void> {
  const path = logPath(context.paths.log, name);
  const { columns, rows } = screenSize();
  const text = await lastOfLog(path, rows).catch(() => "");
  const lines = text.split("\n").slice(0, -1)
    .flatMap((line) => wrap(line, columns - 1)).slice(2 - rows);
  if (lines.length === 0) lines.push(`${name} has no log yet.`);
  await anyKey("Any key: back", lines);
}

/** The line, in parts of at most `width` columns. */
function wrap(line: string, width: number): string[] {
  const parts: string[] = [];
  for (let rest = line; parts.length === 0 || rest !== "";) {
    const part = cutTo(rest, width);
    parts.push(part);
    rest = part === "" ? "" : rest.slice(part.length);
  }
  return parts;
}

/** Does something whose failure, or Ctrl-C, leads back to the menu. */
async function attempt(
  context: Context,
  work: () => Promise<void>,
): Promise<void> {
  // a program that is waited for, such as an editor, may take Ctrl-C itself
  using _going = goingOn();
  try {
    await work();
  } catch (thrown) {
    const error = I2ptunError.from(thrown);
    if (error.kind !== "interrupted") sayError(error, context.debug);
  }
  say("");
}

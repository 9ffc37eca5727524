/**
 * What the menu of profiles shows: lines and choices, from states.
 *
 * @module
 */

import type { I2ptunError } from "../errors.ts";
import { findEntrance } from "../i2p/entrance.ts";
import { isServiceName } from "../i2p/services.ts";
import type { TunnelStatus } from "../tunnel/status.ts";
import { link } from "./hyperlink.ts";
import type { MenuView } from "./live_menu.ts";
import { showState, styles } from "./output.ts";
import { firstPage, isPage, showAddress, showStatus } from "./status_view.ts";
import { table } from "./table.ts";

/** The values of the choices that are no profiles; no name has a space. */
export const ADD = "add one";
export const IMPORT = "import putty";
export const EDIT_FILE = "edit file";
export const QUIT = "quit now";

/**
 * All profiles, each on a line.
 *
 * @param hasPutty whether PuTTY has tunnels that could be taken over
 */
export function listView(
  statuses: TunnelStatus[],
  hasPutty: boolean,
): MenuView {
  const lines = table(statuses.map((status) => {
    const page = firstPage(status);
    return [
      status.name,
      showState(status.state),
      page === undefined ? "" : link(page),
      status.server,
    ];
  }));
  return {
    header: [styles.bold("Your tunnels")],
    choices: [
      ...statuses.map(({ name }, i) => ({ value: name, label: lines[i]! })),
      { value: ADD, label: "+ Add a server" },
      ...hasPutty
        ? [{ value: IMPORT, label: "+ Import PuTTY's sessions" }]
        : [],
      { value: QUIT, label: "Quit" },
    ],
  };
}

/** When profiles.yaml cannot be read, or has mistakes. */
export function brokenView(error: I2ptunError): MenuView {
  return {
    header: [
      `${styles.red("error:")} ${error.message}`,
      ...error.details,
      ...(error.remedy === undefined
        ? []
        : [`${styles.bold("try:")} ${error.remedy}`]),
    ],
    choices: [
      { value: EDIT_FILE, label: "Edit the file" },
      { value: QUIT, label: "Quit" },
    ],
  };
}

/** What can be done with a profile; `open` is followed by a forward's name. */
export type Action =
  | `open ${string}`
  | "browse"
  | "start"
  | "stop"
  | "restart"
  | "check"
  | "log"
  | "edit"
  | "enable"
  | "disable"
  | "remove"
  | "back";

/** One profile, with everything that can be done with it now. */
export function profileView(
  status: TunnelStatus,
  now: Date,
  { inFile, atLogin, browser }: {
    /** False: it only runs, as after `i2ptun ssh -f`. */
    inFile: boolean;
    /** The one that `browse` would start; undefined: none is installed. */
    browser: string | undefined;
    /** Undefined: this system is not known to start anything at login. */
    atLogin: boolean | undefined;
  },
): MenuView {
  const choices: { value: Action; label: string }[] = [];
  const add = (value: Action, label: string) => choices.push({ value, label });
  const runs = status.pid !== null;
  if (runs) {
    for (const forward of status.forwards.filter(isPage)) {
      add(
        `open ${forward.name}`,
        `Open ${forward.name} in the browser  ${
          styles.dim(showAddress(forward))
        }`,
      );
    }
    const browsing = browseLabel(status, browser);
    if (browsing !== undefined) add("browse", browsing);
    add("stop", "Stop");
    if (inFile) add("restart", "Restart");
  } else if (inFile) add("start", "Start");
  if (inFile) add("check", "Check: what works, step by step");
  add("log", "Log: what happened");
  if (inFile) {
    add("edit", "Edit");
    if (atLogin !== undefined) {
      add(
        atLogin ? "disable" : "enable",
        atLogin ? "Do not start at login any more" : "Start at login",
      );
    }
    if (!runs) add("remove", "Remove");
  }
  add("back", "Back");
  return { header: showStatus(status, now, { brief: true }), choices };
}

/**
 * What `browse` would do, or why it cannot; undefined for a tunnel that has
 * nothing to do with I2P.
 */
function browseLabel(
  { forwards }: TunnelStatus,
  browser: string | undefined,
): string | undefined {
  const isI2p = forwards.some(({ service }) => isServiceName(service ?? ""));
  const hasEntrance = findEntrance(forwards) !== undefined;
  if (!isI2p && !hasEntrance) return undefined;
  const missing = !hasEntrance
    ? "needs http-proxy among its forwards"
    : browser === undefined
    ? "needs Firefox or Chromium"
    : undefined;
  return missing === undefined
    ? `Browse I2P with a ${browser} of its own`
    : `Browse I2P  ${styles.dim(missing)}`;
}

/**
 * How a tunnel's status looks on a terminal.
 *
 * @module
 */

import stringWidth from "fast-string-width";
import { isServiceName, serviceUrl } from "../i2p/services.ts";
import type { ForwardStatus, TunnelStatus } from "../tunnel/status.ts";
import { link } from "./hyperlink.ts";
import { showBytes, showDuration, showState, styles } from "./output.ts";
import { table } from "./table.ts";

/**
 * Tunnels as programs get to see them: without what only the other views need,
 * and with times to the second.
 */
export function statusForPrograms(statuses: TunnelStatus[]): object {
  return {
    profiles: statuses.map((status) => ({
      ...status,
      since: status.since?.replace(/\.\d+Z$/, "Z") ?? null,
      forwards: status.forwards.map((
        { service: _service, problem: _problem, ...rest },
      ) => rest),
    })),
  };
}

/** The address a person uses: a URL for a page, else host and port. */
export function showAddress(forward: ForwardStatus): string {
  const [first] = forward.listen;
  if (first === undefined) return "";
  const url = forward.service && isServiceName(forward.service)
    ? serviceUrl(forward.service, first)
    : undefined;
  return url ?? first;
}

/** An address as it stands on the screen, where a page may be a link. */
function showLink(forward: ForwardStatus): string {
  const address = showAddress(forward);
  return isPage(forward) ? link(address) : address;
}

/** Whether a browser can show what a forward leads to. */
export function isPage(forward: ForwardStatus): boolean {
  return /^https?:/.test(showAddress(forward));
}

/** The first page of a tunnel; undefined if it has none. */
export function firstPage(status: TunnelStatus): string | undefined {
  const forward = status.forwards.find(isPage);
  return forward && showAddress(forward);
}

/** A tunnel that has just been started: what to open, and where it leads. */
export function showStarted(status: TunnelStatus): string[] {
  const { name, state, server } = status;
  return [
    styles.bold(name) +
    (state === "up"
      ? ` is up, by ${server}`
      : ` is not up yet; it keeps trying, by ${server}`),
    ...table(
      status.forwards.map((forward) => [
        "",
        forward.name,
        styles.bold(showLink(forward)),
        showDirection(forward),
      ]),
    ),
  ];
}

function showDirection(forward: ForwardStatus): string {
  const target = forward.target ?? "where each client says";
  return forward.kind === "remote" ? `← ${target}` : `→ ${target}`;
}

/**
 * Everything there is to know of a tunnel; `brief` leaves out what a
 * person who uses it need not see, to fit 80 columns. Where forwards lead is
 * left out too if it does not fit `columns` and they run.
 */
export function showStatus(
  status: TunnelStatus,
  now: Date,
  { brief = false, columns = Infinity }: {
    brief?: boolean;
    columns?: number;
  } = {},
): string[] {
  const runs = status.pid !== null;
  const rowsWith = (direction: boolean) =>
    table(
      status.forwards.map((forward) => [
        "",
        forward.name,
        ...(runs ? [showLink(forward)] : []),
        ...(direction ? [showDirection(forward)] : []),
        ...(runs ? showTraffic(forward) : []),
      ]),
    );
  const whole = rowsWith(!brief || !runs);
  const rows = runs && whole.some((row) => stringWidth(row) >= columns)
    ? rowsWith(false)
    : whole;
  return [
    ...showHead(status, now, { brief }),
    ...rows.flatMap((row, i) => [row, ...showProblem(status.forwards[i]!)]),
    ...(brief || status.forwards.every(({ problem }) => problem === undefined)
      ? []
      : [`  why: i2ptun profile check ${status.name}`]),
  ];
}

/** What its last client came upon. */
function showProblem({ problem }: ForwardStatus): string[] {
  return problem === undefined ? [] : [`  ${styles.yellow(`! ${problem}`)}`];
}

/** What there is to know of it besides its forwards. */
export function showHead(
  status: TunnelStatus,
  now: Date,
  { brief = false }: { brief?: boolean } = {},
): string[] {
  const since = status.since === null
    ? ""
    : `for ${showDuration(now.getTime() - Date.parse(status.since))}`;
  const reconnects = status.reconnects === 0
    ? ""
    : `${status.reconnects} reconnect${status.reconnects === 1 ? "" : "s"}`;
  const head = [
    styles.bold(status.name),
    showState(status.state),
    since,
    status.server,
    status.pid === null || brief ? "" : `pid ${status.pid}`,
    reconnects,
  ].filter((part) => part !== "");
  const lines = [head.join("  ")];
  if (status.lastError !== null && status.state !== "up") {
    lines.push(`  ${styles.red(status.lastError)}`);
  }
  return lines;
}

function showTraffic({ connections, bytes }: ForwardStatus): string[] {
  return [
    `${connections.open} open, ${connections.total} in all`,
    `↑ ${showBytes(bytes.sent)}`,
    `↓ ${showBytes(bytes.received)}`,
  ];
}

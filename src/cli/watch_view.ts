/**
 * How tunnels look while somebody watches them: rates, and their course.
 *
 * @module
 */

import type { ForwardStatus, TunnelStatus } from "../tunnel/status.ts";
import { showBytes, styles } from "./output.ts";
import { table } from "./table.ts";
import { showAddress, showHead } from "./status_view.ts";

/** Bytes a second, towards the server and back. */
export interface Rate {
  sent: number;
  received: number;
}

/** So many rates of each forward are kept, the newest last. */
const LENGTH = 60;

interface Course {
  rates: Rate[];
  at: number;
  bytes: Rate;
}

/** The rates of every forward, from one look to the next. */
export class TrafficHistory {
  readonly #courses = new Map<string, Course>();

  /** @param at when it was so, in milliseconds */
  add(status: TunnelStatus, at: number): void {
    for (const { name, bytes } of status.forwards) {
      const key = `${status.name} ${name}`;
      const before = this.#courses.get(key);
      const rates = before?.rates ?? [];
      if (before && at > before.at) {
        const seconds = (at - before.at) / 1000;
        // a tunnel that was started anew counts from 0
        const rate = (way: "sent" | "received") =>
          Math.max(0, bytes[way] - before.bytes[way]) / seconds;
        rates.push({ sent: rate("sent"), received: rate("received") });
        if (rates.length > LENGTH) rates.shift();
      }
      this.#courses.set(key, { rates, at, bytes: { ...bytes } });
    }
  }

  /** The rates of a forward, the newest last; none before the second look. */
  of(tunnel: string, forward: string): Rate[] {
    return this.#courses.get(`${tunnel} ${forward}`)?.rates ?? [];
  }

  /** All that goes through a tunnel now. */
  total(status: TunnelStatus): Rate {
    const total = { sent: 0, received: 0 };
    for (const { name } of status.forwards) {
      const rate = this.of(status.name, name).at(-1);
      total.sent += rate?.sent ?? 0;
      total.received += rate?.received ?? 0;
    }
    return total;
  }
}

const BARS = "▁▂▃▄▅▆▇█";

/**
 * A line that shows the course of values by its height, the highest full.
 *
 * @param width so many of the newest, in characters
 */
export function sparkline(values: number[], width: number): string {
  const shown = width > 0 ? values.slice(-width) : [];
  const highest = Math.max(...shown, 1);
  return shown.map((value) =>
    BARS[Math.ceil((value / highest) * (BARS.length - 1))]
  ).join("");
}

/** A running tunnel as a live table. */
export function showWatched(
  status: TunnelStatus,
  history: TrafficHistory,
  now: Date,
  columns: number,
): string[] {
  const rows = table(status.forwards.map((forward) => [
    "",
    forward.name,
    showAddress(forward),
    ...(status.pid === null ? [] : showRates(status, forward, history)),
  ]));
  const widest = Math.max(...rows.map((row) => row.length));
  // so that it fits, with its distance, what LiveView leaves of a line
  const width = Math.max(0, columns - widest - 3);
  return [
    ...showHead(status, now),
    ...rows.map((row, i) => {
      const rates = history.of(status.name, status.forwards[i]!.name);
      const course = rates.map((rate) => rate.sent + rate.received);
      const line = styles.green(sparkline(course, width));
      return `${row.padEnd(widest)}  ${line}`.trimEnd();
    }),
  ];
}

function showRates(
  status: TunnelStatus,
  { name, connections }: ForwardStatus,
  history: TrafficHistory,
): string[] {
  const rate = history.of(status.name, name).at(-1) ?? { sent: 0, received: 0 };
  return [
    `${connections.open} open`,
    `↑ ${showRate(rate.sent)}`,
    `↓ ${showRate(rate.received)}`,
  ].map((cell, i) => cell.padEnd([8, 13, 13][i]!));
}

function showRate(bytes: number): string {
  return `${showBytes(Math.round(bytes))}/s`;
}

/** A tunnel in one line, without its time, for a file or a pipe. */
export function watchedLine(
  status: TunnelStatus,
  history: TrafficHistory,
): string {
  const open = status.forwards.reduce(
    (sum, { connections }) => sum + connections.open,
    0,
  );
  const { sent, received } = history.total(status);
  const parts = [`${status.name} ${status.state}`];
  if (status.pid !== null) {
    parts.push(
      `${open} open`,
      `↑ ${showRate(sent)}`,
      `↓ ${showRate(received)}`,
      `${status.reconnects} reconnect${status.reconnects === 1 ? "" : "s"}`,
    );
  }
  if (status.lastError !== null && status.state !== "up") {
    parts.push(status.lastError);
  }
  return parts.join(", ");
}

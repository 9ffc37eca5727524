/**
 * Tells systemd that a service is ready and alive: sd_notify(3).
 *
 * @module
 */

import { join } from "node:path";

export interface Notifier {
  /** Says that the service is up. */
  ready(): void;
  /** Says that it is being stopped. */
  stopping(): void;
  close(): void;
  /** The socket that it sends to, which counts as writing. */
  files: string[];
}

/** Sends text to the service manager. */
type Send = (text: string) => void;

/**
 * A notifier for the service manager that started this process; undefined if
 * none did or it wants to know nothing.
 *
 * @param variable gives an environment variable
 * @param folder one that may be written to
 */
export function openNotifier(
  variable: (name: string) => string | undefined,
  folder: string,
): Notifier | undefined {
  const path = variable("NOTIFY_SOCKET");
  if (path === undefined) return undefined;
  const socket = openSocket(folder);
  const to = {
    transport: "unixpacket",
    // an abstract socket (unix(7)) is written with @ for its NUL
    path: path.replace(/^@/, "\0"),
  } as const;
  const send: Send = (text) => {
    // a manager that does not listen is no reason to end the tunnel
    socket.send(new TextEncoder().encode(text), to).catch(() => {});
  };
  const watchdogMs = Number(variable("WATCHDOG_USEC") ?? 0) / 1000;
  const forUs = (variable("WATCHDOG_PID") ?? String(Deno.pid)) ===
    String(Deno.pid);
  let timer: ReturnType<typeof setInterval> | undefined;
  return {
    // an abstract socket is no file
    files: path.startsWith("@") ? [] : [path],
    ready: () => {
      send("READY=1");
      // sd_watchdog_enabled(3): twice as often as asked for
      if (watchdogMs > 0 && forUs) {
        timer ??= setInterval(() => send("WATCHDOG=1"), watchdogMs / 2);
      }
    },
    stopping: () => send("STOPPING=1"),
    close: () => {
      clearInterval(timer);
      socket.close();
    },
  };
}

/** Longest path of a Unix socket on Linux (unix(7)), without the NUL. */
const MAX_PATH_BYTES = 107;

/** Opens a socket to send from. Nobody answers it, so it leaves no file. */
function openSocket(folder: string): Deno.DatagramConn {
  const name = `notify-${Deno.pid}`;
  const own = join(folder, name);
  const isLong = new TextEncoder().encode(own).length > MAX_PATH_BYTES;
  const temporary = isLong ? Deno.makeTempDirSync({ dir: "/tmp" }) : undefined;
  const path = temporary === undefined ? own : join(temporary, name);
  try {
    return Deno.listenDatagram({ transport: "unixpacket", path });
  } finally {
    try {
      Deno.removeSync(temporary ?? path, { recursive: true });
    } catch {
      // it could not be opened
    }
  }
}

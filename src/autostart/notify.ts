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
  /** The sockets that it sends from and to, which counts as writing. */
  files: string[];
}

/** Sends text to the service manager. */
type Send = (text: string) => void;

/**
 * A notifier for the service manager that started this process; undefined if
 * none did or it wants to know nothing.
 *
 * @param variable gives an environment variable
 * @param folder where the socket to send from may be
 */
export function openNotifier(
  variable: (name: string) => string | undefined,
  folder: string,
): Notifier | undefined {
  const path = variable("NOTIFY_SOCKET");
  if (path === undefined) return undefined;
  const own = join(folder, `notify-${Deno.pid}.sock`);
  const socket = Deno.listenDatagram({ transport: "unixpacket", path: own });
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
    files: path.startsWith("@") ? [own] : [own, path],
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
      try {
        Deno.removeSync(own);
      } catch {
        // it was not there any more
      }
    },
  };
}

/**
 * systemd units: systemd.unit(5), systemd.service(5), systemd.exec(5).
 *
 * @module
 */

import { type AutostartTask, FINAL_EXIT_CODES } from "./service.ts";

export interface SystemdOptions {
  /** A unit of the system that runs as this user; undefined: a user unit. */
  user?: string | undefined;
  /** Folders that the tunnel writes to. */
  writable: string[];
}

/** The unit's file name. */
export function unitName(profile: string): string {
  return `i2ptun-${profile}.service`;
}

/** How often a tunnel that hangs may be silent before it is restarted. */
const WATCHDOG_SECONDS = 60;

/** The unit that keeps a profile up. */
export function systemdUnit(
  task: AutostartTask,
  { user, writable }: SystemdOptions,
): string {
  const lines = [
    "[Unit]",
    `Description=i2ptun: ${escapeSpecifiers(task.name)}`,
    ...(user === undefined
      ? []
      : ["Wants=network-online.target", "After=network-online.target"]),
    "StartLimitIntervalSec=0",
    "",
    "[Service]",
    "Type=notify",
    `ExecStart=${task.command.map(quote).join(" ")}`,
    ...Object.entries(task.variables).map(([name, value]) =>
      `Environment=${quote(`${name}=${value}`)}`
    ),
    ...(user === undefined ? [] : [`User=${escapeSpecifiers(user)}`]),
    "Restart=on-failure",
    "RestartSec=10",
    `RestartPreventExitStatus=${FINAL_EXIT_CODES.join(" ")}`,
    `WatchdogSec=${WATCHDOG_SECONDS}`,
    "UMask=0077",
    "NoNewPrivileges=yes",
    "LockPersonality=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    // a user's manager may not set these up everywhere
    ...(user === undefined ? [] : [
      "ProtectSystem=strict",
      "ProtectHome=read-only",
      ...writable.map((path) => `ReadWritePaths=${quote(`-${path}`)}`),
      "PrivateTmp=yes",
      "PrivateDevices=yes",
      "ProtectControlGroups=yes",
      "ProtectKernelModules=yes",
      "ProtectKernelTunables=yes",
      "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK",
      "CapabilityBoundingSet=",
    ]),
    "",
    "[Install]",
    `WantedBy=${user === undefined ? "default.target" : "multi-user.target"}`,
    "",
  ];
  return lines.join("\n");
}

/** `%` begins a specifier (systemd.unit(5), SPECIFIERS). */
function escapeSpecifiers(text: string): string {
  return text.replaceAll("%", "%%");
}

/** One word of a command line (systemd.service(5), COMMAND LINES). */
function quote(word: string): string {
  const text = escapeSpecifiers(word).replaceAll("$", "$$$$");
  if (/^[\w@%+=:,./$-]+$/.test(text)) return text;
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

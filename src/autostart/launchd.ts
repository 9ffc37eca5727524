/**
 * launchd agents of macOS: launchd.plist(5).
 *
 * @module
 */

import { escapeXml } from "./xml.ts";
import { type AutostartTask, FINAL_EXIT_CODES } from "./service.ts";

/** The agent's label, which is also its file's name. */
export function agentLabel(profile: string): string {
  return `i2ptun.${profile}`;
}

/** By this variable a process knows that it is such an agent. */
const AGENT_VARIABLE = "I2PTUN_LAUNCHD";

/** Whether launchd has started this process. */
export function isLaunchdAgent(
  variable: (name: string) => string | undefined,
): boolean {
  return variable(AGENT_VARIABLE) !== undefined;
}

/**
 * The exit code as launchd is to see it, which starts again whatever does not
 * end with 0.
 */
export function launchdExitCode(code: number): number {
  return FINAL_EXIT_CODES.includes(code) ? 0 : code;
}

/** The agent that starts a profile at login and again when it failed. */
export function launchdPlist(task: AutostartTask, logFile: string): string {
  const string = (text: string) => `<string>${escapeXml(text)}</string>`;
  const variables = Object.entries({ ...task.variables, [AGENT_VARIABLE]: "1" })
    .map(([name, value]) =>
      `    <key>${escapeXml(name)}</key>\n    ${string(value)}\n`
    ).join("");
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  ${string(agentLabel(task.name))}
  <key>ProgramArguments</key>
  <array>
${task.command.map((word) => `    ${string(word)}\n`).join("")}  </array>
  <key>EnvironmentVariables</key>
  <dict>
${variables}  </dict>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <dict>
    <key>SuccessfulExit</key>
    <false/>
  </dict>
  <key>ThrottleInterval</key>
  <integer>10</integer>
  <key>ProcessType</key>
  <string>Background</string>
  <key>StandardErrorPath</key>
  ${string(logFile)}
</dict>
</plist>
`;
}

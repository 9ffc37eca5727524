/**
 * Tasks of Windows' Task Scheduler, in its XML format (MS-TSCH §2.5).
 *
 * @module
 */

import type { AutostartTask } from "./service.ts";
import { escapeXml } from "./xml.ts";

/** The task's name, in a folder of its own. */
export function taskName(profile: string): string {
  return `\\i2ptun\\${profile}`;
}

/**
 * The task that starts a profile in the background when the user logs on.
 *
 * It is told to keep trying where the server cannot be reached then: an exit code
 * is no failure here, whatever it is. One is that the program cannot be started,
 * as from a drive that is not there yet, and that is tried again for four hours
 * (MS-TSCH §2.5.4.2). The priority is that of a program started by hand: what a
 * task starts has a lower one unless it is said.
 *
 * @param user `DOMAIN\\name`
 */
export function taskXml(task: AutostartTask, user: string): string {
  const [program = "", ...args] = task.command;
  return `<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>i2ptun: ${escapeXml(task.name)}</Description>
  </RegistrationInfo>
  <Triggers>
    <LogonTrigger>
      <Enabled>true</Enabled>
      <UserId>${escapeXml(user)}</UserId>
    </LogonTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
      <UserId>${escapeXml(user)}</UserId>
      <LogonType>InteractiveToken</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <RestartOnFailure>
      <Interval>PT1M</Interval>
      <Count>255</Count>
    </RestartOnFailure>
    <Priority>4</Priority>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>${escapeXml(program)}</Command>
      <Arguments>${escapeXml(args.map(quoteArgument).join(" "))}</Arguments>
    </Exec>
  </Actions>
</Task>
`;
}

/** Text as schtasks(1) wants its file: UTF-16LE with a byte order mark. */
export function utf16(text: string): Uint8Array<ArrayBuffer> {
  const marked = `\ufeff${text}`;
  const view = new DataView(new ArrayBuffer(2 * marked.length));
  for (let i = 0; i < marked.length; i++) {
    view.setUint16(2 * i, marked.charCodeAt(i), true);
  }
  return new Uint8Array(view.buffer);
}

/** One argument as CommandLineToArgvW reads it. */
function quoteArgument(word: string): string {
  if (word !== "" && !/[\s"]/.test(word)) return word;
  return `"${word.replace(/(\\*)"/g, '$1$1\\"').replace(/(\\+)$/, "$1$1")}"`;
}

/**
 * The programs that are compared, each told to do the same: one local forward,
 * no command, this key, this host key.
 *
 * @module
 */
import { findProgram } from "../../tests/support/requirements.ts";
import { VERSION } from "../../src/cli/version.ts";
import { convertedKey, type Lab, type Route } from "./lab.ts";

/** One of the programs that are compared. */
export interface Program {
  name: "i2ptun" | "ssh" | "plink" | "dbclient";
  /** As it calls itself. */
  version: string;
  /** The command line that opens the tunnel and stays in the foreground. */
  command(route: Route, lab: Lab): Promise<string[]> | string[];
}

/** i2ptun, and what is installed of the others. */
export async function findPrograms(): Promise<Program[]> {
  const programs: Program[] = [{
    name: "i2ptun",
    version: VERSION,
    command: i2ptunCommand,
  }];
  if (findProgram("ssh")) {
    programs.push({
      name: "ssh",
      version: await firstLine("ssh", "-V"),
      command: sshCommand,
    });
  }
  if (findProgram("plink") && findProgram("puttygen")) {
    programs.push({
      name: "plink",
      version: await firstLine("plink", "-V"),
      command: plinkCommand,
    });
  }
  if (findProgram("dbclient") && findProgram("dropbearconvert")) {
    programs.push({
      name: "dbclient",
      version: await firstLine("dbclient", "-V"),
      command: dbclientCommand,
    });
  }
  return programs;
}

async function i2ptunCommand(route: Route, { sandbox }: Lab) {
  await sandbox.writeProfiles(`version: 1
profiles:
  bench:
    server: ${route.user}@${route.host}:${route.serverPort}
    identity: ~/.ssh/id_ed25519
    session: ${route.session}
    forwards:
      - { local: "${forward(route)}" }
`);
  return sandbox.command("profile", "start", "bench", "--foreground");
}

function sshCommand(route: Route, { sandbox }: Lab): string[] {
  // ssh takes the home folder from passwd(5), not from HOME
  const options = [
    `UserKnownHostsFile=${sandbox.knownHosts}`,
    "GlobalKnownHostsFile=/dev/null",
    "StrictHostKeyChecking=yes",
    "IdentitiesOnly=yes",
    "BatchMode=yes",
    "ExitOnForwardFailure=yes",
  ];
  return [
    ...["ssh", "-F", "none", "-N", ...options.map((option) => `-o${option}`)],
    ...["-i", `${sandbox.home}/.ssh/id_ed25519`, "-L", forward(route)],
    ...["-p", `${route.serverPort}`, `${route.user}@${route.host}`],
  ];
}

async function plinkCommand(route: Route, lab: Lab): Promise<string[]> {
  return [
    ...["plink", "-N", "-batch", "-noagent", "-hostkey", route.hostKey],
    ...["-i", await convertedKey(lab, "putty"), "-L", forward(route)],
    ...["-P", `${route.serverPort}`, `${route.user}@${route.host}`],
  ];
}

async function dbclientCommand(route: Route, lab: Lab): Promise<string[]> {
  return [
    ...["dbclient", "-N", "-i", await convertedKey(lab, "dropbear")],
    ...["-L", forward(route)],
    ...["-p", `${route.serverPort}`, `${route.user}@${route.host}`],
  ];
}

/** The argument of `-L`. */
function forward({ localPort, targetPort }: Route): string {
  return `127.0.0.1:${localPort}:127.0.0.1:${targetPort}`;
}

/** The first line of what a program says, to either output, without its name. */
async function firstLine(program: string, ...args: string[]): Promise<string> {
  const { stdout, stderr } = await new Deno.Command(program, { args }).output();
  const text = new TextDecoder();
  const [line = ""] = (text.decode(stdout) + text.decode(stderr)).trim()
    .split("\n");
  return line.replace(`${program}: `, "");
}

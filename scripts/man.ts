/**
 * The man page, from the command tree:
 *
 *     deno run -P=i2ptun scripts/man.ts [DATE] > i2ptun.1
 *
 * Format: man(7).
 *
 * @module
 */

import { EXAMPLES } from "../src/cli/examples.ts";
import { buildProgram } from "../src/cli/program.ts";
import { visibleCommands } from "../src/cli/usage.ts";
import { VERSION } from "../src/cli/version.ts";

type Command = Parameters<typeof visibleCommands>[0];

/** Text in which nothing is taken for a request or an escape. */
function plain(text: string): string {
  return text.replaceAll("\\", "\\e").replaceAll("-", "\\-")
    .replace(/^([.'])/gm, "\\&$1")
    // man(7) is ASCII where it can be
    .replaceAll("…", "...");
}

const bold = (text: string) => `.B ${quoted(text)}`;
const quoted = (text: string) => `"${plain(text).replaceAll('"', "\\(dq")}"`;

function section(title: string, ...lines: string[]): string[] {
  return [`.SH ${title}`, ...lines];
}

function entry(term: string, text: string): string[] {
  return [".TP", bold(term), plain(text)];
}

function options(command: Command): string[] {
  return command.options.flatMap((option) => {
    const choices = option.argChoices
      ? ` (${option.argChoices.join(", ")})`
      : "";
    return entry(option.flags, option.description + choices);
  });
}

/** A command without commands of its own, or what is below it. */
function commands(command: Command): string[] {
  return visibleCommands(command).flatMap((each) => {
    const below = visibleCommands(each);
    if (below.length > 0) return commands(each);
    const usage = each.createHelp().commandUsage(each)
      .replace("[options] ", "").replace(/ \[options\]$/, "");
    const own = options(each);
    return [
      `.SS ${quoted(usage)}`,
      plain(each.description()),
      ...own,
    ];
  });
}

function examples(lines: readonly string[]): string[] {
  return [".nf", ...lines.map(plain), ".fi"];
}

/** The exit codes, as docs/profiles.md has them. */
const EXIT_CODES = [
  ["0", "done"],
  ["1", "something unforeseen"],
  ["2", "wrong usage, or a wrong profiles.yaml"],
  ["3", "no such profile; for status: not up"],
  ["4", "the server cannot be reached"],
  ["5", "login refused"],
  ["6", "host key unknown, and nobody to ask, or changed"],
  ["7", "a forward could not be opened"],
  ["130", "interrupted"],
] as const;

const FILES = [
  ["~/.config/i2ptun/profiles.yaml", "the profiles"],
  [
    "~/.local/state/i2ptun/run/",
    "a record and a control socket for each running profile",
  ],
  ["~/.local/state/i2ptun/log/", "a log for each profile"],
  ["~/.ssh/known_hosts", "host keys"],
] as const;

const ENVIRONMENT = [
  ["I2PTUN_CONFIG", "the profiles file"],
  ["I2PTUN_STATE_DIR", "the state folder, in place of ~/.local/state/i2ptun"],
  ["NO_COLOR", "if set, no colours"],
  ["SSH_AUTH_SOCK", "the socket of the SSH agent"],
  ["VISUAL, EDITOR", "the editor"],
] as const;

/** The whole page. @param about the release; its date such as 2026-01-31 */
export function manPage(
  { date, version }: { date: string; version: string },
): string {
  const program = buildProgram("") as Command;
  return [
    `.TH I2PTUN 1 ${date} ${quoted(`i2ptun ${version}`)} "User Commands"`,
    ...section("NAME", "i2ptun \\- keep SSH tunnels to a remote I2P router up"),
    ...section("SYNOPSIS", ".B i2ptun", ".RI [ options ]", ".I command"),
    ...section("EXAMPLES", ...examples(EXAMPLES[""] ?? [])),
    ...section("DESCRIPTION", plain(program.description())),
    plain("It needs no ssh(1). Results go to standard output; progress,"),
    plain("warnings and errors to standard error."),
    ...section("OPTIONS", ...options(program)),
    ...section("COMMANDS", ...commands(program)),
    ...section("EXIT STATUS", ...EXIT_CODES.flatMap(([a, b]) => entry(a, b))),
    ...section("FILES", ...FILES.flatMap(([a, b]) => entry(a, b))),
    ...section(
      "ENVIRONMENT",
      ...ENVIRONMENT.flatMap(([a, b]) => entry(a, b)),
    ),
    ...section("SEE ALSO", ".BR ssh (1),", ".BR ssh_config (5)"),
  ].join("\n") + "\n";
}

/** This day, as a man page and a changelog write it. */
export function today(): string {
  return new Date().toISOString().slice(0, 10);
}

if (import.meta.main) {
  const date = Deno.args[0] ?? today();
  console.log(manPage({ date, version: VERSION }).trimEnd());
}

/** Tab, in the shells people have. */
import assert from "node:assert/strict";
import { Sandbox } from "../support/program.ts";
import { findProgram, testWith } from "../support/requirements.ts";
import { startTerminal, type Terminal } from "../support/terminal.ts";
import { startSite, succeed } from "./setup.ts";

const PROFILES = `version: 1
profiles:
  work:
    server: me@work.example
    forwards:
      - console
      - { dynamic: "1080", name: proxy }
  archive: { server: archive.example, forwards: [irc] }
`;

/** What is typed, and what a Tab after it makes of it. */
const CASES = [
  ["prof", "profile "],
  ["profile start w", "profile start work"],
  ["profile start archive w", "profile start archive work"],
  ["profile restart work --acc", "profile restart work --accept-new"],
  ["profile add new --service cons", "profile add new --service console"],
  ["profile show work --as pl", "profile show work --as plink"],
  ["profile show work --as=pl", "profile show work --as=plink"],
  ["open work pr", "open work proxy"],
  ["--config other.yaml open e", "--config other.yaml open elsewhere"],
  ["key create --file own-k", "key create --file own-key"],
  ["autostart enable w", "autostart enable work"],
  ["completions powers", "completions powershell"],
] as const;

/** By name: how it is started without the machine's settings, and set up. */
const SHELLS = {
  bash: [["--norc", "--noprofile"], "source <(i2ptun completions bash)"],
  zsh: [
    ["-f"],
    "autoload -U compinit && compinit -u -d .zd && source <(i2ptun completions zsh)",
  ],
  fish: [["-N"], "i2ptun completions fish | source"],
} as const;

/** A sandbox with the profiles, where `i2ptun` is on the PATH. */
async function makeSandbox(): Promise<Sandbox> {
  const sandbox = await Sandbox.create();
  await sandbox.writeProfiles(PROFILES);
  await Deno.writeTextFile(
    `${sandbox.home}/other.yaml`,
    "version: 1\nprofiles: { elsewhere: { server: h, forwards: [irc] } }\n",
  );
  await Deno.writeTextFile(`${sandbox.home}/own-key`, "");
  const bin = `${sandbox.home}/bin`;
  await Deno.mkdir(bin);
  const line = sandbox.command().map((word) => `'${word}'`).join(" ");
  await Deno.writeTextFile(
    `${bin}/i2ptun`,
    `#!/bin/sh\nexec ${line} "$@"\n`,
    { mode: 0o755 },
  );
  sandbox.env.PATH = `${bin}:${sandbox.env.PATH}`;
  return sandbox;
}

/** Types, presses Tab, and waits for what comes of it. */
async function tab(terminal: Terminal, typed: string, wanted: string) {
  await terminal.press("C-u");
  await terminal.press("C-l");
  await terminal.type(`i2ptun ${typed}`);
  await terminal.press("Tab");
  const escaped = `i2ptun ${wanted.trim()}`.replace(
    /[.*+?^${}()|[\]\\]/g,
    "\\$&",
  );
  await terminal.waitFor(new RegExp(`${escaped}(?![\\w-])`));
}

for (const [shell, [flags, setUp]] of Object.entries(SHELLS)) {
  testWith(
    ["tmux", shell as keyof typeof SHELLS],
    `${shell} completes commands, options and names`,
    async () => {
      await using sandbox = await makeSandbox();
      await using terminal = await startTerminal({
        command: [findProgram(shell)!, ...flags, "-i"],
        env: { ...sandbox.env, PS1: "$ " },
        cwd: sandbox.home,
        width: 120,
      });
      await terminal.type(`${setUp}; echo ready`);
      await terminal.press("Enter");
      await terminal.waitFor(/^ready$/m);
      for (const [typed, wanted] of CASES) await tab(terminal, typed, wanted);
    },
  );
}

/** What `complete` answers, without the words about it. */
async function answers(
  sandbox: Sandbox,
  current: string,
  ...words: string[]
): Promise<string[]> {
  const args = ["complete", `--current=${current}`, "--", ...words];
  const said = await succeed(sandbox, args);
  return said.split("\n").filter(Boolean).map((line) => line.split("\t")[0]!);
}

Deno.test("a profiles file with mistakes still gives its names", async () => {
  await using sandbox = await makeSandbox();
  await sandbox.writeProfiles(PROFILES.replace("forwards", "forwrds"));
  const names = await answers(sandbox, "", "profile", "show");
  assert.deepEqual(names, ["work", "archive"]);
  assert.deepEqual(await answers(sandbox, "", "open", "work"), []);
  assert.deepEqual(await answers(sandbox, "", "profile", "add"), []);
  assert.deepEqual(await answers(sandbox, "", "nonsense", "--", "-x"), []);
});

Deno.test("hidden commands stay hidden, and ssh's words are ssh's", async () => {
  await using sandbox = await makeSandbox();
  const commands = await answers(sandbox, "");
  assert(commands.includes("profile") && commands.includes("help"));
  assert(!commands.includes("background") && !commands.includes("complete"));
  assert.deepEqual(await answers(sandbox, "-", "ssh"), [":files"]);
  assert.deepEqual(await answers(sandbox, "", "ssh", "-i"), [":files"]);
});

testWith(["sshd"], "stop completes what runs", async () => {
  await using site = await startSite();
  const { sandbox } = site;
  assert.deepEqual(await answers(sandbox, "", "profile", "stop"), []);
  await succeed(sandbox, ["profile", "start", "home"]);
  assert.deepEqual(await answers(sandbox, "", "profile", "stop"), ["home"]);
});

Deno.test("PowerShell asks with encoded words", async () => {
  await using sandbox = await makeSandbox();
  const script = await succeed(sandbox, ["completions", "powershell"]);
  assert.match(script, /& \$program complete "--encoded=\$encoded"/);
  const ask = async (...words: string[]) => {
    const encoded = new TextEncoder().encode(words.join("\n")).toBase64();
    const said = await succeed(sandbox, ["complete", `--encoded=${encoded}`]);
    return said.split("\n").filter(Boolean).map((line) => line.split("\t")[0]);
  };
  assert.deepEqual(await ask("profile", "start", "w"), ["work"]);
  const other = `${sandbox.home}/my "own" files/other.yaml`;
  await Deno.mkdir(`${sandbox.home}/my "own" files`);
  await Deno.rename(`${sandbox.home}/other.yaml`, other);
  assert.deepEqual(await ask("--config", other, "open", ""), ["elsewhere"]);
  // an empty word is one
  const add = ["profile", "add", "new", "--server", "", "--service"];
  assert.deepEqual(await ask(...add, "cons"), ["console", "console-ssl"]);
  assert((await ask("")).includes("profile"));
});

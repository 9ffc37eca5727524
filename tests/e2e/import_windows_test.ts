/** PuTTY's sessions where Windows has them: with Wine's registry and `reg`. */
import assert from "node:assert/strict";
import { Sandbox } from "../support/program.ts";
import { testWith } from "../support/requirements.ts";
import { execute, makeScratchDir, removeDir } from "../support/scratch.ts";
import { succeed } from "./setup.ts";

const PUTTY = "HKCU\\Software\\SimonTatham\\PuTTY";

/** Runs a Windows program in a folder. @returns its output */
function wine(folder: string, ...command: string[]): Promise<string> {
  const [program, ...args] = Deno.env.get("I2PTUN_WINE")!.split(" ");
  return execute(program!, [...args, folder, ...command]);
}

/** Commands for cmd.exe, which wants a "%" twice. */
const SAVE = [
  ...[
    ["HostName", "REG_SZ", "192.0.2.1"],
    ["Protocol", "REG_SZ", "ssh"],
    ["PortNumber", "REG_DWORD", "2222"],
    ["UserName", "REG_SZ", 'DOMAIN\\m\\"e'],
    ["PublicKeyFile", "REG_SZ", "C:\\keys\\k.ppk"],
    ["PortForwardings", "REG_SZ", "L7657=127.0.0.1:7657,6D1080="],
  ].map(([name, type, value]) =>
    `reg add "${PUTTY}\\Sessions\\My%%20Router" /v ${name} /t ${type} /d "${value}" /f`
  ),
  `reg add "${PUTTY}\\SshHostKeys" /v "ssh-ed25519@2222:192.0.2.1" /d "0x1,0x5" /f`,
  `reg export "${PUTTY}" putty.reg /y`,
];

/** Saves a session, and exports everything to `putty.reg`. */
async function saveSession(folder: string): Promise<void> {
  await Deno.writeTextFile(`${folder}/save.bat`, SAVE.join("\r\n") + "\r\n");
  await wine(folder, "cmd", "/c", "save.bat");
}

/** Checks a report in JSON. */
function assertImported(stdout: string): void {
  const { imported: [one, ...others], skipped, hostKeys } = JSON.parse(stdout);
  assert.deepEqual([others, skipped], [[], []]);
  assert.equal(one.from, "My Router");
  assert.equal(one.profile, "My-Router");
  assert.equal(one.server, 'DOMAIN\\m"e@192.0.2.1:2222');
  assert.deepEqual(one.identity, ["C:\\keys\\k.ppk"]);
  assert.deepEqual(one.forwards, [
    { kind: "local", spec: "7657:127.0.0.1:7657" },
    { kind: "dynamic", spec: "[::1]:1080" },
  ]);
  assert.equal(hostKeys.offered.length, 1);
}

testWith(["wine"], "what reg exports is imported", async () => {
  await using sandbox = await Sandbox.create();
  const folder = await makeScratchDir();
  try {
    await saveSession(folder);
    assertImported(
      await succeed(sandbox, [
        ...["profile", "import", "putty", "--reg", `${folder}/putty.reg`],
        "--json",
      ]),
    );
  } finally {
    await removeDir(folder);
  }
});

testWith(["wine", "windows-program"], "the registry is imported", async () => {
  const folder = await makeScratchDir();
  try {
    await Deno.copyFile(
      Deno.env.get("I2PTUN_WINDOWS_EXE")!,
      `${folder}/i2ptun.exe`,
    );
    await saveSession(folder);
    assertImported(
      await wine(folder, "i2ptun.exe", "profile", "import", "putty", "--json"),
    );
  } finally {
    await removeDir(folder);
  }
});

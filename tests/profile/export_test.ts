import assert from "node:assert/strict";
import fc from "fast-check";
import {
  quotePosix,
  quoteWindows,
  toPlinkCommand,
  toSshCommand,
  toSshConfig,
} from "../../src/profile/export.ts";
import type { Profile } from "../../src/profile/profile.ts";
import { parseProfiles } from "../../src/profile/store.ts";
import { testWith } from "../support/requirements.ts";

function profile(body: string): Profile {
  const lines = body.trim().split("\n").map((line) => `    ${line}\n`).join("");
  return parseProfiles(
    `version: 1\nprofiles:\n  home:\n${lines}`,
    "profiles.yaml",
  )[0]!;
}

const FULL = profile(`
server: me@final-server:2222
jump: [a@one:2200, two]
identity: ["~/.ssh/my key", /k]
agent: false
known_hosts: /kh
connect_timeout: 20s
keepalive: { interval: 60s, count: 2 }
ssh_config: false
forwards:
  - console
  - { local: "*:8080:[::1]:7657" }
  - { remote: "0:127.0.0.1:80" }
  - { remote: "1080" }
  - { dynamic: "[::1]:1081" }
  - { local: "/tmp/a socket:host:1" }
`);

Deno.test("ssh: the whole profile on one line", () => {
  assert.equal(
    toSshCommand(FULL),
    "ssh -NT -o ExitOnForwardFailure=yes -o ServerAliveInterval=60 -o ServerAliveCountMax=2 " +
      "-o ConnectTimeout=20 -o UserKnownHostsFile=/kh -o IdentityAgent=none -F none " +
      "-L 7657:127.0.0.1:7657 -L '*:8080:[::1]:7657' -R 0:127.0.0.1:80 -R 1080 -D '[::1]:1081' " +
      "-L '/tmp/a socket:host:1' -J a@one:2200,two -i ~/'.ssh/my key' -i /k -p 2222 me@final-server",
  );
});

Deno.test("plink: what it can do, and an error for what it cannot", () => {
  const simple = profile(`
server: me@host:2222
jump: j@hop:99
identity: 'C:\\keys\\my key.ppk'
host_key: SHA256:jv9M+WRF1PIRMK/HtiSzgPfg1b2djTAdwsneHW51UZc
forwards: [console, { dynamic: "1080" }]
`);
  assert.equal(
    toPlinkCommand(simple),
    'plink -ssh -N -L 7657:127.0.0.1:7657 -D 1080 -i "C:\\keys\\my key.ppk" ' +
      "-hostkey SHA256:jv9M+WRF1PIRMK/HtiSzgPfg1b2djTAdwsneHW51UZc " +
      '-proxycmd "plink -batch -P 99 -nc %host:%port j@hop" -P 2222 me@host',
  );
  assert.throws(() => toPlinkCommand(FULL), { kind: "usage" });
});

/** What the real ssh understands: its `-G` output as a set of lines. */
async function sshG(args: string[]): Promise<string[]> {
  const { success, stdout, stderr } = await new Deno.Command("ssh", {
    args: ["-G", ...args],
    env: { HOME: "/nonexistent" },
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).split("\n");
}

/** The words a POSIX shell makes of a command line. */
async function shellWords(line: string): Promise<string[]> {
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", `for word in ${line}; do printf '%s\\0' "$word"; done`],
  }).output();
  return new TextDecoder().decode(stdout).split("\0").slice(0, -1);
}

testWith(["ssh"], "ssh reads the command and the Host alike", async () => {
  const [, ...args] = await shellWords(toSshCommand(FULL));
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, toSshConfig(FULL));
  const fromCommand = await sshG(args);
  const fromConfig = await sshG(["-F", file, "home"]);
  await Deno.remove(file);
  const relevant =
    /^(user|hostname|port|proxyjump|identityagent|userknownhostsfile|connecttimeout|serveralive\w+|exitonforwardfailure|(local|remote|dynamic)forward) /;
  const pick = (lines: string[]) =>
    lines.filter((line) => relevant.test(line))
      // the shell has expanded what ssh_config leaves to ssh
      .map((line) => line.replace(Deno.env.get("HOME") ?? "", "~"));
  assert.deepEqual(pick(fromConfig), pick(fromCommand));
  assert.ok(pick(fromCommand).includes("localforward [*]:8080 [::1]:7657"));
  assert.ok(pick(fromCommand).includes("dynamicforward [::1]:1081"));
  assert.ok(pick(fromCommand).includes("proxyjump a@one:2200,two"));
});

testWith(["ssh"], "ssh reads awkward paths in a Host as they are", async () => {
  const paths = [
    ..."\\ '\"#".split("").flatMap((char) => [`/a${char}b`, `/${char}a b`]),
    ...["/a\\\\b", '/a\\"b', "/a b\\", "C:\\keys\\my key", "C:\\keys\\key"],
  ];
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(
    file,
    toSshConfig({ ...FULL, identity: paths, forwards: [] }),
  );
  const read = (await sshG(["-F", file, "home"]))
    .flatMap((line) => /^identityfile (.*)$/.exec(line)?.[1] ?? []);
  await Deno.remove(file);
  assert.deepEqual(read, paths);
});

Deno.test("quoting gives a shell the same word back", async () => {
  const words = fc.sample(
    fc.string({ minLength: 1, unit: "grapheme-ascii" })
      .filter((word) => !word.startsWith("~")),
    200,
  );
  assert.deepEqual(await shellWords(words.map(quotePosix).join(" ")), words);
});

/** The words that Windows' CommandLineToArgvW makes of what follows a program. */
function windowsWords(line: string): string[] {
  const words: string[] = [];
  const pattern = /(\\*)"|(\\+)|([ \t]+)|([^\\" \t]+)/g;
  let word: string | undefined;
  let isQuoted = false;
  for (const [all, before, , space] of line.matchAll(pattern)) {
    if (before !== undefined) {
      word = (word ?? "") + "\\".repeat(before.length >> 1);
      if (before.length % 2) word += '"';
      else isQuoted = !isQuoted;
    } else if (space !== undefined && !isQuoted) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? "") + all;
  }
  return word === undefined ? words : [...words, word];
}

Deno.test("quoting gives a Windows program the same word back", () => {
  // the examples of Microsoft's "Parsing C command-line arguments"
  for (
    const [line, ...words] of [
      [String.raw`"a b c" d e`, "a b c", "d", "e"],
      [String.raw`"ab\"c" "\\" d`, 'ab"c', "\\", "d"],
      [String.raw`a\\\b d"e f"g h`, String.raw`a\\\b`, "de fg", "h"],
      [String.raw`a\\\"b c d`, String.raw`a\"b`, "c", "d"],
      [String.raw`a\\\\"b c" d e`, String.raw`a\\b c`, "d", "e"],
    ] as const
  ) assert.deepEqual(windowsWords(line), words);
  const char = fc.constantFrom(...`ab \\"'&%^*:@[]`);
  fc.assert(
    fc.property(fc.array(fc.string({ unit: char })), (words) => {
      assert.deepEqual(windowsWords(words.map(quoteWindows).join(" ")), words);
    }),
  );
});

/** What can go wrong, how it is told, and that nothing is left of it. */
import assert from "node:assert/strict";
import { freePort } from "../support/ports.ts";
import { Sandbox } from "../support/program.ts";
import { findProgram, testWith } from "../support/requirements.ts";
import {
  assertFails,
  assertNothingLeft,
  assertReadable,
  assertServes,
  isFree,
  startPage,
  startSite,
  succeed,
  writeProfile,
} from "./setup.ts";

const START = ["profile", "start", "home"];

/** A profile `home` for this server, and the local port of its forward. */
async function withProfile(
  server: string,
  use: (sandbox: Sandbox, port: number) => Promise<void>,
): Promise<void> {
  await using sandbox = await Sandbox.create();
  const port = freePort();
  const forward = `{ local: "127.0.0.1:${port}:127.0.0.1:7657" }`;
  const more = "connect_timeout: 1s";
  await writeProfile(sandbox, { server, forward, more });
  await use(sandbox, port);
  await assertNothingLeft(sandbox, port);
}

Deno.test("every mistake in the file is told, with its place", async () => {
  await using sandbox = await Sandbox.create();
  const file = await sandbox.writeProfiles(`version: 1
profiles:
  home:
    sever: i2p@example.org
    keepalive: { interval: soon }
    password: secret
    forwards:
      - consol
      - { local: "70000:127.0.0.1:7657" }
      - { local: "8080" }
  "no name":
    server: 22
    forwards: console
`);
  for (const args of [START, ["profile", "list"], ["profile", "status"]]) {
    const result = await sandbox.run(args);
    assertFails(result, 2, / has \d+ mistakes$/);
    const lines = result.stderr.split("\n").slice(0, -3);
    const expected: [string, RegExp][] = [
      ["4:5", /"sever".*did you mean "server"\?/],
      ["5:28", /soon/],
      ["6:5", /"password" is refused: .*asked for/],
      ["8:9", /"consol".*did you mean "console"\?/],
      ["9:18", /70000/],
      ["10:18", /8080/],
      ["11:3", /"no name" is not a name/],
      ["12:13", /server must be .*not a number/],
      ["13:15", /forwards must be a list/],
    ];
    assert.equal(lines.length, expected.length, result.stderr);
    for (const [i, [place, what]] of expected.entries()) {
      assert(lines[i]!.startsWith(`${file}:${place}: `), lines[i]);
      assert.match(lines[i]!, what);
    }
  }
});

Deno.test("a file that is not YAML is told, with its place", async () => {
  await using sandbox = await Sandbox.create();
  for (
    const [text, place] of [
      ["profiles:\n\thome: 1\n", "2:1"],
      ["profiles:\n  home: {\n", "3:1"],
      ["profiles: {}\nprofiles: {}\n", "2:1"],
    ] as const
  ) {
    const file = await sandbox.writeProfiles(text);
    const result = await sandbox.run(["profile", "list"]);
    assertFails(result, 2, / has 1 mistake$/);
    assert(result.stderr.startsWith(`${file}:${place}: `), result.stderr);
  }
  // not even text
  await Deno.writeFile(sandbox.profiles, new Uint8Array([0xff, 0xfe, 0, 1]));
  assertReadable(await sandbox.run(["profile", "list"]));
  await Deno.remove(sandbox.profiles);
  await Deno.mkdir(sandbox.profiles);
  const folder = await sandbox.run(["profile", "list"]);
  assert.notEqual(folder.code, 0);
  assert.match(folder.stderr, /^error: .*profiles\.yaml/m);
  assertReadable(folder);
});

Deno.test("a profile that does not exist", async () => {
  await using sandbox = await Sandbox.create();
  await sandbox.writeProfiles(
    "profiles: { home: { server: localhost, forwards: [console] } }\n",
  );
  for (
    const verb of [
      ...["start", "stop", "restart", "status", "logs", "show", "edit"],
      "remove",
    ]
  ) {
    const result = await sandbox.run(["profile", verb, "hme"]);
    assertFails(result, 3, /^no profile "hme"; did you mean "home"\?$/);
  }
  // all or nothing
  const both = await sandbox.run(["profile", "start", "home", "hme"]);
  assertFails(both, 3, /no profile "hme"/);
  await assertNothingLeft(sandbox);
});

Deno.test("names and forwards that cannot be", async () => {
  await using sandbox = await Sandbox.create();
  const add = (...args: string[]) =>
    sandbox.run(["profile", "add", "home", "--server", "h", ...args]);
  for (const spec of ["8080", "x:y:z", "70000:h:80", "80:h:0", ""]) {
    assertFails(await add("-L", spec), 2, /./);
  }
  assertFails(await add("-D", "socks"), 2, /./);
  assertFails(await add("--service", "tor"), 2, /no service named tor/);
  const server = ["profile", "add", "home", "--service", "console", "--server"];
  for (const name of ["a b", "user@", "h:99999", "[::1"]) {
    assertFails(await sandbox.run([...server, name]), 2, /./);
  }
  for (const name of ["a/b", "..", "", "a b", "ü", "a\nb", "a".repeat(65)]) {
    const result = await sandbox.run([
      ...["profile", "add", name, "--server", "h", "--service", "console"],
    ]);
    assertFails(result, 2, /is not a name/);
  }
  assertFails(await sandbox.run(["profile", "stop", "../x"]), 2, /not a name/);
  await assert.rejects(Deno.stat(sandbox.profiles), Deno.errors.NotFound);
});

Deno.test("a server whose name nobody knows", async () => {
  await withProfile("nobody.invalid", async (sandbox) => {
    const result = await sandbox.run(START);
    assertFails(result, 4, /cannot find the address of nobody\.invalid/);
  });
});

Deno.test("a server that refuses the connection", async () => {
  const refusing = freePort();
  await withProfile(`127.0.0.1:${refusing}`, async (sandbox) => {
    const result = await sandbox.run(START);
    assertFails(result, 4, new RegExp(`127.0.0.1:${refusing} .*refused`));
  });
});

Deno.test("a web server instead of an SSH server", async () => {
  await using page = startPage();
  await withProfile(`127.0.0.1:${page.port}`, async (sandbox) => {
    const result = await sandbox.run(START);
    assertFails(result, 4, /127\.0\.0\.1:\d+ is not an SSH server/);
  });
});

Deno.test("a server that says nothing", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  await withProfile(`127.0.0.1:${port}`, async (sandbox) => {
    const before = performance.now();
    const result = await sandbox.run(START);
    assertFails(result, 4, /127\.0\.0\.1:\d+ did not answer within 1 s/);
    assert(performance.now() - before < 5000);
  });
});

testWith(["sshd"], "a user whom the server does not let in", async () => {
  await using site = await startSite();
  const { sandbox, sshd } = site;
  await Deno.writeTextFile(sshd.authorizedKeys, "");
  const result = await sandbox.run(START);
  assertFails(
    result,
    5,
    /refused: tried key \S+id_ed25519; the server accepts/,
  );
  await assertNothingLeft(sandbox, site.port);
});

testWith(["sshd", "ss"], "a local port that another program has", async () => {
  await using site = await startSite();
  const { sandbox, port } = site;
  {
    using _taken = Deno.listen({ hostname: "127.0.0.1", port });
    const result = await sandbox.run(START);
    assertFails(
      result,
      7,
      new RegExp(
        `port ${port} is already in use by \\S+ \\(pid ${Deno.pid}\\)`,
      ),
    );
    await assertNothingLeft(sandbox);
  }
  await succeed(sandbox, START);
  // and by itself: another profile wants the same port
  const yaml = await Deno.readTextFile(sandbox.profiles);
  await sandbox.writeProfiles(
    yaml + yaml.slice(yaml.indexOf("  home:")).replace("home", "other"),
  );
  const result = await sandbox.run(["profile", "start", "other"]);
  assertFails(result, 7, /is already in use by the profile home \(pid \d+\)$/);
  assert.match(result.stderr, /^try: i2ptun profile stop home, or /m);
  const check = await sandbox.run(["profile", "check", "other"]);
  assert.match(check.stdout, /^ +try: i2ptun profile stop home, or /m);
});

testWith(["sshd"], "one profile of several that does not start", async () => {
  await using site = await startSite();
  const { sandbox, port, forward } = site;
  const gone = `127.0.0.1:${freePort()}`;
  const yaml = (name: string, server: string, forwards: string) =>
    `  ${name}:\n    server: ${server}\n    forwards: [${forwards}]\n`;
  const other = freePort();
  await sandbox.writeProfiles(
    "version: 1\nprofiles:\n" + yaml("home", site.server, forward) +
      yaml("second", site.server, `{ local: "${other}:h:1" }`) +
      yaml("lost", gone, `{ local: "${freePort()}:h:1" }`),
  );
  await succeed(sandbox, ["profile", "start", "second"]);
  const all = ["home", "second", "lost"];
  const result = await sandbox.run(["profile", "start", ...all]);
  assert.equal(result.code, 4, result.stderr);
  assert.match(result.stderr, /^stopped home again$/m);
  assert(isFree(port));
  // not its own
  assert(!isFree(other));
  await succeed(sandbox, START);
  const again = await sandbox.run(["profile", "restart", ...all]);
  assert.equal(again.code, 4, again.stderr);
  await assertServes(site);
});

testWith(["sshd"], "one port of several that cannot be had", async () => {
  await using site = await startSite();
  const { sandbox, port } = site;
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const second = `{ local: "127.0.0.1:${taken.addr.port}:127.0.0.1:1" }`;
  const forward = `${site.forward}\n      - ${second}`;
  await writeProfile(sandbox, { ...site, forward });
  assertFails(await sandbox.run(START), 7, /is already in use/);
  await assertNothingLeft(sandbox, port);
});

testWith(["sshd"], "an address of another machine", async () => {
  await using site = await startSite();
  const { sandbox, port } = site;
  // RFC 5737: in no network
  const forward = `{ local: "192.0.2.1:${port}:127.0.0.1:1", name: far }`;
  await writeProfile(sandbox, { ...site, forward });
  const result = await sandbox.run(START);
  assert.match(
    result.stderr,
    /^warning: .*everyone who can reach 192\.0\.2\.1/m,
  );
  assertFails(result, 7, /^far: this machine has no address 192\.0\.2\.1$/);
  await assertNothingLeft(sandbox, port);
});

testWith(
  ["sshd", "root"],
  "a port that only the system may have",
  async (context) => {
    const setpriv = findProgram("setpriv");
    if (!setpriv) {
      return void await context.step({
        name: "needs setpriv",
        ignore: true,
        fn: () => {},
      });
    }
    await using site = await startSite();
    const { sandbox } = site;
    const forward = `{ local: "127.0.0.1:1:127.0.0.1:1", name: low }`;
    await writeProfile(sandbox, { ...site, forward });
    const wrapper = `${sandbox.home}/as-user`;
    const line = sandbox.command(...START).map((word) => `'${word}'`).join(" ");
    await Deno.writeTextFile(
      wrapper,
      `#!/bin/sh\nexec ${setpriv} --bounding-set=-net_bind_service ${line}\n`,
    );
    await Deno.chmod(wrapper, 0o700);
    const { code, stdout, stderr } = await new Deno.Command(wrapper, {
      clearEnv: true,
      env: sandbox.env,
      cwd: sandbox.home,
    }).output();
    const text = new TextDecoder();
    const result = {
      code,
      stdout: text.decode(stdout),
      stderr: text.decode(stderr),
    };
    assertFails(result, 7, /^low: not allowed to listen on port 1$/);
    await assertNothingLeft(sandbox);
  },
);

Deno.test("wrong usage", async () => {
  await using sandbox = await Sandbox.create();
  for (
    const [args, error] of [
      [["profle"], /unknown command 'profle'/],
      [["profile", "strat", "x"], /unknown command 'strat'/],
      [["profile", "start"], /missing required argument/],
      [["profile", "stop"], /which profile\?/],
      [["profile", "list", "--jsno"], /unknown option '--jsno'/],
      [["profile", "list", "extra"], /too many arguments/],
      [["profile", "start", "x", "--timeout", "soon"], /--timeout soon/],
      [["profile", "logs", "x", "--lines", "-1"], /--lines -1/],
      [["profile", "show", "x", "--as", "toml"], /toml/],
    ] as const
  ) {
    const result = await sandbox.run([...args]);
    assertFails(result, 2, error);
  }
  const near = await sandbox.run(["profile", "strat", "x"]);
  assert.match(near.stderr, /^try: .*\bstart\b/m);
});

/** Profiles as a person makes, looks at, changes and removes them. */
import assert from "node:assert/strict";
import { Child } from "../support/child.ts";
import { Sandbox } from "../support/program.ts";
import { testWith } from "../support/requirements.ts";
import { startTerminal } from "../support/terminal.ts";
import { assertFails, ended, show, startSite, succeed } from "./setup.ts";

const WRITTEN = `# mine
version: 1

profiles:
  # at home
  home: # the old router
    server: i2p@192.0.2.1
    forwards:
      - console # 7657

      - http-proxy

  vps:
    server: me@example.org:2222
    forwards: [{ local: "8080:127.0.0.1:7657", name: router }]
`;

Deno.test("add, list and show", async () => {
  await using sandbox = await Sandbox.create();
  const said = await succeed(sandbox, [
    ...["profile", "add", "home", "--server", "i2p@192.0.2.1:2222"],
    ...["--service", "console", "--service", "http-proxy"],
    ...["-L", "8080:127.0.0.1:80", "-D", "1080", "-R", "2222:localhost:22"],
    ...["--jump", "a@b", "--identity", "~/.ssh/k"],
  ]);
  assert(said.includes(sandbox.profiles), said);
  assert.equal((await Deno.stat(sandbox.profiles)).mode! & 0o077, 0);

  const list = await succeed(sandbox, ["profile", "list"]);
  assert.match(
    list,
    /^NAME +SERVER +FORWARDS +STATE\nhome +i2p@192\.0\.2\.1:2222 +console, http-proxy, .*stopped\n$/,
  );
  const { profiles } = JSON.parse(
    await succeed(sandbox, ["profile", "list", "--json"]),
  );
  assert.equal(profiles[0].name, "home");
  assert.equal(profiles[0].forwards.length, 5);

  const shown = JSON.parse(
    await succeed(sandbox, ["profile", "show", "home", "--as", "json"]),
  );
  assert.deepEqual(shown.server, {
    user: "i2p",
    host: "192.0.2.1",
    port: 2222,
  });
  assert.deepEqual(shown.identity, ["~/.ssh/k"]);
  assert.deepEqual(
    shown.forwards.map((each: { kind: string }) => each.kind),
    ["local", "local", "local", "remote", "dynamic"],
  );
  const yaml = await succeed(sandbox, ["profile", "show", "home"]);
  const file = await Deno.readTextFile(sandbox.profiles);
  assert(file.includes(yaml.replaceAll(/^(?=.)/gm, "  ")), yaml);

  const again = await sandbox.run([
    ...["profile", "add", "home", "--server", "h", "--service", "irc"],
  ]);
  assertFails(again, 2, /profile "home" already exists/);
  assert.equal(await Deno.readTextFile(sandbox.profiles), file);
});

Deno.test("other programs get what ssh_config says of a Host", async () => {
  await using sandbox = await Sandbox.create();
  await Deno.writeTextFile(
    `${sandbox.home}/.ssh/config`,
    "Host router\n  HostName 192.0.2.7\n  User i2p\n  Port 2222\n" +
      "  IdentityFile /keys/router\n  ProxyJump gate\n" +
      "Host gate\n  HostName 192.0.2.1\n  User me\n",
  );
  const add = ["profile", "add", "home", "--server", "router"];
  await succeed(sandbox, [...add, "-L", "8080:127.0.0.1:80"]);
  const as = (format: string) =>
    succeed(sandbox, ["profile", "show", "home", "--as", format]);
  // it reads the file itself
  assert.match(await as("ssh"), / -L 8080:127\.0\.0\.1:80 router\n$/);
  assert.equal(
    await as("plink"),
    "plink -ssh -N -L 8080:127.0.0.1:80 -i /keys/router " +
      '-proxycmd "plink -batch -nc %host:%port me@192.0.2.1" ' +
      "-P 2222 i2p@192.0.2.7\n",
  );
  const entry = await as("ssh-config");
  for (
    const line of [
      ...["Host home", "HostName 192.0.2.7", "User i2p", "Port 2222"],
      ...["ProxyJump gate", "IdentityFile /keys/router"],
    ]
  ) {
    assert(entry.includes(`${line}\n`), entry);
  }
});

Deno.test("other programs get what ssh_config says of an address", async () => {
  await using sandbox = await Sandbox.create();
  await Deno.writeTextFile(
    `${sandbox.home}/.ssh/config`,
    "Host 192.0.2.9\n  Port 99\n  User i2p\nHost *\n  IdentityFile /a\n" +
      "  IdentityFile /b\n",
  );
  const add = ["profile", "add", "home", "--server", "192.0.2.9"];
  await succeed(sandbox, [...add, "-D", "1080"]);
  const show = ["profile", "show", "home", "--as"];
  assert.equal(
    await succeed(sandbox, [...show, "plink"]),
    "plink -ssh -N -D 1080 -P 99 i2p@192.0.2.9\n",
  );
  assert.match(
    await succeed(sandbox, [...show, "ssh-config"]),
    /HostName 192\.0\.2\.9\n {4}User i2p\n {4}Port 99\n {4}IdentityFile \/a\n/,
  );
});

Deno.test("without a terminal nothing is asked", async () => {
  await using sandbox = await Sandbox.create();
  const add = ["profile", "add", "home"];
  assertFails(await sandbox.run(add), 2, /server is missing/);
  assertFails(await sandbox.run([...add, "--server", "h"]), 2, /nothing to/);
  await sandbox.writeProfiles(WRITTEN);
  const remove = await sandbox.run(["profile", "remove", "home"]);
  assertFails(remove, 2, /needs a confirmation/);
  assert.equal(await Deno.readTextFile(sandbox.profiles), WRITTEN);
});

testWith(["tmux"], "add asks for what is missing", async () => {
  await using sandbox = await Sandbox.create();
  await using terminal = await startTerminal({
    command: sandbox.command("profile", "add", "home"),
    env: sandbox.env,
    width: 120,
    height: 40,
  });
  await terminal.waitFor(/Server \(\[user@\]host\[:port\]\):/);
  await terminal.type("i2p@");
  await terminal.press("Enter");
  await terminal.waitFor(/i2p@[^]*(no host|is missing|not a)/);
  await terminal.type("192.0.2.1");
  await terminal.press("Enter");
  await terminal.waitFor(/Which services/);
  await terminal.press("Enter");
  await terminal.waitFor(/added home to/);
  assert.equal(await terminal.exit(), 0);
  const { server, forwards } = JSON.parse(
    await succeed(sandbox, ["profile", "show", "home", "--json"]),
  );
  assert.deepEqual([server.user, server.host], ["i2p", "192.0.2.1"]);
  assert.deepEqual(
    forwards.map((each: { service: string }) => each.service),
    ["console", "http-proxy"],
  );
});

testWith(["tmux"], "Ctrl-C while add asks changes nothing", async () => {
  await using sandbox = await Sandbox.create();
  await using terminal = await startTerminal({
    command: sandbox.command("profile", "add", "home"),
    env: sandbox.env,
  });
  await terminal.waitFor(/Server/);
  await terminal.press("C-c");
  assert.equal(await terminal.exit(), 130);
  await assert.rejects(Deno.stat(sandbox.profiles), Deno.errors.NotFound);
});

Deno.test("comments, order and blank lines stay", async () => {
  await using sandbox = await Sandbox.create();
  await sandbox.writeProfiles(WRITTEN);
  const text = () => Deno.readTextFile(sandbox.profiles);
  await succeed(sandbox, [
    ...["profile", "add", "new", "--server", "h", "--service", "irc"],
  ]);
  assert.equal(
    await text(),
    `${WRITTEN}\n  new:\n    server: h\n    forwards:\n      - irc\n`,
  );
  await succeed(sandbox, ["profile", "remove", "new", "--yes"]);
  assert.equal(await text(), WRITTEN);
  await succeed(sandbox, ["profile", "edit", "home"], {
    env: { EDITOR: "sed -i s/192.0.2.1/192.0.2.2/" },
  });
  assert.equal(await text(), WRITTEN.replace("192.0.2.1", "192.0.2.2"));
  await succeed(sandbox, ["profile", "remove", "vps", "--yes"]);
  assert.equal(
    await text(),
    WRITTEN.replace("192.0.2.1", "192.0.2.2").replace(/\n {2}vps:[^]*/, ""),
  );
});

/** A program for $EDITOR. */
async function editor(sandbox: Sandbox, script: string): Promise<string> {
  const path = `${sandbox.home}/editor`;
  await Deno.writeTextFile(path, `#!/bin/sh\n${script}\n`);
  await Deno.chmod(path, 0o700);
  return path;
}

Deno.test("what an editor breaks is refused, and not lost", async () => {
  await using sandbox = await Sandbox.create();
  await sandbox.writeProfiles(WRITTEN);
  const edit = async (script: string) =>
    await sandbox.run(["profile", "edit", "home"], {
      env: { EDITOR: await editor(sandbox, script) },
    });
  const kept = async (stderr: string) => {
    const [, path] = /^try: .*your text is in (\S+)$/m.exec(stderr)!;
    return await Deno.readTextFile(path!);
  };

  const misspelt = await edit('sed -i s/server:/sever:/ "$1"');
  assertFails(misspelt, 2, /has 1 mistake/);
  assert.match(misspelt.stderr, /:2:3: unknown key "sever"; did you mean/);
  assert.match(await kept(misspelt.stderr), /sever: i2p@192\.0\.2\.1/);
  const renamed = await edit('sed -i s/home:/house:/ "$1"');
  assertFails(renamed, 2, /must hold the profile "home" and nothing else/);
  const failed = await edit('echo lost >> "$1"; exit 1');
  assertFails(failed, 2, /reported an error/);
  assert.match(await kept(failed.stderr), /lost/);
  const missing = await sandbox.run(["profile", "edit", "home"], {
    env: { VISUAL: "no-such-editor" },
  });
  assertFails(missing, 2, /cannot start the editor no-such-editor/);
  assert.equal(await Deno.readTextFile(sandbox.profiles), WRITTEN);

  const same = await edit("true");
  assert.match(same.stdout, /unchanged/);
  assert.equal(same.code, 0, show([], same));
});

testWith(["tmux"], "remove asks first", async () => {
  await using sandbox = await Sandbox.create();
  await sandbox.writeProfiles(WRITTEN);
  for (const [key, left] of [["n", true], ["y", false]] as const) {
    await using terminal = await startTerminal({
      command: sandbox.command("profile", "remove", "home"),
      env: sandbox.env,
    });
    await terminal.waitFor(/Remove home\?/);
    await terminal.type(key);
    await terminal.press("Enter");
    assert.equal(await terminal.exit(), 0);
    const text = await Deno.readTextFile(sandbox.profiles);
    assert.equal(text.includes("home:"), left);
  }
});

testWith(["sshd"], "what runs is not removed, but can be edited", async () => {
  await using site = await startSite();
  const { sandbox } = site;
  await succeed(sandbox, ["profile", "start", "home"]);
  const before = await Deno.readTextFile(sandbox.profiles);
  const refused = await sandbox.run(["profile", "remove", "home", "--yes"]);
  assertFails(refused, 2, /home is running/);
  assert.match(refused.stderr, /^try: i2ptun profile stop home$/m);
  assert.equal(await Deno.readTextFile(sandbox.profiles), before);
  const edited = await sandbox.run(["profile", "edit", "home"], {
    env: { EDITOR: await editor(sandbox, 'echo "  agent: false" >> "$1"') },
  });
  assert.equal(edited.code, 0, edited.stderr);
  assert.match(edited.stderr, /profile restart home/);
  await succeed(sandbox, ["profile", "stop", "home"]);
  await succeed(sandbox, ["profile", "remove", "home", "--yes"]);
  const { profiles } = JSON.parse(
    await succeed(sandbox, ["profile", "list", "--json"]),
  );
  assert.deepEqual(profiles, []);
});

Deno.test("the schema knows every key of the file", async () => {
  await using sandbox = await Sandbox.create();
  const schema = JSON.parse(await succeed(sandbox, ["schema"]));
  assert.match(schema.$schema, /^https:\/\/json-schema\.org\/draft\//);
  const profile = schema.properties.profiles.anyOf?.find((
    each: { additionalProperties?: unknown },
  ) => each.additionalProperties)?.additionalProperties ??
    schema.properties.profiles.additionalProperties;
  assert.deepEqual(Object.keys(profile.properties).sort(), [
    ...["agent", "connect_timeout", "forwards", "host_key", "identity", "jump"],
    ...["keepalive", "known_hosts", "reconnect", "server", "session"],
    "ssh_config",
  ]);
  assert.deepEqual(profile.required.sort(), ["forwards", "server"]);
  assert.equal(profile.additionalProperties, false);
});

Deno.test("help at every level", async () => {
  await using sandbox = await Sandbox.create();
  const bare = await sandbox.run([]);
  assert.equal(bare.code, 2);
  assert.equal(bare.stdout, "");
  const help = await succeed(sandbox, ["--help"]);
  assert.equal(bare.stderr, help);
  assert.equal(await succeed(sandbox, ["help"]), help);
  const group = await sandbox.run(["profile"]);
  assert.equal(group.code, 2);

  const commandsIn = (text: string) =>
    text.slice(text.indexOf("Commands:")).split("\n").slice(1)
      .map((line) => /^ {2}([a-z]\S*)/.exec(line)?.[1])
      .filter((name): name is string => name !== undefined && name !== "help");
  const commands = commandsIn(help);
  assert(commands.includes("profile") && commands.includes("demo"));
  assert(!commands.includes("background") && !commands.includes("complete"));
  const profile = await succeed(sandbox, ["profile", "--help"]);
  assert.equal(group.stderr, profile);
  const verbs = commandsIn(profile);
  for (const verb of ["add", "start", "status", "logs", "restart"]) {
    assert(verbs.includes(verb), verb);
  }
  const paths = [
    ...commands.map((name) => [name]),
    ...verbs.map((verb) => ["profile", verb]),
  ];
  const texts = await Promise.all(
    paths.map((path) => succeed(sandbox, [...path, "--help"])),
  );
  for (const [i, text] of texts.entries()) {
    const path = `i2ptun ${paths[i]!.join(" ")}`;
    assert(text.startsWith("Examples:\n  "), text);
    assert(text.includes(`\nUsage: ${path} `), text);
    // each option with a word about it
    assert.doesNotMatch(text, /^ {2}-[^ ]+( <[a-z]+>)?$/m);
  }
});

Deno.test("results for programs are JSON and nothing else", async () => {
  await using sandbox = await Sandbox.create();
  await sandbox.writeProfiles(WRITTEN);
  for (
    const args of [
      ["profile", "list"],
      ["profile", "status"],
      ["profile", "show", "home"],
      ["profile", "stop", "home"],
      ["profile", "stop", "--all"],
      ["version"],
      ["schema"],
      ["demo", "--once"],
      ["profile", "add", "new", "--server", "h", "--service", "console"],
      ["profile", "remove", "new", "--yes"],
    ]
  ) {
    const stdout = await succeed(sandbox, [...args, "--json"]);
    assert.equal(typeof JSON.parse(stdout), "object", stdout);
  }
});

testWith(["linux"], "colours, unless they are not wanted", async () => {
  await using sandbox = await Sandbox.create();
  await sandbox.writeProfiles(WRITTEN);
  const onTerminal = async (
    env: Record<string, string>,
    ...flags: string[]
  ) => {
    const words = sandbox.command("profile", "list", ...flags);
    const line = words.map((word) => `'${word}'`).join(" ");
    // script(1) of util-linux, which every Linux has, is a terminal that shows
    // what colours were asked for
    await using child = new Child("script", ["-qec", line, "/dev/null"], {
      env: { ...sandbox.env, ...env },
    });
    assert.equal(await ended(child), 0, child.output.text);
    await child.drained;
    assert.match(child.stdout.text, /stopped/);
    return child.stdout.text;
  };
  // deno-lint-ignore no-control-regex
  const escape = /\x1b\[/;
  assert.match(await onTerminal({}), escape);
  assert.doesNotMatch(await onTerminal({ NO_COLOR: "1" }), escape);
  assert.doesNotMatch(await onTerminal({ TERM: "dumb" }), escape);
  assert.doesNotMatch(await onTerminal({}, "--no-color"), escape);
  assert.doesNotMatch(await succeed(sandbox, ["profile", "list"]), escape);
});

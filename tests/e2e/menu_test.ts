/** `i2ptun` without arguments, once there are profiles: the menu. */
import assert from "node:assert/strict";
import { killHard } from "../support/processes.ts";
import { Sandbox } from "../support/program.ts";
import { startRelay } from "../support/relay.ts";
import { testWith } from "../support/requirements.ts";
import { startTerminal } from "../support/terminal.ts";
import { Person } from "./menu_setup.ts";
import {
  assertNothingLeft,
  assertServes,
  show,
  startSite,
  statusOf,
  succeed,
  writeProfile,
} from "./setup.ts";

Deno.test("without a terminal there is help, on standard error", async () => {
  await using sandbox = await Sandbox.create();
  for (const args of [[], ["--debug"], ["--config", "x.yaml"], ["--json"]]) {
    const result = await sandbox.run(args);
    assert.equal(result.code, 2, show(args, result));
    assert.equal(result.stdout, "");
    assert.match(result.stderr, /^Usage: i2ptun /m);
  }
});

testWith(["tmux"], "on a terminal that can only print, too", async () => {
  await using sandbox = await Sandbox.create();
  await using terminal = await startTerminal({
    command: ["env", "TERM=dumb", ...sandbox.command()],
    env: sandbox.env,
  });
  assert.equal(await terminal.exit(), 2);
  assert.match(await terminal.screen(), /: i2ptun schema$/);
  assert.doesNotMatch(terminal.written, /\\033/);
});

testWith(["sshd", "tmux"], "the menu does what it says, live", async () => {
  await using site = await startSite();
  const { sandbox } = site;
  await using person = await Person.start(sandbox);
  await person.sees(/^Your tunnels\n\n❯ home +○ stopped +\S+\n/m);
  await person.press("Enter");
  await person.chooses("Start");
  await person.sees(/^home is up, by /m);
  await person.sees(/^home +● up +for \d+ s/m);
  await assertServes(site);
  // traffic shows without a key being pressed
  await person.sees(/^ +page +\S+ +0 open, 1 in all/m);
  await person.chooses("Stop");
  await person.sees(/^stopped home$/m);
  await person.chooses("Start");
  await person.sees(/❯ Stop/);
  const before = await statusOf(sandbox);
  await person.chooses("Restart");
  await person.sees(/(home is up[^]*){2}❯ Stop/);
  const after = await statusOf(sandbox);
  assert.notEqual(after.pid, before.pid);

  // what happens elsewhere shows too, in both menus
  killHard([after.pid!]);
  await person.sees(/^home +○ stopped[^]*❯ Start/m);
  await person.press("Escape");
  await person.sees(/❯ home +○ stopped/);
  await succeed(sandbox, ["profile", "start", "home"]);
  await person.sees(/❯ home +● up/);

  await person.press("Enter");
  await person.chooses("Check");
  await person.sees(/^✓ login [^]*^✓ target:page [^]*^Any key: back$/m);
  await person.press("x");
  await person.chooses("Log");
  await person.sees(/ \S* *info .*\nAny key: back$/);
  await person.press("x");
  await person.sees(/❯ Log/);
  await person.press("C-c");
  await person.leaves(130);
  assert.equal((await statusOf(sandbox)).state, "up");
  await succeed(sandbox, ["profile", "stop", "home"]);
});

testWith(
  ["sshd", "tmux"],
  "the menu opens pages, edits and removes",
  async () => {
    await using site = await startSite();
    const { sandbox } = site;
    await writeProfile(sandbox, {
      server: site.server,
      forward: `{ service: console, listen: ${site.port} }`,
    });
    await Deno.writeTextFile(
      `${sandbox.home}/editor`,
      '#!/bin/sh\necho which?\nread -r service\nsed -i "s/console/$service/" "$1"\n',
      { mode: 0o755 },
    );
    await using person = await Person.start(sandbox, {
      EDITOR: `${sandbox.home}/editor`,
      FORCE_HYPERLINK: "1",
    });
    await person.chooses("home");
    await person.chooses("Start");
    await person.chooses("Open console in the browser");
    while ((await person.opened()).length === 0) await person.sees(/./);
    const url = `http://127.0.0.1:${site.port}/`;
    assert.deepEqual(await person.opened(), [url]);
    assert(person.terminal.written.includes(`\\033]8;;${url}\\033`));
    await person.chooses("Edit");
    // the editor has the terminal for itself, from the first key on
    await person.answers(/^which\?$/m, "i2pd-console");
    await person.sees(/^saved home[^]*profile restart home/m);
    await person.chooses("Stop");
    await person.sees(/ i2pd-console /);
    await person.chooses("Remove");
    await person.sees(/\? Remove home\? \(y\/N\)/);
    await person.press("Escape");
    await person.chooses("Remove");
    await person.sees(/\? Remove home\?[^]*\? Remove home\? \(y\/N\)/);
    await person.press("y", "Enter");
    await person.sees(/removed home[^]*Your tunnels[^]*❯ \+ Add a server/);
    await person.chooses("Quit");
    await person.leaves(0);
  },
);

testWith(
  ["sshd", "linux", "tmux"],
  "the menu starts a browser for I2P, or says what it needs",
  async () => {
    await using site = await startSite();
    const { sandbox, server, port } = site;
    const proxy = `{ service: http-proxy, listen: ${port} }`;
    const bin = `${sandbox.home}/bin`;
    const browsers = `${sandbox.home}/browsers`;
    await Deno.mkdir(browsers);
    // none of this machine's browsers, but what the terminal needs
    await Deno.mkdir(bin);
    for (const name of ["sh", "stty", "sleep"]) {
      await Deno.writeTextFile(
        `${bin}/${name}`,
        `#!/bin/sh\nexec /bin/${name} "$@"\n`,
        { mode: 0o755 },
      );
    }
    const PATH = `${bin}:${browsers}`;
    await writeProfile(sandbox, { server, forward: proxy });
    await succeed(sandbox, ["profile", "start", "home"]);
    await using person = await Person.start(sandbox, { PATH });
    await person.chooses("home");
    await person.chooses("Browse I2P  needs Firefox or Chromium");
    await person.sees(/^error: found no Firefox and no Chromium\ntry: /m);
    await person.press("Escape");
    await Deno.writeTextFile(
      `${browsers}/firefox`,
      `#!/bin/sh\necho "$@" > "${browsers}/args"\n`,
      { mode: 0o755 },
    );
    await person.sees(/❯ home/);
    await person.press("Enter");
    await person.chooses("Browse I2P with a Firefox of its own");
    await person.sees(/^started firefox; [^]*❯ Browse I2P[^]*back$/m);
    const args = await Deno.readTextFile(`${browsers}/args`);
    assert.match(args, /^--profile \S+ file:\S+start\.html\n$/);
    await person.press("C-c");
    await person.leaves(130);

    await succeed(sandbox, ["profile", "stop", "home"]);
    const console = `{ service: console, listen: ${port} }`;
    await writeProfile(sandbox, { server, forward: console });
    await succeed(sandbox, ["profile", "start", "home"]);
    await using other = await Person.start(sandbox, { PATH });
    await other.chooses("home");
    await other.chooses("Browse I2P  needs http-proxy among its forwards");
    await other.sees(
      /^error: home has no forward[^]*^try: add http-proxy[^]*❯ Browse[^]*back$/m,
    );
    await other.press("C-c");
    await other.leaves(130);
  },
);

testWith(
  ["linux", "tmux"],
  "the menu makes a profile start at login",
  async () => {
    await using sandbox = await Sandbox.create();
    await writeProfile(sandbox, {
      server: "me@127.0.0.1:1",
      forward: "console",
    });
    // it keeps whether the unit is enabled, as systemd does
    const on = `${sandbox.home}/enabled`;
    await Deno.mkdir(`${sandbox.home}/bin`);
    await Deno.writeTextFile(
      `${sandbox.home}/bin/systemctl`,
      `#!/bin/sh\ncase "$2" in\n` +
        `enable) echo "$4" > ${on};;\n` +
        `disable) rm -f ${on};;\n` +
        `is-*) test -e ${on};;\nesac\n`,
      { mode: 0o755 },
    );
    await using person = await Person.start(sandbox);
    await person.chooses("home");
    await person.chooses("Start at login");
    await person.sees(/^home starts at login$/m);
    assert.match(await Deno.readTextFile(on), /home/);
    await person.chooses("Do not start at login any more");
    await person.sees(
      /^home does not start by itself any more[^]*❯ Start at l/m,
    );
    await assert.rejects(Deno.stat(on), Deno.errors.NotFound);
    await person.press("C-c");
    await person.leaves(130);
  },
);

testWith(["tmux"], "a failure leads back to the menu", async () => {
  await using sandbox = await Sandbox.create();
  await writeProfile(sandbox, { server: "me@127.0.0.1:1", forward: "console" });
  await using person = await Person.start(sandbox);
  await person.chooses("home");
  await person.chooses("Start");
  await person.sees(
    /^error: 127\.0\.0\.1:1 refused [^]*^try: [^]*^home +○ stopped/m,
  );
  await person.chooses("Check");
  await person.sees(/^✗ tcp [^]*^error: [^]*^Any key: back$/m);
  await person.press("C-c");
  await person.sees(/❯ Check/);
  await person.press("Escape");
  await person.chooses("+ Add a server");
  await person.answers(/\? Server \(/, "127.0.0.1:2");
  await person.sees(/\? User name/);
  await person.press("C-c");
  await person.sees(/❯ \+ Add a server/);
  await person.press("Enter");
  // what was typed is there again
  await person.sees(/\? Server \(.*: 127\.0\.0\.1:2$/);
  await person.press("Escape");
  await person.sees(/❯ \+ Add a server/);
  await person.press("Escape");
  await person.leaves(0);
});

testWith(["sshd", "tmux"], "Escape leads back from a wait", async () => {
  await using site = await startSite();
  const { sandbox, sshd, forward } = site;
  await using relay = startRelay({ to: sshd });
  relay.stall();
  const server = `${sshd.user}@${relay.host}:${relay.port}`;
  await writeProfile(sandbox, { server, forward });
  await using person = await Person.start(sandbox);
  await person.chooses("home");
  for (const [choice, wait] of [["Start", "starting"], ["Check", "checking"]]) {
    await person.chooses(choice!);
    await person.sees(new RegExp(`^[|/\\\\-] ${wait} home`, "m"));
    await person.press("Escape");
    await person.sees(new RegExp(`❯ ${choice}[^]*Esc back$`));
  }
  await person.press("Escape");
  await person.sees(/Esc quit$/);
  await person.press("Escape");
  await person.leaves(0);
  await assertNothingLeft(sandbox, site.port);
});

testWith(["linux", "tmux"], "who comes from PuTTY", async () => {
  await using sandbox = await Sandbox.create();
  const sessions = `${sandbox.home}/.putty/sessions`;
  await Deno.mkdir(sessions, { recursive: true });
  const save = (name: string, forwards: string) =>
    Deno.writeTextFile(
      `${sessions}/${name}`,
      `Protocol=ssh\nHostName=i2p@20.228.143.58\nPortForwardings=${forwards}\n`,
    );
  await save("I2P%20Tunnel", "L7657=127.0.0.1:7657");
  const question = /^\? PuTTY has saved sessions with tunnels\. Import them\?/m;
  await using refusing = await Person.start(sandbox);
  await refusing.sees(question);
  await refusing.press("Escape");
  await refusing.sees(/^\? Server \(/m);
  await refusing.press("Escape");
  await refusing.leaves(0);

  await using person = await Person.start(sandbox);
  await person.sees(question);
  await person.press("Enter");
  await person.sees(/◉ I2P Tunnel/);
  await person.press("Enter");
  await person.sees(/❯ I2P-Tunnel +○ stopped +i2p@20\.228\.143\.58:22$/m);
  await save("More", "D1080");
  await person.chooses("+ Import PuTTY's sessions");
  await person.sees(/◉ More/);
  await person.press("Escape");
  await person.sees(/Esc quit$/);
  await person.press("Escape");
  await person.leaves(0);
});

testWith(["tmux"], "mistakes in the file can be edited away", async () => {
  await using sandbox = await Sandbox.create();
  await sandbox.writeProfiles("version: 1\nprofiles:\n  home: {}\n");
  await Deno.writeTextFile(
    `${sandbox.home}/good.yaml`,
    "version: 1\nprofiles: { home: { server: h, forwards: [console] } }\n",
  );
  await using person = await Person.start(sandbox, {
    VISUAL: `cp ${sandbox.home}/good.yaml`,
  });
  await person.sees(/^error: [^]*❯ Edit the file/m);
  await person.press("Enter");
  await person.sees(/❯ home +○ stopped/);
  await person.press("Escape");
  await person.leaves(0);
});

testWith(["tmux"], "many profiles, no colours, no room", async () => {
  await using sandbox = await Sandbox.create();
  const long = `${"a".repeat(60)}.example.org`;
  const names = Array.from({ length: 40 }, (_, i) => `profile-${i + 1}`);
  await sandbox.writeProfiles(
    "version: 1\nprofiles:\n" +
      names.map((name) => `  ${name}: { server: ${long}, forwards: [sam] }\n`)
        .join(""),
  );
  await using person = await Person.start(sandbox, { NO_COLOR: "1" });
  await person.sees(/❯ profile-1 [^]*Esc quit$/);
  await person.fits(/^Your tunnels$/m);
  await person.press("Up");
  await person.sees(/❯ Quit/);
  await person.fits(/^Your tunnels$/m);
  await person.press("Up", "Enter");
  await person.sees(/\? Server \(/);
  await person.press("Escape");
  await person.sees(/❯ \+ Add a server/);
  await person.press("Up");
  await person.sees(/❯ profile-40 /);
  await person.press("Enter");
  await person.sees(/❯ Start[^]*Esc back$/);
  await person.fits(/^profile-40 /m);
  await person.press("C-c");
  const { terminal } = person;
  await person.terminal.exit();
  assert.doesNotMatch(terminal.written, /\\033\[\d[\d;]*m/);
  await person.leaves(130);
});

testWith(["tmux"], "the window gets another size", async () => {
  await using sandbox = await Sandbox.create();
  const server = `me@${"long-".repeat(12)}name.example.org`;
  // wide characters take two columns each
  const forwards = `[{ local: "/tmp/${"控制台".repeat(6)}:127.0.0.1:1" }]`;
  await sandbox.writeProfiles(
    `version: 1\nprofiles:\n  home: { server: ${server}, forwards: ${forwards} }\n`,
  );
  await using person = await Person.start(sandbox);
  await person.sees(/❯ home +○ stopped +me@\S+…\n/);
  const { terminal } = person;
  const resized = async (width: number, height: number, wanted: RegExp) => {
    await terminal.resize(width, height);
    const { input: screen } = await person.sees(wanted);
    assert.equal(screen.match(/home +○ stopped/g)!.length, 1, screen);
    assert(screen.split("\n").length <= height, screen);
  };
  await resized(40, 12, /^Your tunnels\n\n❯ home .*…\n[^]*Esc quit$/);
  await person.press("Enter");
  await person.sees(/^home +○ stopped.*…$[^]*❯ Start[^]*Esc back$/m);
  await resized(30, 8, /^home .*…\n\n❯ Start\n[^]*Es…$/);
  await resized(80, 24, /^home .*…\n[^]*❯ Start\n[^]*Back\n\n.*Esc back$/);
  await person.press("C-c");
  await person.leaves(130);
});

for (const env of [{}, { NO_COLOR: "1" }]) {
  const how = env.NO_COLOR ? "without colours" : "in colours";
  testWith(
    ["sshd", "tmux"],
    `a question in a narrower window, ${how}`,
    async () => {
      await using site = await startSite();
      await site.sandbox.writeProfiles("version: 1\nprofiles: {}\n");
      await using person = await Person.start(site.sandbox, env);
      const { terminal } = person;
      const seesOnce = async (question: RegExp, end: RegExp) => {
        const { input: screen } = await person.sees(end);
        const times = screen.match(new RegExp(question, "g"))?.length;
        assert.equal(times, 1, screen);
      };
      const server = /\? Server \(such as me@/;
      await person.sees(server);
      await terminal.resizeFully(50, 40);
      await terminal.type("i2p@a.very.long.name.example.org");
      await seesOnce(server, /example\.org$/);
      for (
        const [width, letter] of [[30, "a"], [25, "b"], [80, "c"]] as const
      ) {
        await terminal.resizeFully(width, 40);
        await terminal.type(letter);
        await seesOnce(server, new RegExp(`${letter}$`));
      }
      await person.press("C-u");
      await terminal.type(site.server);
      await person.press("Enter");
      const services = /\? Which services/;
      await person.sees(/❯◉ console[^]*submit$/);
      for (
        const [width, choice] of [[45, "console-ssl"], [
          30,
          "i2pd-console",
        ]] as const
      ) {
        await terminal.resizeFully(width, 40);
        await person.press("Down");
        await seesOnce(services, new RegExp(`^❯◯ ${choice} `, "m"));
      }
      await person.press("C-c");
      await person.leaves(130);
    },
  );
}

testWith(["tmux"], "the window stays until an error was read", async () => {
  await using sandbox = await Sandbox.create();
  delete sandbox.env.HOME;
  await using person = await Person.start(sandbox);
  await person.sees(/^error: HOME is not set[^]*^Press any key to close$/m);
  await person.press("Space");
  await person.leaves(2);
});

/** `i2ptun` without arguments and without profiles: the first run. */
import assert from "node:assert/strict";
import { Sandbox } from "../support/program.ts";
import { startRelay } from "../support/relay.ts";
import { startRemoteHost } from "../support/remote_host.ts";
import { testWith } from "../support/requirements.ts";
import { startSshd } from "../support/sshd.ts";
import { testUser } from "../support/test_user.ts";
import { Person } from "./menu_setup.ts";
import {
  assertNothingLeft,
  filesWith,
  get,
  statusOf,
  succeed,
} from "./setup.ts";

const SERVER = /^\? Server \(/m;
const TRUST = /^\? Trust it/m;
const PASSWORD = /^\? .*Password for /m;
const SERVICES = /^\? Which services/m;
const NAME = /^\? Name for this connection: \(home\)/m;
const draftOf = ({ home }: Sandbox) => `${home}/.local/state/i2ptun/draft.json`;
const HOME_KEYS = "AuthorizedKeysFile .ssh/authorized_keys";

testWith(
  ["remote-host-with-i2pd", "test-user", "tmux"],
  "from an empty home to an open console, by password",
  async () => {
    await using user = await testUser();
    await using host = await startRemoteHost({
      i2pd: true,
      sshd: { config: HOME_KEYS },
    });
    await using sandbox = await Sandbox.create();
    await using person = await Person.start(sandbox);
    await person.sees(SERVER);
    await person.fits(/^Welcome to i2ptun/m);
    await person.answers(SERVER, `${user.name}@${host.address}`);
    await person.sees(TRUST);
    const screen = await person.terminal.screen();
    assert(screen.includes(host.sshd.hostKeys[0]!.sha256), screen);
    await person.press("y", "Enter");
    await person.answers(PASSWORD, user.password);
    // the router's services, as they are, and nothing else is ticked
    await person.sees(/◉ i2pd-console +port 7070 .*✓ i2pd webconsole \d/);
    await person.sees(/◉ http-proxy .*✓/);
    await person.sees(/◯ console .*\n/);
    await person.fits(SERVICES);
    await person.answers(SERVICES);
    await person.answers(NAME);
    const [, url] = await person.sees(
      /home is up, by [^]*i2pd-console +(http:\/\/127\.0\.0\.1:\d+\/)/,
    );
    await person.sees(/^\? Log in with a key from now on/m);
    // from an empty home to the console in the browser
    assert(person.presses <= 8, `${person.presses} key presses`);
    assert.equal(person.presses, 6);
    assert.deepEqual(await person.opened(), [url]);
    const port = Number(new URL(url!).port);
    assert.match(await get(port), /Purple I2P Webconsole/);

    // as offered, by key from now on
    await person.press("Enter");
    await person.sees(/^logged in with that key alone/m);
    await person.sees(/^home +● up[^]*Esc back$/m);
    await person.fits(/^home +● up/m);
    assert.doesNotMatch(await person.terminal.screen(), /Open i2pcontrol/);
    await person.chooses("Stop");
    await person.sees(/^home +○ stopped/m);
    await person.chooses("Start");
    await person.sees(/^home +● up/m);
    assert.match(await get(port), /Purple I2P Webconsole/);
    await person.press("Escape");
    await person.chooses("Quit");
    await person.sees(/^home still runs/m);
    await person.leaves(0);

    assert.equal((await statusOf(sandbox)).state, "up");
    await assert.rejects(Deno.stat(draftOf(sandbox)), Deno.errors.NotFound);
    assert.deepEqual(filesWith(sandbox.home, user.password), []);
    const profile = await succeed(sandbox, ["profile", "show", "home"]);
    assert(profile.includes(`server: ${user.name}@${host.address}\n`), profile);
    await succeed(sandbox, ["profile", "stop", "home"]);
    await assertNothingLeft(sandbox);
  },
);

testWith(
  ["remote-host", "test-user", "tmux"],
  "every mistake is explained, and asked again; Escape leads back",
  async () => {
    await using user = await testUser();
    await using host = await startRemoteHost();
    await using sandbox = await Sandbox.create();
    const { address } = host;
    await using person = await Person.start(sandbox);

    await person.answers(SERVER, "a b");
    await person.sees(/> "a b" is not a host name/);
    await person.press("C-u");
    // the user is asked for apart, and stays when the server was wrong
    await person.answers(SERVER, `${address}:1`);
    const userQuestion = /^\? User name on the server: /m;
    await person.sees(userQuestion);
    await person.press("Escape");
    await person.sees(/\? Server \(.*10\.[\d.]+:1$/);
    await person.press("Enter");
    // the one that was left stands there too
    await person.sees(/(✔ Server [^]*\? User name [^]*){2}/);
    await person.answers(userQuestion, user.name);
    // where its SSH is instead
    await person.sees(
      /^error: [^]*refused[^]*^try: an SSH server[^]*answers at [\d.\n]+:22:/m,
    );
    await person.sees(/\? Server \(.*:1$/);
    await person.press("C-u");
    await person.answers(SERVER, address);
    await person.sees(new RegExp(`User name on the server: ${user.name}$`));
    await person.press("Enter");

    await person.answers(TRUST, "no");
    await person.sees(/^error: [^]*was not accepted/m);
    await person.sees(new RegExp(`\\? Server \\(.*: ${address}$`));
    await person.press("Enter");
    await person.sees(new RegExp(`User name on the server: ${user.name}$`));
    await person.press("Enter");
    await person.answers(TRUST, "yes");

    for (let i = 1; i <= 3; i++) {
      await person.sees(i === 1 ? /\? Password/ : /\? That was wrong/);
      await person.terminal.type("wrong");
      await person.press("Enter");
      await person.sees(new RegExp(`(✔ .*Password[^]*){${i}}`));
    }
    await person.sees(/^error: login as [^]*How do you want to go on\?/m);
    await person.press("Enter");
    await person.sees(/go on\? Try the password again\n\? Password for/);
    await person.press("Escape");
    await person.sees(new RegExp(`User name on the server: ${user.name}$`));
    await person.press("Enter");
    await person.sees(/\? Password for .*\n.*$/);
    await person.terminal.type(user.password);
    await person.press("Enter");
    await person.sees(/No I2P service answers on the server/);
    await person.press("Enter");
    await person.sees(/\? Name for this connection/);
    await person.press("Escape");
    await person.sees(/\? Which services [^]*◉ console [^]*submit$/);
    await person.press("C-c");
    await person.sees(/^What you typed is kept/m);
    await person.leaves(130);
    await assert.rejects(Deno.stat(sandbox.profiles), Deno.errors.NotFound);

    // the next time it goes on with what was typed, but for what is secret
    assert.equal((await Deno.stat(draftOf(sandbox))).mode! & 0o777, 0o600);
    assert.deepEqual(filesWith(sandbox.home, user.password), []);
    await using later = await Person.start(sandbox);
    await later.sees(/stands there again\.$/m);
    await later.answers(new RegExp(`\\? Server \\(.*: ${address}$`, "m"));
    await later.answers(
      new RegExp(`User name on the server: ${user.name}$`, "m"),
    );
    await later.answers(PASSWORD, user.password);
    await later.answers(SERVICES);
    await later.sees(/\? Name for this connection/);
    await later.press("C-c");
    await later.leaves(130);
    await assertNothingLeft(sandbox);
  },
);

testWith(["sshd", "tmux"], "with a key file from anywhere", async () => {
  await using sshd = await startSshd();
  await using sandbox = await Sandbox.create();
  await sandbox.trust(sshd);
  const key = await sandbox.key({ file: "../from the provider.pem" });
  await sshd.authorize(key.publicLine);
  await Deno.mkdir(`${sandbox.home}/.config/i2ptun`, { recursive: true });
  await using person = await Person.start(sandbox);
  const server = `${sshd.user}@${sshd.host}:${sshd.port}`;
  await person.answers(SERVER, server);
  // the test's server asks root for a password too
  await person.sees(/\? Password for/);
  await person.press("Enter");
  await person.sees(/\? That was wrong/);
  await person.press("Enter");
  await person.sees(/(✔ .*Password[^]*){2}\? That was wrong/);
  await person.press("Enter");
  await person.chooses("Log in with a key file");
  await person.sees(/\? Private key file/);
  await person.terminal.type("'~/from the provider.pem'");
  await person.press("Enter");
  await person.answers(SERVICES);
  await person.answers(NAME);
  await person.sees(/home is up/);
  // no password was typed, so none is to be replaced
  await person.sees(/^home +● up[^]*Esc back$/m);
  await person.press("C-c");
  await person.leaves(130);
  const yaml = await Deno.readTextFile(sandbox.profiles);
  assert(yaml.includes("identity: "), yaml);
  await succeed(sandbox, ["profile", "stop", "home"]);
});

for (const key of ["Escape", "C-c"]) {
  testWith(["tmux"], `${key} at the first question leads out`, async () => {
    await using sandbox = await Sandbox.create();
    await using person = await Person.start(sandbox);
    await person.sees(SERVER);
    await person.terminal.type("example.org");
    await person.press(key);
    await person.leaves(key === "Escape" ? 0 : 130);
    await assert.rejects(Deno.stat(sandbox.profiles), Deno.errors.NotFound);
  });
}

testWith(
  ["sshd", "test-user", "tmux"],
  "what is half typed stands there again, but for passwords",
  async () => {
    await using user = await testUser();
    await using sshd = await startSshd();
    await using sandbox = await Sandbox.create();
    await sandbox.trust(sshd);
    const at = `${sshd.host}:${sshd.port}`;
    const secret = "not-the-password";
    const first = await Person.start(sandbox);
    await first.sees(SERVER);
    await first.terminal.type(at.slice(0, -2));
    await first.press("Escape");
    await first.sees(/^What you typed is kept/m);
    await first.leaves(0);

    await using person = await Person.start(sandbox);
    await person.sees(
      new RegExp(`stands there again[^]*: ${at.slice(0, -2)}$`),
    );
    await person.answers(SERVER, at.slice(-2));
    await person.sees(/\? User name on the server: /);
    await person.press("C-u");
    await person.terminal.type(user.name.slice(0, -1));
    await person.press("Escape");
    await person.sees(new RegExp(`(✔ Server [^]*)\\? Server .*: ${at}$`));
    await person.press("Enter");
    const half = new RegExp(`on the server: ${user.name.slice(0, -1)}$`);
    await person.sees(half);
    // left as it is, it is kept too
    await person.press("Escape");
    await person.sees(new RegExp(`(✔ Server [^]*){2}\\? Server .*: ${at}$`));
    await person.press("Enter");
    await person.sees(new RegExp(`(✔ Server [^]*){3}${half.source}`));
    await person.answers(/./, user.name.slice(-1));

    await person.sees(PASSWORD);
    await person.terminal.type(secret);
    await person.press("Escape");
    const whole = new RegExp(`\\? User name on the server: ${user.name}$`);
    await person.answers(whole);
    // with the half-typed one before it, this would be wrong
    await person.answers(/\? Password for .*\nctrl.*$/, user.password);
    await person.answers(SERVICES);
    await person.sees(/\? Name for this connection/);
    await person.terminal.type("mi");
    await person.press("Escape");
    await person.answers(/\? Which services [^]*submit$/);
    await person.sees(/\? Name for this connection: mi$/);
    await person.terminal.type("n");
    await person.sees(/\? Name for this connection: min$/);
    await person.press("C-c");
    await person.leaves(130);
    assert.deepEqual(filesWith(sandbox.home, secret), []);

    await using later = await Person.start(sandbox);
    await later.answers(SERVER);
    await later.answers(whole);
    await later.answers(PASSWORD, user.password);
    await later.answers(SERVICES);
    await later.answers(/\? Name for this connection: min$/, "e");
    await later.sees(/^mine is up/m);
    await assert.rejects(Deno.stat(draftOf(sandbox)), Deno.errors.NotFound);
    await succeed(sandbox, ["profile", "stop", "mine"]);
  },
);

testWith(
  ["sshd", "tmux"],
  "Escape and Ctrl-C while it connects lead back and out",
  async () => {
    await using sshd = await startSshd();
    await using relay = startRelay({ to: sshd });
    await using sandbox = await Sandbox.create();
    relay.stall();
    await using person = await Person.start(sandbox);
    await person.answers(SERVER, `me@${relay.host}:${relay.port}`);
    await person.sees(/^[|/\\-] connecting to me@/m);
    await person.press("Escape");
    await person.sees(/✔ Server [^]*\? Server .*:\d+$/);
    await person.press("Enter");
    await person.sees(/^[|/\\-] connecting to me@/m);
    await person.press("C-c");
    await person.leaves(130);
    await assertNothingLeft(sandbox);
  },
);

testWith(
  ["sshd", "test-user", "tmux"],
  "Escape and Ctrl-C at the questions of a login",
  async () => {
    await using user = await testUser();
    await using sshd = await startSshd();
    await using sandbox = await Sandbox.create();
    const server = `${user.name}@${sshd.host}:${sshd.port}`;
    const again = new RegExp(`\\? Server \\(.*: ${server.slice(0, 20)}[^?]*$`);
    for (const question of [TRUST, PASSWORD]) {
      for (const key of ["Escape", "C-c"]) {
        await using person = await Person.start(sandbox);
        // what was typed the last time stands there
        await person.sees(SERVER);
        await person.press("C-u");
        await person.answers(SERVER, server);
        if (question === PASSWORD && key === "Escape") {
          await person.answers(TRUST, "yes");
        }
        await person.sees(question);
        await person.press(key);
        if (key === "Escape") {
          await person.sees(again);
          await person.press("Escape");
        }
        await person.leaves(key === "Escape" ? 0 : 130);
      }
    }
    await assertNothingLeft(sandbox);
  },
);

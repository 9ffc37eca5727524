/** Tables fit the terminal. */
import assert from "node:assert/strict";
import { startTerminal } from "../support/terminal.ts";
import { testWith } from "../support/requirements.ts";
import { type Site, startSite, succeed } from "./setup.ts";

/** What a command shows on a terminal of so many columns, line by line. */
async function linesOf(
  { sandbox }: Site,
  width: number,
  ...args: string[]
): Promise<string[]> {
  await using terminal = await startTerminal({
    command: sandbox.command(...args),
    env: sandbox.env,
    width,
    height: 40,
  });
  assert.equal(await terminal.exit(), 0);
  return (await terminal.screen()).trimEnd().split("\n");
}

const LONG = "a-user@a-long-name-of-a-server.example.org";

testWith(
  ["sshd", "tmux"],
  "profiles in as many columns as there are",
  async () => {
    await using site = await startSite();
    const { sandbox } = site;
    const add = ["profile", "add", "far", "--server", LONG];
    const services = ["console", "http-proxy", "irc"];
    await succeed(sandbox, [
      ...add,
      ...services.flatMap((s) => ["--service", s]),
    ]);
    assert.deepEqual(await linesOf(site, 80, "profile", "list"), [
      `NAME  ${"SERVER".padEnd(LONG.length)}  FORWARDS         STATE`,
      `home  ${site.server.padEnd(LONG.length)}  page             ○ stopped`,
      `far   ${LONG}  console,         ○ stopped`,
      `${" ".repeat(LONG.length + 8)}http-proxy, irc`,
    ]);
    const whole = await succeed(sandbox, ["profile", "list"]);
    assert.match(whole, /console, http-proxy, irc {2}○ stopped$/m);
    const stopped = await linesOf(site, 80, "profile", "status");
    assert.equal(stopped[1], `  page  → 127.0.0.1:${site.page.port}`);

    await succeed(sandbox, ["profile", "start", "home"]);
    const [, row] = await linesOf(site, 70, "profile", "status", "home");
    const [, wholeRow] = (await succeed(sandbox, ["profile", "status", "home"]))
      .split("\n");
    const target = `  → 127.0.0.1:${site.page.port}`;
    assert(wholeRow!.length > 70 && wholeRow!.includes(target), wholeRow);
    assert.equal(row, wholeRow!.replace(target, ""));
  },
);

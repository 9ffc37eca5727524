/** The quick suite for an executable: everything once, without i2pd. */
import assert from "node:assert/strict";
import { freePort } from "../support/ports.ts";
import { killHard } from "../support/processes.ts";
import { testWith } from "../support/requirements.ts";
import { Sandbox } from "../support/program.ts";
import { startTerminal } from "../support/terminal.ts";
import {
  assertNothingLeft,
  assertServes,
  ended,
  startSite,
  statusOf,
  statusUntil,
  succeed,
} from "./setup.ts";

Deno.test("it tells its version, and where its files are", async () => {
  await using sandbox = await Sandbox.create();
  const line = (await succeed(sandbox, ["--version"])).trim();
  const [, version, source, deno] =
    /^i2ptun (\d+\.\d+\.\d+) \((.+), Deno (\d+\.\d+\.\d+)\)$/.exec(line) ??
      assert.fail(line);
  assert.match(
    source!,
    Deno.env.has("I2PTUN_BIN")
      ? /^(commit [0-9a-f]{12}( with changes)?|unknown commit)$/
      : /^run from source$/,
  );
  const about = JSON.parse(await succeed(sandbox, ["version", "--json"]));
  assert.deepEqual(
    [about.i2ptun, about.source, about.deno, about.profiles],
    [version, source, deno, sandbox.profiles],
  );
  const said = await succeed(sandbox, ["version"]);
  assert(said.includes(line) && said.includes(sandbox.profiles), said);
});

Deno.test("the demo fetches a page through a real tunnel", async () => {
  await using sandbox = await Sandbox.create();
  // which has nothing to do with what is on this machine
  using proxy = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const address = `http://127.0.0.1:${proxy.addr.port}`;
  sandbox.env.HTTP_PROXY = sandbox.env.http_proxy = address;
  const said = await succeed(sandbox, ["demo", "--once"]);
  const [, url] = /fetched (http:\/\/127\.0\.0\.1:\d+\/) through/.exec(said)!;
  await assertNothingLeft(sandbox, Number(new URL(url!).port));
});

Deno.test("the demo stays until Ctrl-C", async () => {
  await using sandbox = await Sandbox.create();
  const demo = sandbox.spawn(["demo"]);
  const [, url] = await demo.waitFor(/Open (http:\S+) in a browser; Ctrl-C/);
  assert.match(await (await fetch(url!)).text(), /Sample router console/);
  demo.signal("SIGINT");
  assert.equal(await ended(demo), 130);
  await assertNothingLeft(sandbox, Number(new URL(url!).port));
});

testWith(["tmux"], "the window's title says what runs in it", async () => {
  await using sandbox = await Sandbox.create();
  await using terminal = await startTerminal({
    command: sandbox.command("demo"),
    env: sandbox.env,
  });
  const before = await terminal.title();
  await terminal.waitFor(/Ctrl-C ends the demo/);
  assert.equal(await terminal.title(), "i2ptun: demo");
  await terminal.press("C-c");
  assert.equal(await terminal.exit(), 130);
  assert.equal(await terminal.title(), before);
});

testWith(["sshd"], "a profile from its making to its end", async () => {
  await using site = await startSite();
  const { sandbox, server, page } = site;
  const port = freePort();
  await Deno.remove(sandbox.profiles);

  await succeed(sandbox, [
    ...["profile", "add", "home", "--server", server],
    ...["-L", `127.0.0.1:${port}:127.0.0.1:${page.port}`],
  ]);
  const { profiles } = JSON.parse(
    await succeed(sandbox, ["profile", "list", "--json"]),
  );
  assert.equal(profiles.length, 1);
  assert.equal(profiles[0].name, "home");
  assert.equal(profiles[0].server, server);
  assert.equal(profiles[0].state, "stopped");

  await succeed(sandbox, ["profile", "start", "home"]);
  await assertServes({ ...site, port });
  const status = await statusOf(sandbox);
  assert.equal(status.state, "up");
  assert.equal(status.forwards[0]!.connections.total, 1);

  // a crash
  killHard([status.pid!]);
  await statusUntil(sandbox, ({ state }) => state === "stopped");
  await succeed(sandbox, ["profile", "start", "home"]);
  await assertServes({ ...site, port });

  await succeed(sandbox, ["profile", "stop", "home"]);
  assert.equal((await statusOf(sandbox)).state, "stopped");
  await assertNothingLeft(sandbox, port);
});

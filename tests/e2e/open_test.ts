import assert from "node:assert/strict";
import { testWith } from "../support/requirements.ts";
import { freePort } from "../support/ports.ts";
import { assertFails, startSite, succeed, writeProfile } from "./setup.ts";

testWith(["sshd"], "open gives the address of a page", async () => {
  await using site = await startSite();
  const { sandbox, server, forward, port } = site;
  const console = freePort();
  await writeProfile(sandbox, {
    server,
    forward: `${forward}\n      - { service: console, listen: ${console} }`,
  });
  const open = (...args: string[]) => ["open", "home", ...args, "--print"];
  assertFails(await sandbox.run(open()), 3, /home is not running/);
  await succeed(sandbox, ["profile", "start", "home"]);
  const page = `http://127.0.0.1:${console}/\n`;
  assert.equal(await succeed(sandbox, open()), page);
  assert.equal(await succeed(sandbox, open("console")), page);
  assert.equal(
    await succeed(sandbox, open("page")),
    `http://127.0.0.1:${port}/\n`,
  );
  assertFails(await sandbox.run(open("consol")), 2, /no forward consol here/);
});

testWith(["sshd"], "a browser is started with the page", async () => {
  await using site = await startSite();
  const { sandbox, port } = site;
  await succeed(sandbox, ["profile", "start", "home"]);
  // what a desktop would have
  await Deno.writeTextFile(
    `${sandbox.home}/xdg-open`,
    `#!/bin/sh\necho "$1" > "${sandbox.home}/opened"\n`,
    { mode: 0o755 },
  );
  const env = { PATH: `${sandbox.home}:${sandbox.env.PATH}` };
  await succeed(sandbox, ["open", "home", "page"], { env });
  assert.equal(
    await Deno.readTextFile(`${sandbox.home}/opened`),
    `http://127.0.0.1:${port}/\n`,
  );
});

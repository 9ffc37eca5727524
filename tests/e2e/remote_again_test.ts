/** Remote forwards: the port the server chose, and after the connection is lost. */
import assert from "node:assert/strict";
import { freePort } from "../support/ports.ts";
import { descendantsOf } from "../support/processes.ts";
import { testWith } from "../support/requirements.ts";
import {
  get,
  logUntil,
  type Site,
  startSite,
  statusOf,
  statusUntil,
  succeed,
  writeProfile,
} from "./setup.ts";

const START = ["profile", "start", "home"];

/** Starts `home` with a remote forward from this port to the page. */
async function startRemote(
  site: Site,
  port: number,
  more = "",
): Promise<string> {
  const spec = `"${port}:127.0.0.1:${site.page.port}"`;
  const forward = `{ remote: ${spec}, name: back } # to the page`;
  await writeProfile(site.sandbox, { ...site, forward, more });
  return await succeed(site.sandbox, START);
}

async function assertServes({ page }: Site, port: number): Promise<void> {
  const answer = await get(port);
  assert(answer.endsWith(page.text), answer);
}

/** Where the forward listens, by status. */
async function listens({ sandbox }: Site): Promise<string | undefined> {
  return (await statusOf(sandbox)).forwards[0]!.listen[0];
}

testWith(["sshd"], "the port that the server chose is told", async () => {
  await using site = await startSite();
  const { sandbox } = site;
  const said = await startRemote(site, 0);
  const at = await listens(site);
  const [, port] = /^\S+:([1-9]\d*)$/.exec(at!)!;
  await assertServes(site, Number(port));
  assert(said.includes(at!), said);
  assert((await succeed(sandbox, ["profile", "status"])).includes(at!));

  const show = ["profile", "show", "home"];
  const yaml = await succeed(sandbox, show);
  assert(yaml.endsWith(` # to the page\n# back listens on ${at} now\n`), yaml);
  const shown = async () =>
    JSON.parse(await succeed(sandbox, [...show, "--json"])).forwards[0];
  assert.deepEqual((await shown()).listening, [at]);
  assert.equal((await shown()).listen.port, 0);
  await succeed(sandbox, ["profile", "stop", "home"]);
  assert.doesNotMatch(await succeed(sandbox, show), /listens/);
  assert.equal((await shown()).listening, undefined);
});

testWith(["sshd"], "a lost connection: the server listens again", async () => {
  await using site = await startSite();
  const { sandbox, sshd } = site;
  for (const port of [freePort(), 0]) {
    await startRemote(site, port);
    const before = await listens(site);
    assert.equal(sshd.killConnections(), 1);
    await statusUntil(
      sandbox,
      ({ reconnects, forwards }) =>
        reconnects === 1 && forwards[0]!.listen.length > 0,
    );
    assert.equal(await listens(site), before);
    await assertServes(site, Number(before!.split(":").at(-1)));
    await succeed(sandbox, ["profile", "stop", "home"]);
  }
});

testWith(
  ["sshd"],
  "a session that still has the port: asked until it is free",
  async () => {
    await using site = await startSite();
    const { sandbox, sshd } = site;
    const port = freePort();
    await startRemote(site, port, "keepalive: { interval: 1s, count: 1 }");
    // a network that has gone, as the server sees it: nothing ends there
    const [session] = sshd.connections();
    const frozen = [session!, ...descendantsOf(session!)];
    for (const pid of frozen) Deno.kill(pid, "SIGSTOP");
    await logUntil(
      sandbox,
      /back: the server refuses to listen on \S+; asking again/,
    );
    const { state, forwards } = await statusOf(sandbox);
    assert.equal(state, "up");
    assert.deepEqual(forwards[0]!.listen, []);
    const refused = /! the server refuses to listen on /;
    const status = () => succeed(sandbox, ["profile", "status", "home"]);
    assert.match(await status(), refused);

    for (const pid of frozen) Deno.kill(pid, "SIGKILL");
    await logUntil(
      sandbox,
      new RegExp(`back: the server listens on \\S+:${port} again`),
    );
    assert.doesNotMatch(await status(), refused);
    assert.equal((await statusOf(sandbox)).forwards[0]!.listen.length, 1);
    await assertServes(site, port);
  },
);

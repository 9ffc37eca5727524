/**
 * A tunnel with busy clients, and what may happen to it. All of it, measured, is
 * `deno task reliability`.
 */
import assert from "node:assert/strict";
import { BusyClients } from "../support/busy_clients.ts";
import { type Fault, FAULTS, startWorld } from "../support/faults.ts";
import { startI2ptun } from "../support/keepers.ts";
import { descendantsOf, killHard } from "../support/processes.ts";
import { startRelay } from "../support/relay.ts";
import { testWith } from "../support/requirements.ts";
import { freePort } from "../support/ports.ts";
import {
  ask,
  get,
  logUntil,
  startSite,
  statusOf,
  statusUntil,
  succeed,
  writeProfile,
} from "./setup.ts";

const KEEPALIVE = { intervalMs: 1000, count: 2 };
/** Those here are shorter than the measured ones. */
const SHORTER: Record<string, number> = {
  "sshd restarted": 500,
  "link cut for 20 s": 5000,
  "accepts and says nothing, for 8 s": 3000,
  "greets, then hangs, for 8 s": 3000,
  "hangs in the login, for 8 s": 3000,
  "name not found for 5 s": 2000,
  "remote service down for 3 s": 500,
  "jump host lost for 2 s": 500,
};
/** A machine that is busy with other tests takes its time. */
const USABLE_MS = 6000;

for (const [name, lastsMs] of Object.entries(SHORTER)) {
  const fault: Fault = FAULTS.find((each) => each.name === name)!;
  const title = name.replace(/,? for \d+ s$/, "");
  testWith(["remote-host"], `clients come through: ${title}`, async () => {
    await using world = await startWorld();
    await using tunnel = await startI2ptun(world, fault.route, KEEPALIVE);
    const clients = new BusyClients(tunnel.port, 20);
    assert(await clients.firstByte(0, 10_000));
    const began = { at: performance.now(), wall: Date.now() };
    await fault.begin(world);
    await sleep(lastsMs);
    await fault.end(world);
    const ended = performance.now();
    const back = await clients.firstByte(began.at, 20_000);
    assert(back !== undefined, `not usable again\n${await tunnel.log()}`);
    const took = back - ended;
    assert(took < USABLE_MS, `usable after ${took} ms\n${await tunnel.log()}`);
    const tally = await clients.stop();
    assert(tally.completed > 0);
    const { refused, damaged, hanging } = tally;
    assert.deepEqual(
      { refused, damaged, hanging },
      { refused: 0, damaged: 0, hanging: 0 },
    );
    const noticed = await tunnel.noticedAt(began.wall);
    assert.equal(noticed === undefined, fault.kind === "short");
  });
}

testWith(["remote-host"], "a silent server behind a jump host", async () => {
  await using world = await startWorld();
  await using tunnel = await startI2ptun(world, "jump", KEEPALIVE);
  const { port } = tunnel;
  const client = await Deno.connect({ hostname: "127.0.0.1", port });
  await client.write(new Uint8Array(1));
  await client.read(new Uint8Array(1));
  const began = Date.now();
  await world.host.cutLink();
  // so much that the jump host cannot deliver it
  const sending = client.write(new Uint8Array(8 * 1024 * 1024)).catch(() => {});
  // it is ended, though the jump host would keep it
  const timer = setTimeout(() => client.close(), 10_000);
  assert.equal(await client.read(new Uint8Array(1)).catch(() => null), null);
  clearTimeout(timer);
  client.close();
  await sending;
  // the client may know a moment before the log does
  let noticed: number | undefined;
  while ((noticed = await tunnel.noticedAt(began)) === undefined) {
    assert(Date.now() < began + 10_000, await tunnel.log());
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const took = noticed - began;
  assert(took < 5000, `noticed after ${took} ms`);
  const { lastError } = await statusOf(world.sandbox);
  const server = `${world.host.address}:22`;
  assert.equal(lastError, `${server} has not answered for 2 s`);
  await world.host.restoreLink();
  const clients = new BusyClients(port, 1);
  assert(await clients.firstByte(0, 10_000), await tunnel.log());
  await clients.stop();
});

testWith(["remote-host"], "a jump host that is lost is named", async () => {
  await using world = await startWorld();
  const { sandbox, jump } = world;
  await using _tunnel = await startI2ptun(world, "jump", KEEPALIVE);
  const named = `jump host ${jump.host}:${jump.port}`;

  const silent = jump.connections().flatMap((pid) => [
    pid,
    ...descendantsOf(pid),
  ]);
  for (const pid of silent) Deno.kill(pid, "SIGSTOP");
  await statusUntil(sandbox, ({ reconnects }) => reconnects === 1);
  killHard(silent);
  assert.equal(
    (await statusOf(sandbox)).lastError,
    `${named} has not answered for 2 s`,
  );

  jump.killConnections();
  await statusUntil(sandbox, ({ reconnects }) => reconnects === 2);
  assert.match(
    (await statusOf(sandbox)).lastError ?? "",
    new RegExp(`^(the connection to ${named} was lost: |${named} closed )`),
  );

  // and while the server behind it does not answer
  await world.host.cutLink();
  world.host.sshd.killConnections();
  jump.killConnections();
  await logUntil(sandbox, /(is reconnecting[^]*){3}/);
  const deadline = Date.now() + 10_000;
  while (jump.connections().length === 0 && Date.now() < deadline) {
    await sleep(20);
  }
  await sleep(300);
  jump.killConnections();
  await logUntil(sandbox, /(warning [^\n]*jump host[^]*){4}/);
});

testWith(
  ["sshd"],
  "a remote forward waits until its port is free",
  async () => {
    await using site = await startSite();
    const { sandbox, sshd, page } = site;
    await using relay = startRelay({ to: sshd });
    await sandbox.trust(sshd, relay);
    const port = freePort();
    await writeProfile(sandbox, {
      server: `${sshd.user}@${relay.host}:${relay.port}`,
      forward: `{ remote: "${port}:127.0.0.1:${page.port}", name: back }`,
    });
    await succeed(sandbox, ["profile", "start", "home"]);
    assert((await get(port)).endsWith(page.text));

    // a session whose end the server does not notice keeps the port
    const stuck = sshd.connections().flatMap((pid) => [
      pid,
      ...descendantsOf(pid),
    ]);
    for (const pid of stuck) Deno.kill(pid, "SIGSTOP");
    await relay.cut();
    await logUntil(sandbox, /back: the server refuses .* asking again/);
    const status = await statusOf(sandbox);
    assert.equal(status.state, "up");
    assert.deepEqual(status.forwards[0]!.listen, []);

    killHard(stuck);
    await statusUntil(sandbox, (each) => each.forwards[0]!.listen.length > 0);
    assert((await get(port)).endsWith(page.text));
  },
);

testWith(["sshd"], "with nobody waiting it comes back too", async () => {
  await using site = await startSite({
    profile: "reconnect: { max_delay: 2s }",
  });
  const { sandbox, sshd } = site;
  await succeed(sandbox, ["profile", "start", "home"]);
  await sshd.stop();
  await logUntil(sandbox, /home is reconnecting/);
  await sleep(1500);
  await sshd.start();
  await statusUntil(sandbox, ({ state }) => state === "up");
});

testWith(["sshd"], "established clients are ended with the link", async () => {
  await using site = await startSite();
  const { sandbox, sshd, port, page } = site;
  await succeed(sandbox, ["profile", "start", "home"]);
  const idle = await Promise.all(
    [1, 2, 3].map(() => Deno.connect({ hostname: "127.0.0.1", port })),
  );
  await statusUntil(sandbox, (s) => s.forwards[0]!.connections.open === 3);
  sshd.killConnections();
  for (const each of idle) {
    assert.equal(await each.read(new Uint8Array(1)).catch(() => null), null);
    each.close();
  }
  const client = await Deno.connect({ hostname: "127.0.0.1", port });
  assert((await ask(client)).endsWith(page.text));
});

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

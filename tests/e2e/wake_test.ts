/** A laptop: it has slept, or it is in another network than before. */
import assert from "node:assert/strict";
import { startRelay } from "../support/relay.ts";
import { testWith } from "../support/requirements.ts";
import { startPrivateNetwork } from "./private_network.ts";
import {
  assertServes,
  logUntil,
  startSite,
  succeed,
  writeProfile,
} from "./setup.ts";

/** What faketime(1) loads; ld.so(8) knows where. */
const FAKETIME = "/usr/$LIB/faketime/libfaketimeMT.so.1";

/** Nothing is asked of the server for as long as a test takes. */
const KEEPALIVE = "keepalive: { interval: 60s, count: 3 }";

testWith(["sshd", "faketime"], "a laptop has slept for a night", async () => {
  await using site = await startSite();
  const { sandbox, sshd, port } = site;
  await using relay = startRelay({ to: sshd });
  await sandbox.trust(sshd, relay);
  const server = `${sshd.user}@${relay.host}:${relay.port}`;
  await writeProfile(sandbox, { ...site, server, more: KEEPALIVE });
  // as in a real sleep, only the clock on the wall goes on
  const clock = `${sandbox.home}/clock`;
  await Deno.writeTextFile(clock, "+0");
  const child = sandbox.spawn(["profile", "start", "home", "--foreground"], {
    env: {
      LD_PRELOAD: FAKETIME,
      FAKETIME_TIMESTAMP_FILE: clock,
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
      NO_FAKE_STAT: "1",
    },
  });
  await child.waitFor(/is up/);
  // with a client there already, another is no reason to doubt the server
  const before = await Deno.connect({ hostname: "127.0.0.1", port });
  await assertServes(site);

  relay.stall();
  relay.passNew();
  await Deno.writeTextFile(clock, "+8h");
  await assertServes(site);
  await logUntil(sandbox, /this machine was asleep for 288\d\d s/);
  // what never comes is an error, not a test without end
  const timer = setTimeout(() => before.close(), 15_000);
  assert.equal(await before.read(new Uint8Array(1)), null);
  clearTimeout(timer);
});

testWith(["remote-host"], "a laptop comes to another network", async () => {
  await using network = await startPrivateNetwork();
  const { sandbox, sshd } = network;
  await using _pages = await network.servePages("far", [7657]);
  await writeProfile(sandbox, {
    server: `${sshd.user}@remote-server`,
    forward: `{ local: "7657:127.0.0.1:7657" }`,
    more: KEEPALIVE,
  });
  const start = ["i2ptun", "profile", "start", "home"] as const;
  assert.equal((await network.run("near", ...start)).code, 0);
  const url = "http://127.0.0.1:7657/";
  const page = network.page("far", 7657);
  assert.equal(await network.fetch("near", url), page);

  for (const change of ["del 20.228.143.1/24", "add 20.228.143.2/24"]) {
    const words = ["addr", ...change.split(" "), "dev", "eth0"];
    assert.equal((await network.run("near", "ip", ...words)).code, 0);
  }
  assert.equal(await network.fetch("near", url), page);
  await logUntil(sandbox, /this machine's address has changed/);
  await succeed(sandbox, ["profile", "stop", "home"]);
});

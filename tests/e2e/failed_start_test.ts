/** What a start that comes to nothing leaves to whoever comes next. */
import assert from "node:assert/strict";
import { freePort } from "../support/ports.ts";
import { startRelay } from "../support/relay.ts";
import { testWith } from "../support/requirements.ts";
import {
  assertNothingLeft,
  ended,
  isFree,
  startSite,
  statusUntil,
} from "./setup.ts";

/** With so many it takes a while to close them. */
const PORTS = 300;

testWith(["sshd"], "who is told of its end finds its ports free", async () => {
  await using site = await startSite();
  const { sandbox, sshd } = site;
  await using relay = startRelay({ to: sshd });
  await sandbox.trust(sshd, relay);
  await Deno.writeTextFile(sshd.authorizedKeys, "");
  const ports = new Set<number>();
  while (ports.size < PORTS) ports.add(freePort());
  await sandbox.writeProfiles([
    "version: 1\nprofiles:\n  home:",
    `    server: ${sshd.user}@${relay.host}:${relay.port}\n    forwards:`,
    ...[...ports].map((port) => `      - { local: "${port}:127.0.0.1:80" }\n`),
  ].join("\n"));
  const path = `${sandbox.home}/.local/state/i2ptun/run/home.sock`;

  relay.stall();
  const starting = sandbox.spawn(["profile", "start", "home"]);
  await statusUntil(sandbox, ({ state }) => state === "connecting");
  // asked here, as starting a program for it would give it time to close
  using control = await Deno.connect({ transport: "unix", path });
  await control.write(new TextEncoder().encode('{"command":"wait"}\n'));
  relay.resume(); // the login is refused
  await control.read(new Uint8Array(1));
  const taken = [...ports].filter((port) => !isFree(port));
  assert.deepEqual(taken, []);
  control.close();
  assert.equal(await ended(starting), 5, starting.output.text);
  await assertNothingLeft(sandbox, ...ports);
});

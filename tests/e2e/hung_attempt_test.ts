/** The log, while a server lets whoever connects hang and a client waits. */
import assert from "node:assert/strict";
import { type Relay, startRelay } from "../support/relay.ts";
import { testWith } from "../support/requirements.ts";
import { ask, logUntil, startSite, succeed, writeProfile } from "./setup.ts";

/** What a relay does with new connections, and how the log tells it. */
const HANGS: [string, (relay: Relay) => void, RegExp][] = [
  [
    "says nothing",
    (relay) => relay.stall(),
    /(\S+) has been silent for \d+ s; trying a fresh connection beside that one/,
  ],
  [
    "hangs in the login",
    (relay) => relay.stallNewAfter(1600),
    /(\S+) has been silent for \d+ s during the login; trying a fresh connection beside that one/,
  ],
];

for (const [name, hang, said] of HANGS) {
  testWith(["sshd"], `a fresh attempt is in the log: ${name}`, async () => {
    await using site = await startSite();
    const { sandbox, sshd, port, page } = site;
    await using relay = startRelay({ to: sshd });
    await sandbox.trust(sshd, relay);
    await writeProfile(sandbox, {
      ...site,
      server: `${sshd.user}@${relay.host}:${relay.port}`,
      more: "keepalive: { interval: 1s, count: 2 }",
    });
    await succeed(sandbox, ["profile", "start", "home"]);
    hang(relay);
    await relay.cut();
    const answer = ask(await Deno.connect({ hostname: "127.0.0.1", port }));
    await logUntil(sandbox, said);
    relay.passNew();
    assert((await answer).endsWith(page.text));
    const log = await succeed(sandbox, ["profile", "logs", "home", "--json"]);
    const events = log.trimEnd().split("\n").map((line) => JSON.parse(line))
      .filter(({ message }) => /fresh/.test(message));
    assert.equal(events.length, 1, log);
    const [{ level, message }] = events;
    assert.equal(level, "info");
    assert.equal(said.exec(message)?.[1], `${relay.host}:${relay.port}`);
  });
}

/** `profile start --keep-trying`: a server that is not there yet. */
import assert from "node:assert/strict";
import { processesWithHome } from "../support/processes.ts";
import { testWith } from "../support/requirements.ts";
import {
  ask,
  assertFails,
  assertNothingLeft,
  assertReadable,
  assertServes,
  ended,
  logUntil,
  show,
  startSite,
  statusOf,
  statusUntil,
  succeed,
  writeProfile,
} from "./setup.ts";

const START = ["profile", "start", "home"];
const KEEP_TRYING = [...START, "--keep-trying"];

/** A client at the profile's port, which makes it try. */
function connect({ port }: { port: number }): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname: "127.0.0.1", port });
}

testWith(["sshd"], "a server that comes after the start", async () => {
  await using site = await startSite({
    profile: "reconnect: { max_delay: 20s }",
  });
  const { sandbox, sshd, port, page } = site;
  await sshd.stop();
  assertFails(await sandbox.run(START), 4, /refused the connection/);
  await assertNothingLeft(sandbox, port);

  const result = await sandbox.run(KEEP_TRYING);
  assert.equal(result.code, 0, show(KEEP_TRYING, result));
  assertReadable(result);
  const { stdout, stderr } = result;
  assert.match(
    stdout,
    /^home is not up yet; it keeps trying, by \S+\n {2}page/,
  );
  assert(stdout.includes(`127.0.0.1:${port}`), stdout);
  assert.match(stderr, /^warning: \S+:\d+ refused the connection\n$/);

  const status = await statusOf(sandbox);
  assert.equal(status.state, "reconnecting");
  assert.match(status.lastError!, /refused the connection/);
  assert.deepEqual(status.forwards[0]!.listen, [`127.0.0.1:${port}`]);

  // whoever starts it again waits for nothing, and is told
  for (const start of [START, KEEP_TRYING]) {
    const again = await sandbox.run([...start, "--json"]);
    assert.equal(again.code, 0, show(start, again));
    const { profiles } = JSON.parse(again.stdout);
    assert.equal(profiles[0].state, "reconnecting");
    assert.equal(profiles[0].pid, status.pid);
    assert.match(again.stderr, /^home was running already\nwarning: .*refused/);
  }

  const answer = ask(await connect(site));
  await statusUntil(
    sandbox,
    ({ forwards }) => forwards[0]!.connections.open === 1,
  );
  await sshd.start();
  assert((await answer).endsWith(page.text), "a client that waited is served");
  const { state, pid, reconnects } = await statusOf(sandbox);
  assert.deepEqual({ state, pid, reconnects }, {
    ...{ state: "up", pid: status.pid, reconnects: 0 },
  });
  assert.equal(processesWithHome(sandbox.home).length, 1);
  assert.match(await succeed(sandbox, KEEP_TRYING), /^home is up, by /);

  await succeed(sandbox, ["profile", "stop", "home"]);
  assert.match(await succeed(sandbox, KEEP_TRYING), /^home is up, by /);
  await assertServes(site);
});

testWith(["sshd"], "it is stopped as one that is up", async () => {
  await using site = await startSite();
  const { sandbox, sshd, port } = site;
  await sshd.stop();
  await succeed(sandbox, KEEP_TRYING);
  const stopped = await succeed(sandbox, ["profile", "stop", "home"]);
  assert.match(stopped, /stopped home/);
  await assertNothingLeft(sandbox, port);
  assert.equal((await statusOf(sandbox)).state, "stopped");
});

testWith(["sshd"], "what trying cannot mend fails at once", async () => {
  await using site = await startSite();
  const { sandbox, sshd, port } = site;
  const keys = await Deno.readTextFile(sshd.authorizedKeys);
  await Deno.writeTextFile(sshd.authorizedKeys, "");
  assertFails(await sandbox.run(KEEP_TRYING), 5, /login as \S+ was refused/);
  await assertNothingLeft(sandbox, port);
  assert.equal((await statusOf(sandbox)).state, "stopped");

  await Deno.writeTextFile(sshd.authorizedKeys, keys);
  const known = await Deno.readTextFile(sandbox.knownHosts);
  await Deno.remove(sandbox.knownHosts);
  assertFails(await sandbox.run(KEEP_TRYING), 6, /host key of \S+ is unknown/);
  await Deno.writeTextFile(sandbox.knownHosts, known);

  const other = Deno.listen({ hostname: "127.0.0.1", port });
  assertFails(await sandbox.run(KEEP_TRYING), 7, /port \d+ is already in use/);
  other.close();
  await assertNothingLeft(sandbox, port);
});

testWith(["sshd"], "or later, when it is known", async () => {
  await using site = await startSite();
  const { sandbox, sshd, port } = site;
  await Deno.remove(sandbox.knownHosts);
  await sshd.stop();
  await succeed(sandbox, KEEP_TRYING);
  await sshd.start();
  using _client = await connect(site);
  const status = await statusUntil(sandbox, ({ state }) => state === "failed");
  assert.match(status.lastError!, /unknown .* nobody is there to confirm it/);
  await assertNothingLeft(sandbox, port);

  // it was told to store the key, so it still may
  await sshd.stop();
  await succeed(sandbox, [...KEEP_TRYING, "--accept-new"]);
  await sshd.start();
  await assertServes(site);
  const known = await Deno.readTextFile(sandbox.knownHosts);
  assert(known.includes(sshd.hostKeys[0]!.publicLine.split(" ")[1]!), known);
});

testWith(["sshd"], "in the foreground it can be asked for", async () => {
  await using site = await startSite();
  const { sandbox, sshd, port } = site;
  const identity = await sandbox.key({ file: "locked", passphrase: "secret" });
  await Deno.writeTextFile(sshd.authorizedKeys, `${identity.publicLine}\n`);
  await writeProfile(sandbox, { ...site, more: "identity: ~/.ssh/locked" });
  await sshd.stop();
  const args = [...KEEP_TRYING, "--foreground", "--password-stdin"];
  const child = sandbox.spawn(args);
  await child.write("secret\n");
  await child.waitFor(/^home is not up yet; it keeps trying/m);
  assert.equal(child.stdout.text, "");
  assert.equal((await statusOf(sandbox)).state, "reconnecting");
  await sshd.start();
  using _client = await connect(site);
  await child.waitFor(/^home is up, by /m);
  await assertServes(site);
  child.signal("SIGTERM");
  assert.equal(await ended(child), 0, child.output.text);
  await assertNothingLeft(sandbox, port);

  await sshd.stop();
  const trying = sandbox.spawn([...KEEP_TRYING, "--foreground"]);
  await trying.waitFor(/^home is not up yet/m);
  trying.signal("SIGINT");
  assert.equal(await ended(trying), 130, trying.output.text);
  await assertNothingLeft(sandbox, port);
  await logUntil(sandbox, /home is stopped\n$/);
});

testWith(["sshd"], "options that contradict it", async () => {
  await using site = await startSite();
  const { sandbox, port } = site;
  const late = await sandbox.run([...KEEP_TRYING, "--timeout", "1"]);
  assertFails(late, 2, /^--keep-trying has no --timeout$/);
  const asked = await sandbox.run([...KEEP_TRYING, "--password-stdin"]);
  assertFails(asked, 2, /takes no --password-stdin in the background/);
  await assertNothingLeft(sandbox, port);
});

testWith(["sshd"], "no page is opened before there is one", async () => {
  await using site = await startSite();
  const { sandbox, sshd } = site;
  await sshd.stop();
  const result = await sandbox.run([...KEEP_TRYING, "--open"]);
  assert.equal(result.code, 0, show(KEEP_TRYING, result));
  assert.match(
    result.stderr,
    /^warning: no page is opened before home is up$/m,
  );
});

import assert from "node:assert/strict";
import { freePort } from "../support/ports.ts";
import { Sandbox } from "../support/program.ts";
import { startRemoteHost } from "../support/remote_host.ts";
import { testWith } from "../support/requirements.ts";
import {
  assertNothingLeft,
  get,
  isFree,
  statusOf,
  statusUntil,
  succeed,
} from "./setup.ts";

/** The ports that the services have; others where somebody has taken those. */
function servicePorts(): { console: number; proxy: number; usual: boolean } {
  if (isFree(7070) && isFree(4444)) {
    return { console: 7070, proxy: 4444, usual: true };
  }
  console.error("port 7070 or 4444 is taken here, so others are tried");
  return { console: freePort(), proxy: freePort(), usual: false };
}

testWith(
  ["remote-host-with-i2pd"],
  "a new user reaches a remote router's console and proxy",
  async () => {
    await using sandbox = await Sandbox.create();
    await using host = await startRemoteHost({ i2pd: true });
    await sandbox.trust(host.sshd);
    await host.sshd.authorize((await sandbox.key()).publicLine);
    const ports = servicePorts();
    const forwards = ports.usual
      ? "[i2pd-console, http-proxy]"
      : `[{ service: i2pd-console, listen: ${ports.console} }, ` +
        `{ service: http-proxy, listen: ${ports.proxy} }]`;
    await sandbox.writeProfiles(
      `version: 1\nprofiles:\n  home:\n` +
        `    server: ${host.sshd.user}@${host.address}\n` +
        `    forwards: ${forwards}\n`,
    );
    const before = Date.now();

    const said = await succeed(sandbox, ["profile", "start", "home"]);
    assert(said.includes(`http://127.0.0.1:${ports.console}/`), said);
    assert(said.includes(`127.0.0.1:${ports.proxy}`), said);

    const page = await get(ports.console);
    assert.match(page, /^HTTP\/1\.1 200 OK/);
    assert.match(page, /<title>Purple I2P Webconsole<\/title>/);
    const answer = await get(ports.proxy, {
      url: "http://no-such-name.i2p/",
      host: "no-such-name.i2p",
    });
    assert.match(answer, /^HTTP\/1\.1 500 /);
    assert.match(answer, /<title>I2Pd HTTP proxy<\/title>/);

    const { stdout } = await sandbox.run(["profile", "status", "--json"]);
    const shape = JSON.parse(stdout);
    const { pid, since } = shape.profiles[0];
    const bytes = shape.profiles[0].forwards.map((each: {
      bytes: { sent: number; received: number };
    }) => each.bytes);
    assert(Number.isInteger(pid) && pid !== Deno.pid);
    assert.match(since, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert(Date.parse(since) > before - 1000);
    assert(Date.parse(since) <= Date.now());
    const request = (port: number) =>
      `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`
        .length;
    assert.equal(bytes[0].sent, request(ports.console));
    assert.equal(bytes[0].received, new TextEncoder().encode(page).length);
    assert(bytes[1].received >= new TextEncoder().encode(answer).length);
    const forward = (name: string, port: number, target: number, i: number) => {
      return {
        name,
        kind: "local",
        listen: [`127.0.0.1:${port}`, `[::1]:${port}`],
        target: `127.0.0.1:${target}`,
        connections: { open: 0, total: 1 },
        bytes: bytes[i],
      };
    };
    assert.deepEqual(shape, {
      profiles: [{
        name: "home",
        state: "up",
        pid,
        server: `${host.sshd.user}@${host.address}:22`,
        since,
        reconnects: 0,
        lastError: null,
        forwards: [
          forward("i2pd-console", ports.console, 7070, 0),
          forward("http-proxy", ports.proxy, 4444, 1),
        ],
      }],
    });

    assert.equal(host.sshd.killConnections(), 1);
    const again = await statusUntil(sandbox, (now) => now.reconnects > 0);
    assert.equal(again.reconnects, 1);
    assert.equal(again.state, "up");
    assert.equal(again.pid, pid);
    assert.match(await get(ports.console), /Purple I2P Webconsole/);

    await succeed(sandbox, ["profile", "stop", "home"]);
    await assertNothingLeft(sandbox, ports.console, ports.proxy);
    assert.equal((await statusOf(sandbox)).state, "stopped");
  },
);

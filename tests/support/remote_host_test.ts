import assert from "node:assert/strict";
import { Child } from "./child.ts";
import { freePort } from "./ports.ts";
import { Sandbox } from "./program.ts";
import { type RemoteHost, startRemoteHost } from "./remote_host.ts";
import { execute } from "./scratch.ts";
import { testWith } from "./requirements.ts";

/** ssh(1) as this user to the host. */
async function ssh(
  sandbox: Sandbox,
  host: RemoteHost,
  ...args: string[]
): Promise<Child> {
  await sandbox.trust(host.sshd);
  const { path, publicLine } = await sandbox.key();
  await host.sshd.authorize(publicLine);
  const options = [
    ...["-v", "-F", "none", "-i", path, "-o", "BatchMode=yes"],
    ...["-o", `UserKnownHostsFile=${sandbox.knownHosts}`],
  ];
  return new Child("ssh", [...options, ...args, host.address], {
    env: sandbox.env,
  });
}

testWith(
  ["remote-host-with-i2pd", "ssh"],
  "a remote i2pd is reached through ssh -L only",
  async () => {
    await using sandbox = await Sandbox.create();
    await using host = await startRemoteHost({ i2pd: true });
    const port = freePort();
    const forward = `${port}:127.0.0.1:7070`;
    await using tunnel = await ssh(sandbox, host, "-N", "-L", forward);
    await tunnel.waitFor(/Entering interactive session/);

    const response = await httpGet("127.0.0.1", port);
    assert.match(response, /^HTTP\/1\.1 200 /);
    assert.match(response, /i2pd/i);
    await assert.rejects(
      Deno.connect({ hostname: host.address, port: 7070 }),
      /refused/,
    );
    const routes = await host.exec("ip", "route");
    assert.equal(routes.trim().split("\n").length, 1);
    assert.match(routes, /^10\.231\.\d+\.0\/30 dev eth0 /);
  },
);

testWith(
  ["remote-host", "ssh"],
  "a cut link is silent until it is restored",
  async () => {
    await using sandbox = await Sandbox.create();
    await using host = await startRemoteHost();
    await using shell = await ssh(
      sandbox,
      host,
      ...["-o", "ServerAliveInterval=1", "-o", "ServerAliveCountMax=1"],
      ...["-o", "RemoteCommand=echo in; sleep 1000"],
    );
    await shell.waitFor(/^in$/m);

    await host.cutLink();
    const connecting = Deno.connect({ hostname: host.address, port: 22 });
    await shell.waitFor(/Timeout, server .* not responding/);
    assert.equal(await shell.exit, 255);

    await host.restoreLink();
    (await connecting).close();
  },
);

testWith(["remote-host"], "a remote host leaves nothing behind", async () => {
  const host = await startRemoteHost();
  const link = ` i2ptun-${host.address.split(".")[2]}@`;
  assert((await execute("ip", ["link"])).includes(link));
  assert((await execute("ip", ["netns"])).includes(host.namespace));
  await host[Symbol.asyncDispose]();
  assert(!(await execute("ip", ["link"])).includes(link));
  assert(!(await execute("ip", ["netns"])).includes(host.namespace));
});

/** The whole answer to a request; fetch's lower-case `host` is not i2pd's. */
async function httpGet(hostname: string, port: number): Promise<string> {
  const connection = await Deno.connect({ hostname, port });
  await connection.write(new TextEncoder().encode(
    `GET / HTTP/1.1\r\nHost: ${hostname}:${port}\r\nConnection: close\r\n\r\n`,
  ));
  return await new Response(connection.readable).text();
}

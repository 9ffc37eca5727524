/** Finding a router's services over SSH, against a real i2pd. */
import assert from "node:assert/strict";
import { freePort } from "../support/ports.ts";
import { Sandbox } from "../support/program.ts";
import { startRemoteHost } from "../support/remote_host.ts";
import { testWith } from "../support/requirements.ts";
import { serveThere } from "../i2p/canned.ts";
import { javaConsole } from "../i2p/java_router.ts";
import {
  assertFails,
  assertReadable,
  startSite,
  statusOf,
  succeed,
} from "./setup.ts";

const DISCOVER = ["discover", "home"];

interface Found {
  service: string;
  port: number;
  state: string;
  what: string;
  version?: string;
}

const read = (stdout: string): Found[] => JSON.parse(stdout).services;

testWith(
  ["remote-host-with-i2pd"],
  "what a real i2pd has, and adding it",
  async () => {
    await using host = await startRemoteHost({ i2pd: true });
    await using sandbox = await Sandbox.create();
    await sandbox.trust(host.sshd);
    await host.sshd.authorize((await sandbox.key()).publicLine);
    const http = freePort();
    await sandbox.writeProfiles(`# mine
profiles:
  home: # the router
    server: ${host.sshd.user}@${host.address}
    forwards:
      - { local: "${http}:127.0.0.1:4444", name: proxy } # have that already

      - { local: "127.0.0.1:7656:127.0.0.1:1", name: taken }
`);

    const services = read(await succeed(sandbox, [...DISCOVER, "--json"]));
    const found = new Map(services.map((each) => [each.service, each]));
    const all = services.filter(({ state }) => state === "found")
      .map(({ service }) => service);
    assert.deepEqual(all, [
      ...["i2pd-console", "http-proxy", "socks-proxy", "sam", "i2cp"],
      ...["i2pcontrol", "bob"],
    ]);
    const version = /\d+\.\d+\.\d+/.exec(await host.exec("i2pd", "--version"))!;
    assert.deepEqual(found.get("i2pd-console"), {
      service: "i2pd-console",
      port: 7070,
      state: "found",
      what: `i2pd webconsole ${version[0]}`,
      version: version[0],
    });
    assert.equal(found.get("http-proxy")!.what, "HTTP proxy of i2pd");
    assert.equal(found.get("socks-proxy")!.what, "SOCKS 5 proxy");
    assert.match(found.get("sam")!.what, /^SAM bridge 3\.\d$/);
    assert.match(found.get("bob")!.what, /^BOB bridge \d/);
    assert.equal(found.get("i2pcontrol")!.what, "I2PControl");
    assert.equal(found.get("console")!.state, "closed");

    const shown = await sandbox.run(DISCOVER);
    assertReadable(shown);
    assert.match(
      shown.stdout,
      /^✓ {2}i2pd-console {2}7070 {2}i2pd webconsole/m,
    );
    assert.match(shown.stdout, /^· {2}console +7657 {2}nothing answers$/m);
    assert.match(shown.stderr, /i2ptun discover home --add$/m);

    const added = await sandbox.run([...DISCOVER, "--add"]);
    assert.equal(added.code, 0, added.stderr);
    assert.match(added.stderr, /^warning: sam is left out: .*7656/m);
    const yaml = await Deno.readTextFile(sandbox.profiles);
    assert.equal(
      yaml,
      `# mine
profiles:
  home: # the router
    server: ${host.sshd.user}@${host.address}
    forwards:
      - { local: "${http}:127.0.0.1:4444", name: proxy } # have that already

      - { local: "127.0.0.1:7656:127.0.0.1:1", name: taken }
      - i2pd-console
      - socks-proxy
      - i2cp
      - i2pcontrol
      - bob
`,
    );
    const again = await sandbox.run([...DISCOVER, "--add", "--json"]);
    assert.deepEqual(JSON.parse(again.stdout).added, []);
    assert.equal(await Deno.readTextFile(sandbox.profiles), yaml);
  },
);

testWith(
  ["remote-host"],
  "a Java router, another program on a port, and while it runs",
  async () => {
    await using host = await startRemoteHost();
    await using sandbox = await Sandbox.create();
    await sandbox.trust(host.sshd);
    await host.sshd.authorize((await sandbox.key()).publicLine);
    await using _servers = await serveThere(host.namespace, {
      "127.0.0.1:7657": { answer: javaConsole("2.6.0") },
      "127.0.0.1:4444": {
        answer: "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\n\r\nhello",
      },
    });
    const local = freePort();
    await sandbox.writeProfiles(
      `profiles: { home: { server: "${host.sshd.user}@${host.address}", forwards: [{ service: console, listen: ${local} }] } }\n`,
    );
    await succeed(sandbox, ["profile", "start", "home"]);
    const services = read(await succeed(sandbox, [...DISCOVER, "--json"]));
    assert.deepEqual(services.filter(({ state }) => state !== "closed"), [
      {
        service: "console",
        port: 7657,
        state: "found",
        what: "I2P router console (Java) 2.6.0",
        version: "2.6.0",
      },
      {
        service: "http-proxy",
        port: 4444,
        state: "other",
        what: "a web server (nginx/1.22.1)",
      },
    ]);
    assert.equal((await statusOf(sandbox)).state, "up");
  },
);

testWith(["sshd"], "a server that lets one look at few ports", async () => {
  await using site = await startSite({
    sshd: { config: "PermitOpen 127.0.0.1:6668" },
  });
  const { code, stdout, stderr } = await site.sandbox.run(DISCOVER);
  assert.equal(code, 0);
  assert.match(stdout, /^✗ {2}console +7657 {2}the SSH server forbids it$/m);
  assert.match(stderr, /^no I2P service answers where .* lets one look/m);
});

testWith(
  ["sshd"],
  "a server that forbids it, and one that is not there",
  async () => {
    await using site = await startSite({
      sshd: { config: "AllowTcpForwarding no" },
    });
    const { sandbox } = site;
    assertFails(await sandbox.run(DISCOVER), 7, /forbids every connection/);
    await site.sshd.stop();
    assertFails(await sandbox.run(DISCOVER), 4, /refused/);
    assertFails(
      await sandbox.run(["discover", "hme"]),
      3,
      /did you mean "home"/,
    );
  },
);

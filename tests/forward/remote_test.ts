import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { I2ptunError } from "../../src/errors.ts";
import type { Forward } from "../../src/forward/address.ts";
import { DEFAULTS } from "../../src/profile/profile.ts";
import { bindOnWire } from "../../src/ssh/server_listeners.ts";
import { systemClock } from "../../src/tunnel/clock.ts";
import { Tunnel, type TunnelOptions } from "../../src/tunnel/tunnel.ts";
import { freePort, isFree } from "../support/ports.ts";
import {
  curl,
  dialTo,
  echo,
  type Link,
  portOf,
  random,
  readAll,
  released,
  sha256,
  startLink,
  startProgram,
  testLink,
  until,
} from "./setup.ts";
import { remoteTo, SOCKS5_ANSWERS, socks5Connect } from "./forwards.ts";

/** What a program at a port or socket sends to who connects. */
async function greeting(where: Parameters<typeof dialTo>[0]): Promise<string> {
  const client = await dialTo(where);
  const text = String(await readAll(client));
  client.end();
  return text;
}

testLink(
  ["sshd"],
  "bytes are exact both ways, and counted by direction",
  async () => {
    await using link = await startLink();
    const [there, back] = [random(1_500_000), random(2_500_000)];
    const got = Promise.withResolvers<string>();
    await using target = await startProgram((socket) => {
      socket.end(back);
      readAll(socket).then((bytes) => got.resolve(sha256(bytes)));
    });
    const forward = await link.open(remoteTo(target.port));
    const client = await dialTo(portOf(forward));
    client.end(there);
    assert.equal(sha256(await readAll(client)), sha256(back));
    assert.equal(await got.promise, sha256(there));
    // sent goes towards the server
    assert.deepEqual(forward.traffic.bytes, {
      sent: 2_500_000,
      received: 1_500_000,
    });
    await until(() => forward.traffic.connections.open === 0, "it is over");
    assert.equal(forward.traffic.connections.total, 1);
  },
);

testLink(
  ["sshd"],
  "each connection goes to the target of where it came in",
  async () => {
    await using link = await startLink({
      sshd: { config: "GatewayPorts clientspecified" },
    });
    await using stack = new AsyncDisposableStack();
    const port = freePort();
    const listens: Forward["listen"][] = [
      { kind: "tcp", bind: undefined, port },
      { kind: "tcp", bind: "127.0.0.2", port },
      { kind: "tcp", bind: "*", port: 0 },
      { kind: "unix", path: `${link.dir}/one` },
      { kind: "unix", path: `${link.dir}/two` },
    ];
    const addresses: string[] = [];
    for (const [i, listen] of listens.entries()) {
      const path = `${link.dir}/target${i}`;
      stack.use(
        await startProgram((socket) => socket.end(`number ${i}`), path),
      );
      const target = { kind: "unix", path } as const;
      const forward = await link.open({
        kind: "remote",
        name: "n",
        listen,
        target,
      });
      addresses.push(...forward.addresses);
    }
    const chosen = Number(addresses[2]!.replace(/^\*:/, ""));
    assert.deepEqual(addresses, [
      `localhost:${port}`,
      `127.0.0.2:${port}`,
      `*:${chosen}`,
      `${link.dir}/one`,
      `${link.dir}/two`,
    ]);
    assert.equal(await greeting(port), "number 0");
    assert.equal(await greeting({ hostname: "127.0.0.2", port }), "number 1");
    assert.equal(
      await greeting({ hostname: "127.0.0.3", port: chosen }),
      "number 2",
    );
    assert.equal(await greeting(`${link.dir}/one`), "number 3");
    assert.equal(await greeting(`${link.dir}/two`), "number 4");
  },
);

testLink(
  ["sshd"],
  "a target that is not there is in the log, and the client let go",
  async () => {
    await using link = await startLink();
    const missing = `${link.dir}/missing`;
    for (
      const [target, said] of [
        [freePort(), /^back: localhost:\d+: Connection refused$/],
        [missing, /^back: \S+\/missing: No such file or directory$/],
      ] as const
    ) {
      const forward = await link.open(remoteTo(target));
      await released(await dialTo(portOf(forward)));
      await until(() => forward.traffic.connections.open === 0, "it is over");
      assert.match(link.log.splice(0).join("\n"), said);
    }
  },
);

testLink(
  ["sshd"],
  "without a target, the server's side is a SOCKS proxy",
  async () => {
    await using link = await startLink();
    await using mirror = await startProgram((socket) => {
      socket.once(
        "data",
        (request) => socket.end(`HTTP/1.0 200 OK\r\n\r\n${request}`),
      );
    });
    const forward = await link.open(remoteTo(undefined));
    const proxy = `127.0.0.1:${portOf(forward)}`;
    const url = `http://localhost:${mirror.port}/a`;
    for (const option of ["--socks5-hostname", "--socks4a", "--socks4"]) {
      const { stdout, stderr } = await curl(option, proxy, url);
      assert.match(stdout, /^GET \/a HTTP/, option + stderr);
    }
    assert.deepEqual(link.log, []);
    for (
      const [host, code] of [[`localhost:${freePort()}`, 5], ["nowhere.i2p", 4]]
    ) {
      const { stderr } = await curl(
        "--socks5-hostname",
        proxy,
        `http://${host}/`,
      );
      assert.match(
        stderr,
        new RegExp(`\\(${code}\\)\\s*$`),
        `${host}: ${stderr}`,
      );
    }
    assert.equal(link.log.length, 2);
    const web = await dialTo(portOf(forward));
    web.end("GET http://localhost/ HTTP/1.1\r\n\r\n");
    assert.equal((await readAll(web)).length, 0);
    assert.match(link.log.at(-1)!, /does not speak SOCKS/);
  },
);

testLink(
  ["sshd"],
  "what follows a SOCKS request at once arrives, and is counted without it",
  async () => {
    await using link = await startLink();
    await using target = await startProgram(echo);
    const forward = await link.open(remoteTo(undefined));
    const hello = socks5Connect(target.port);
    const data = random(200_000);
    const client = await dialTo(portOf(forward));
    client.end(Buffer.concat([Buffer.from(hello), data]));
    const answer = await readAll(client);
    assert.equal(sha256(answer.subarray(SOCKS5_ANSWERS)), sha256(data));
    const { length } = data;
    assert.deepEqual(forward.traffic.bytes, { sent: length, received: length });
  },
);

testLink(["sshd"], "what the server refuses says what to look at", async () => {
  await using link = await startLink({
    sshd: {
      config: "PermitListen localhost:1234\nAllowStreamLocalForwarding local",
    },
  });
  const port = freePort();
  await assert.rejects(link.open(remoteTo(80, port)), (error) => {
    assert(error instanceof I2ptunError);
    assert.equal(error.exitCode, 7);
    assert.equal(
      error.message,
      `back: the server refuses to listen on localhost:${port}`,
    );
    assert.match(
      error.remedy!,
      /AllowTcpForwarding, PermitListen, GatewayPorts/,
    );
    return true;
  });
  const listen = { kind: "unix", path: `${link.dir}/there` } as const;
  await assert.rejects(
    link.open({ ...remoteTo(80), listen }),
    { kind: "forward", remedy: /AllowStreamLocalForwarding/ },
  );
});

testLink(
  ["sshd"],
  "of a port that is half taken there, only a forward with its address tells",
  async () => {
    await using link = await startLink();
    await using taken = startProgram((socket) => socket.end("other"));
    await using target = startProgram((socket) => socket.end("mine"));
    const { port } = taken;
    await assert.rejects(
      link.open(remoteTo(target.port, port, "127.0.0.1")),
      { kind: "forward" },
    );
    // nor does ssh(1) notice
    await link.open(remoteTo(target.port, port));
    assert.equal(await greeting({ hostname: "::1", port }), "mine");
    assert.equal(await greeting(port), "other");
  },
);

/** A tunnel over the link's connections. */
function tunnelOver(
  link: Link,
  options: Partial<TunnelOptions> & { forwards: Forward[] },
): Tunnel {
  return new Tunnel({
    profile: {
      ...DEFAULTS,
      name: "home",
      server: { user: undefined, host: "127.0.0.1", port: undefined },
      jump: [],
      identity: [],
      knownHosts: undefined,
      hostKey: undefined,
      sshConfig: false,
      written: new Set(),
      forwards: options.forwards,
    },
    server: "me@127.0.0.1:22",
    connect: () => link.connect(),
    portOwner: () => Promise.resolve(undefined),
    clock: systemClock,
    log: (_level, message) => link.log.push(message),
    ...options,
  });
}

testLink(
  ["sshd"],
  "a start that one forward fails, fails as a whole",
  async () => {
    const [local, there] = [freePort(), freePort()];
    await using link = await startLink({
      sshd: { config: `PermitListen localhost:${there}` },
    });
    const tunnel = tunnelOver(link, {
      forwards: [
        {
          kind: "local",
          name: "console",
          listen: { kind: "tcp", bind: undefined, port: local },
          target: { kind: "tcp", host: "127.0.0.1", port: 7657 },
        },
        { ...remoteTo(80, there), name: "good" },
        { ...remoteTo(80, freePort()), name: "bad" },
      ],
    });
    await assert.rejects(tunnel.start(), {
      kind: "forward",
      message: /^bad: /,
    });
    assert.equal(tunnel.state.name, "failed");
    await until(() => link.sshd.connections().length === 1, "the session ends");
    for (const port of [local, there]) {
      await until(() => isFree(port), "the port is free");
    }
  },
);

testLink(
  ["sshd"],
  "one that keeps trying is up, and asks again for what is refused",
  async () => {
    await using link = await startLink();
    await using target = await startProgram((socket) => socket.end("here"));
    const [taken, free] = [freePort(), freePort()];
    // an earlier session, such as of before this machine has restarted
    await link.open(remoteTo(80, taken));
    let wake: (() => void) | undefined;
    const sleep = (_ms: number, signal: AbortSignal) =>
      new Promise<void>((resolve) => {
        wake = resolve;
        signal.addEventListener("abort", () => resolve());
      });
    const tunnel = tunnelOver(link, {
      forwards: [
        { ...remoteTo(target.port, taken), name: "taken" },
        { ...remoteTo(target.port, free), name: "free" },
      ],
      clock: { ...systemClock, sleep },
      keepTrying: true,
    });
    const listens = () => tunnel.status().forwards.map(({ listen }) => listen);
    assert.equal(await tunnel.start(), true);
    assert.deepEqual(listens(), [[], [`localhost:${free}`]]);
    const refusal = `the server refuses to listen on localhost:${taken}`;
    const told = `taken: ${refusal}; asking again until it does not`;
    const problem = () => tunnel.status().forwards[0]!.problem;
    assert.equal(problem(), refusal);
    assert.deepEqual(link.log.filter((line) => /refuses/.test(line)), [told]);

    link.connection.end();
    await link.connection.closed;
    await until(() => link.sshd.connections().length === 1, "it has ended");
    wake!();
    await until(() => listens()[0]!.length === 1, "the server listens");
    assert.equal(await greeting(taken), "here");
    assert.equal(problem(), undefined);
    tunnel.stop();
    await tunnel.finished;
  },
);

testLink(
  ["sshd"],
  "after a reconnect it asks until the old session lets go, and says so once",
  async () => {
    await using link = await startLink();
    await using target = await startProgram(echo);
    const sleeps: { ms: number; wake: () => void }[] = [];
    const sleep = (ms: number, signal: AbortSignal) =>
      new Promise<void>((wake) => {
        sleeps.push({ ms, wake });
        signal.addEventListener("abort", () => wake());
      });
    const port = freePort();
    const forward = await link.open(remoteTo(target.port, port), { sleep });
    const next = await link.connect();
    // the old connection is there still, and its session has the port
    const attached = forward.attachAgain(next);
    for (let attempt = 1; attempt <= 3; attempt++) {
      await until(() => sleeps.length === attempt, `attempt ${attempt}`);
      assert(sleeps[attempt - 1]!.ms <= 5000);
      if (attempt === 3) {
        link.connection.end();
        await link.connection.closed;
        assert.deepEqual(forward.addresses, []);
        await until(() => link.sshd.connections().length === 1, "it has ended");
      }
      sleeps[attempt - 1]!.wake();
    }
    await attached;
    assert.deepEqual(forward.addresses, [`localhost:${port}`]);
    const refusals = link.log.filter((line) => /refuses/.test(line));
    assert.equal(refusals.length, 1, link.log.join("\n"));
    const client = await dialTo(port);
    client.end("again");
    assert.equal(String(await readAll(client)), "again");
  },
);

testLink(
  ["sshd"],
  "it stops asking when it is closed or the connection is lost again",
  async () => {
    await using link = await startLink();
    const port = freePort();
    const forever = (_ms: number, signal: AbortSignal) =>
      new Promise<void>((resolve) =>
        signal.addEventListener("abort", () => resolve())
      );
    const forward = await link.open(remoteTo(80, port), { sleep: forever });
    const second = await link.connect();
    const asking = forward.attachAgain(second);
    await until(() => link.log.length === 1, "it was refused");
    second.destroy();
    await asking;

    const askingAgain = forward.attachAgain(await link.connect());
    await until(() => link.log.length === 2, "it was refused");
    forward.close();
    await askingAgain;
  },
);

testLink(
  ["sshd"],
  "a port that the server chose is kept where possible",
  async () => {
    await using link = await startLink();
    await using target = await startProgram((socket) => socket.end("here"));
    const forward = await link.open(remoteTo(target.port));
    const first = portOf(forward);
    const second = await link.connect();
    link.connection.end();
    await link.connection.closed;
    await until(() => link.sshd.connections().length === 1, "it has ended");
    await forward.attachAgain(second);
    assert.equal(portOf(forward), first);
    // while the second has the port, the third gets another
    await forward.attachAgain(await link.connect());
    assert.notEqual(portOf(forward), first);
    assert.equal(await greeting(portOf(forward)), "here");
    assert.match(link.log.at(-1)!, /listens on localhost:\d+ now/);
  },
);

testLink(
  ["sshd"],
  "closing it frees the server's port and cuts its connections",
  async () => {
    await using link = await startLink();
    await using target = await startProgram(echo);
    const forward = await link.open(remoteTo(target.port));
    const port = portOf(forward);
    const client = await dialTo(port);
    await target.accepted(0);
    const gone = released(client);
    forward.close();
    await gone;
    await until(() => isFree(port), "the port is free");
  },
);

Deno.test("the bind address goes over the wire as ssh(1) -R says", () => {
  const binds = [undefined, "localhost", "*", "", "127.0.0.1", "::1"];
  assert.deepEqual(
    binds.map(bindOnWire),
    ["localhost", "localhost", "", "", "127.0.0.1", "::1"],
  );
});

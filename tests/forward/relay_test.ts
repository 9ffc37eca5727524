import assert from "node:assert/strict";
import { once } from "node:events";
import type { Forward } from "../../src/forward/address.ts";
import type { RunningForward } from "../../src/forward/running_forward.ts";
import { freePort } from "../support/ports.ts";
import { type Relay, startRelay } from "../support/relay.ts";
import {
  dialTo,
  echo,
  portOf,
  random,
  readAll,
  readExactly,
  released,
  sha256,
  startLink,
  startProgram,
  testLink,
  until,
} from "./setup.ts";
import { DYNAMIC, localTo, remoteTo } from "./forwards.ts";
import { startStubForward } from "./stub_server.ts";

const MIB = 1024 * 1024;

testLink(["sshd"], "each direction ends on its own", async () => {
  await using link = await startLink();
  const data = random(300_000);
  for (const forwardTo of [localTo, remoteTo]) {
    await using asked = startProgram((socket) => {
      // answers only when all has been said
      readAll(socket).then((bytes) => socket.end(sha256(bytes)));
    });
    const asking = await dialTo(portOf(await link.open(forwardTo(asked.port))));
    asking.end(data);
    assert.equal(String(await readAll(asking)), sha256(data));

    await using telling = startProgram((socket) => socket.end("bye"));
    const told = await dialTo(portOf(await link.open(forwardTo(telling.port))));
    assert.equal(String(await readAll(told)), "bye");
    told.end(data);
    const heard = await readAll(await telling.accepted(0));
    assert.equal(sha256(heard), sha256(data));
  }
});

testLink(
  ["sshd"],
  "three hundred connections at once, byte by byte and whole",
  async () => {
    await using link = await startLink();
    await using target = await startProgram(echo);
    const forward = await link.open(localTo(target.port));
    const talk = async (i: number) => {
      const data = random(10_000 + i);
      const client = await dialTo(portOf(forward));
      for (const byte of data.subarray(0, 50)) {
        client.write(
          Uint8Array.of(byte),
        );
      }
      client.end(data.subarray(50));
      assert.equal(sha256(await readAll(client)), sha256(data));
    };
    await Promise.all(Array.from({ length: 300 }, (_, i) => talk(i)));
    await until(() => forward.traffic.connections.open === 0, "all are over");
    assert.equal(forward.traffic.connections.total, 300);
    const { sent, received } = forward.traffic.bytes;
    assert.deepEqual([sent, received], [3_044_850, 3_044_850]);
  },
);

testLink(
  ["sshd"],
  "new keys in the middle change nothing, whatever the kind",
  async () => {
    await using link = await startLink({ sshd: { config: "RekeyLimit 1M" } });
    await using target = await startProgram(echo);
    const { port } = target;
    const remote = await link.open(remoteTo(port));
    const dynamic = await link.open(DYNAMIC);
    const exchange = async (
      forward: RunningForward,
      hello = "",
      answer = 0,
    ) => {
      const data = random(6 * MIB);
      const client = await dialTo(portOf(forward));
      client.write(hello);
      client.end(data);
      const received = await readAll(client);
      assert.equal(sha256(received.subarray(answer)), sha256(data));
    };
    const connect = `CONNECT 127.0.0.1:${port} HTTP/1.1\r\n\r\n`;
    await Promise.all([
      exchange(await link.open(localTo(port))),
      exchange(remote),
      exchange(dynamic, connect, 39),
    ]);
  },
);

testLink(
  ["sshd"],
  "who ends its own side in the middle of a long answer still gets it all",
  async () => {
    await using link = await startLink();
    // more than all buffers on the way take
    const data = random(24 * MIB);
    await using target = startProgram((socket) => socket.end(data));
    await using here = startProgram((socket) => socket.end(data));
    const back = await link.open(remoteTo(here.port));
    for (const forward of [await link.open(localTo(target.port)), back]) {
      const client = await dialTo(portOf(forward));
      let before = -1;
      while (before !== forward.traffic.bytes.received) {
        before = forward.traffic.bytes.received;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      client.end();
      await new Promise((resolve) => setTimeout(resolve, 50));
      assert.equal(sha256(await readAll(client)), sha256(data));
    }
  },
);

testLink(
  ["sshd"],
  "a slow reader gets all, also after the server has closed the channel",
  async () => {
    await using link = await startLink();
    // within the channel's window: what is beyond it a reset would still lose
    // in the server, which is none of our doing
    const data = random(1.5 * MIB);
    await using target = await startProgram((socket) => socket.end(data));
    const forward = await link.open(localTo(target.port));
    // one ends its own side at once; the other goes on sending, to nobody
    for (const isEnding of [true, false]) {
      const client = await dialTo(portOf(forward));
      client.pause();
      if (isEnding) client.end();
      const sending = setInterval(() => isEnding || client.write("x"), 5);
      const server = await target.accepted(isEnding ? 0 : 1);
      server.resume();
      if (!server.writableFinished) await once(server, "finish");
      await until(() => forward.traffic.bytes.received > 0, "the answer comes");
      await new Promise((resolve) => setTimeout(resolve, 100));
      server.destroy();
      await new Promise((resolve) => setTimeout(resolve, 100));
      clearInterval(sending);
      assert.equal(sha256(await readAll(client)), sha256(data));
      client.end();
    }
  },
);

testLink(
  ["sshd"],
  "a reader that stops holds up nobody else, and memory is bounded",
  async () => {
    await using link = await startLink();
    const piece = random(MIB);
    let poured = 0;
    await using flood = startProgram((socket) => {
      const pour = (error?: Error | null) => {
        if (error) return;
        poured += piece.length;
        socket.write(piece, pour);
      };
      socket.write(piece, pour);
    });
    await using target = await startProgram(echo);
    const flooded = await link.open(localTo(flood.port));
    const stopped = await Promise.all(
      Array.from({ length: 4 }, () => dialTo(portOf(flooded))),
    );
    for (const client of stopped) client.pause();
    let before = -1;
    while (before !== poured) {
      before = poured;
      // what systems, sshd and the channel's window hold
      assert(poured < stopped.length * 16 * MIB, `${poured} bytes were taken`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const client = await dialTo(portOf(await link.open(localTo(target.port))));
    client.end("me first");
    assert.equal(String(await readAll(client)), "me first");
  },
);

testLink(
  ["sshd"],
  "a link that stalls stops its senders, and memory is bounded",
  async () => {
    let relay: Relay | undefined;
    await using link = await startLink({
      via: async (to) => relay ??= await startRelay({ to }),
    });
    await using _relay = relay!;
    await using target = await startProgram((socket) => {
      let length = 0;
      socket.write("go");
      socket.on("data", (data) => length += data.length);
      socket.on("end", () => socket.end(String(length)));
    });
    const forward = await link.open(localTo(target.port));
    const clients = await Promise.all(
      Array.from({ length: 16 }, () => dialTo(portOf(forward))),
    );
    for (const client of clients) await readExactly(client, 2);
    relay!.stall();
    const data = random(4 * MIB);
    for (const client of clients) client.end(data);
    let before = -1;
    while (before !== forward.traffic.bytes.sent) {
      before = forward.traffic.bytes.sent;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    // without a limit, each would take what its channel's window allows: 2 MiB
    assert(before > 0 && before < 16 * MIB, `${before} bytes were read`);
    relay!.resume();
    const answers = await Promise.all(clients.map(readAll));
    for (const answer of answers) assert.equal(String(answer), String(4 * MIB));
  },
);

testLink(
  ["sshd"],
  "what the server does not open is in the log, and the client let go",
  async () => {
    await using link = await startLink({
      sshd: { config: "PermitOpen 127.0.0.1:1" },
    });
    const cases: [Forward, RegExp][] = [
      [
        localTo(1),
        /^page: 127\.0\.0\.1:1: nothing answers there \(Connection refused\)$/,
      ],
      [localTo(2), /^page: 127\.0\.0\.1:2: the server forbids it/],
      [
        {
          ...localTo(1),
          target: { kind: "unix", path: `${link.dir}/none` },
        } as Forward,
        /^page: \S+\/none: .*open failed/,
      ],
    ];
    for (const [forward, said] of cases) {
      const client = await dialTo(portOf(await link.open(forward)));
      client.write("hello");
      await released(client);
      assert.match(link.log.splice(0).join("\n"), said);
    }
  },
);

testLink(
  [],
  "what was sent and ended before the channel is open is not lost",
  async () => {
    const asked = Promise.withResolvers<() => void>();
    const got: string[] = [];
    await using stub = await startStubForward(localTo(7657), (accept) => {
      asked.resolve(() => {
        const channel = accept();
        channel.on("data", (data) => got.push(String(data)));
        channel.on("end", () => {
          channel.write(got.join(""));
          channel.end();
        });
      });
    });
    const client = await dialTo(stub.port);
    client.end("early");
    const open = await asked.promise;
    await new Promise((resolve) => setTimeout(resolve, 20));
    open();
    assert.equal(String(await readAll(client)), "early");
  },
);

testLink(
  [],
  "a channel closed without EOF has given a whole answer",
  async () => {
    const data = random(MIB);
    await using stub = await startStubForward(localTo(7657), (accept) => {
      const channel = accept();
      channel.write(data);
      channel.close();
    });
    const client = await dialTo(stub.port);
    assert.equal(sha256(await readAll(client)), sha256(data));
    client.end();
  },
);

testLink(
  [],
  "a client whose channel was not open yet is served by the next connection",
  async () => {
    const asked = Promise.withResolvers<void>();
    await using stub = await startStubForward(localTo(7657), (accept) => {
      if (stub.asked.length === 1) return asked.resolve();
      const channel = accept();
      channel.on("data", (data) => channel.write(data));
      channel.on("end", () => channel.end());
    });
    const client = await dialTo(stub.port);
    client.end("patient");
    await asked.promise;
    const first = stub.connections[0]!;
    stub.connections.push(await stub.server.connect());
    first.destroy();
    assert.equal(String(await readAll(client)), "patient");
    assert.deepEqual(stub.log, []);
  },
);

testLink(
  ["sshd"],
  "closing a forward frees its port and cuts its clients",
  async () => {
    await using link = await startLink();
    await using target = await startProgram(echo);
    const port = freePort();
    const forward = await link.open({
      ...localTo(target.port),
      listen: { kind: "tcp", bind: undefined, port },
    });
    const client = await dialTo(port);
    client.write("x");
    await readExactly(client, 1);
    const gone = released(client);
    forward.close();
    await gone;
    await released(await target.accepted(0));
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    assert.deepEqual(forward.addresses, []);
  },
);

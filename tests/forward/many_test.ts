import assert from "node:assert/strict";
import { localTo } from "./forwards.ts";
import {
  dialTo,
  echo,
  portOf,
  random,
  readAll,
  readExactly,
  sha256,
  startLink,
  startProgram,
  testLink,
  until,
} from "./setup.ts";
import { type ServerChannel, startStubForward } from "./stub_server.ts";

/** So many clients at once. */
function dialMany(count: number, port: number) {
  return Promise.all(Array.from({ length: count }, () => dialTo(port)));
}

testLink(
  ["sshd"],
  "hundreds that fetch something at once get all of it",
  async () => {
    await using link = await startLink();
    const data = random(64 * 1024);
    await using target = await startProgram((socket) => {
      socket.once("data", () => socket.write(data));
      socket.once("end", () => socket.end());
    });
    const port = portOf(await link.open(localTo(target.port)));
    const fetch = async () => {
      const client = await dialTo(port);
      client.write("give");
      const bytes = await readExactly(client, data.length);
      client.end();
      await readAll(client);
      return sha256(bytes);
    };
    const all = await Promise.all(Array.from({ length: 500 }, fetch));
    assert.deepEqual([...new Set(all)], [sha256(data)]);
  },
);

testLink(["sshd"], "a thousand that only wait are all connected", async () => {
  await using link = await startLink();
  await using target = await startProgram();
  const port = portOf(await link.open(localTo(target.port)));
  const clients = await dialMany(1000, port);
  await target.accepted(999);
  for (const client of clients) client.destroy();
});

testLink(
  ["sshd"],
  "a target that does not answer holds up nobody else",
  async () => {
    await using link = await startLink();
    // its queue is full, so that it does not answer SYN (listen(2))
    const deaf = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 1 });
    const { port } = deaf.addr;
    const filling = await dialMany(2, port);
    await using target = await startProgram(echo);
    const toDeaf = portOf(await link.open(localTo(port)));
    const toTarget = portOf(await link.open(localTo(target.port)));

    const vain = await dialMany(200, toDeaf);
    const client = await dialTo(toTarget);
    client.write("hello");
    assert.equal(String(await readExactly(client, 5)), "hello");
    deaf.close();
    for (const each of [...vain, ...filling, client]) each.destroy();
  },
);

/** So many may begin at once where the way is short, also on a busy machine. */
const MOST = 4 * 24;

/** Has some served in peace, so that the way is known to be short. */
async function beginInPeace(stub: { port: number; asked: unknown[] }) {
  for (let i = 1; i <= 5; i++) {
    (await dialTo(stub.port)).destroy();
    await until(() => stub.asked.length === i, "it is open");
  }
  stub.asked.length = 0;
}

testLink([], "the server is not asked for all at once", async () => {
  const answers: (() => void)[] = [];
  let isServing = true;
  await using stub = await startStubForward(
    localTo(80),
    (accept) => isServing ? accept() : answers.push(accept),
    { isSilent: true },
  );
  await beginInPeace(stub);
  isServing = false;
  const clients = await dialMany(200, stub.port);
  await until(() => answers.length >= 24, "some are asked for");
  for (let i = 0; i < 200; i++) {
    await until(() => answers.length > i, "all are asked for");
    assert.ok(answers.length <= MOST + i);
    answers[i]!();
  }
  for (const client of clients) client.destroy();
});

testLink([], "not all that are open are spoken over at once", async () => {
  const heard: ServerChannel[] = [];
  await using stub = await startStubForward(
    localTo(80),
    (accept) => {
      const channel = accept();
      channel.on("data", () => heard.push(channel));
    },
    { isSilent: true },
  );
  await beginInPeace(stub);
  const clients = await dialMany(200, stub.port);
  await until(() => stub.asked.length === 200, "all are open");
  for (const client of clients) client.write("hello?");
  await until(() => heard.length >= 24, "some are heard");
  for (let i = 0; i < 200; i++) {
    await until(() => heard.length > i, "all are heard");
    assert.ok(heard.length <= MOST + i);
    if (i % 2 === 0) heard[i]!.write("yes");
    else heard[i]!.end();
  }
  for (const client of clients) client.destroy();
});

testLink(
  [],
  "all that are open are heard, even if none is answered",
  async () => {
    let heard = 0;
    await using stub = await startStubForward(localTo(80), (accept) => {
      accept().on("data", () => heard++);
    });
    const clients = await dialMany(100, stub.port);
    await until(() => stub.asked.length === 100, "all are open");
    for (const client of clients) client.write("hello?");
    await until(() => heard === 100, "all are heard");
    for (const client of clients) client.destroy();
  },
);

testLink([], "while many wait for the server, more are not taken", async () => {
  const waiting: (() => ServerChannel)[] = [];
  let isServing = false;
  await using stub = await startStubForward(
    localTo(80),
    (accept) => isServing ? accept().end() : waiting.push(accept),
    { isSilent: true },
  );
  const { connections } = stub.traffic;
  const clients = await dialMany(300, stub.port);
  await until(() => stub.asked.length === 72, "some are asked for");
  await until(() => connections.open >= 72 + 64, "some wait");
  assert.ok(connections.open < 150, `${connections.open}`);
  isServing = true;
  for (const accept of waiting) accept().end();
  await Promise.all(clients.map(readAll));
  assert.equal(connections.total, 300);
});

testLink([], "a forward that takes no more can be closed", async () => {
  await using stub = await startStubForward(localTo(80), () => {}, {
    isSilent: true,
  });
  const { connections } = stub.traffic;
  const clients = await dialMany(300, stub.port);
  await until(() => stub.asked.length === 72, "some are asked for");
  await until(() => connections.open >= 72 + 64, "some wait");
  await stub.close();
  for (const client of clients) client.destroy();
});

testLink([], "all are asked for, even if none is answered", async () => {
  await using stub = await startStubForward(localTo(80), () => {});
  const clients = await dialMany(100, stub.port);
  await until(() => stub.asked.length === 100, "all are asked for");
  for (const client of clients) client.destroy();
});

testLink(
  [],
  "who waits for his turn is served by the next connection",
  async () => {
    let answer = false;
    await using stub = await startStubForward(localTo(80), (accept) => {
      if (answer) accept().end();
    });
    const clients = await dialMany(100, stub.port);
    await until(() => stub.asked.length > 10, "some are asked for");
    answer = true;
    stub.connections.push(await stub.server.connect());
    stub.connections[0]!.destroy();
    await Promise.all(clients.map(readAll));
    for (const client of clients) client.destroy();
  },
);

import assert from "node:assert/strict";
import { type Relay, startRelay } from "./relay.ts";
import { testWith } from "./requirements.ts";

/** Sends back what it gets, and ends when that ends. */
function startEcho() {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const serving = (async () => {
    const connections: Promise<void>[] = [];
    for await (const connection of listener) {
      connections.push(
        connection.readable.pipeTo(connection.writable).catch(() => {}),
      );
    }
    await Promise.all(connections);
  })();
  return {
    host: "127.0.0.1",
    port,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving;
    },
  };
}

const connect = ({ host, port }: Relay) =>
  Deno.connect({ hostname: host, port });
const write = (connection: Deno.Conn, text: string) =>
  connection.write(new TextEncoder().encode(text));

/** The next bytes as text; "" at the end. */
async function read(connection: Deno.Conn): Promise<string> {
  const buffer = new Uint8Array(65536);
  const n = await connection.read(buffer);
  return new TextDecoder().decode(buffer.subarray(0, n ?? 0));
}

Deno.test("relay passes everything on, and the end in each direction", async () => {
  await using echo = startEcho();
  await using relay = startRelay({ to: echo });
  const client = await connect(relay);
  const sent = crypto.getRandomValues(new Uint8Array(65536));
  const sending = (async () => {
    for (let i = 0; i < 64; i++) {
      for (let at = 0; at < sent.length;) {
        at += await client.write(sent.subarray(at));
      }
    }
    await client.closeWrite();
  })();
  const received = await new Response(client.readable).bytes();
  await sending;
  assert.equal(received.length, 64 * sent.length);
  for (let i = 0; i < 64; i++) {
    const part = received.subarray(i * sent.length, (i + 1) * sent.length);
    assert(sent.every((byte, at) => byte === part[at]));
  }
  const total = received.length;
  assert.deepEqual(relay.bytes, { sent: total, received: total });
});

Deno.test("relay delays both ways and keeps the order", async () => {
  await using echo = startEcho();
  await using relay = startRelay({ to: echo });
  using client = await connect(relay);
  await write(client, "a");
  assert.equal(await read(client), "a");

  relay.delay(40);
  const start = performance.now();
  await write(client, "b");
  assert.equal(await read(client), "b");
  const took = performance.now() - start;
  assert(took >= 79, `${took} ms`);

  await write(client, "c");
  relay.delay(0);
  await write(client, "d");
  let text = "";
  while (text.length < 2) text += await read(client);
  assert.equal(text, "cd");
});

Deno.test("relay passes on in pieces", async () => {
  await using echo = startEcho();
  await using relay = startRelay({ to: echo, chunkBytes: 1 });
  using client = await connect(relay);
  await write(client, "pieces");
  assert.equal((await read(client)).length, 1);
});

Deno.test("a stalled relay keeps connections, and resumes with nothing lost", async () => {
  await using echo = startEcho();
  await using relay = startRelay({ to: echo });
  using old = await connect(relay);
  await write(old, "a");
  assert.equal(await read(old), "a");

  relay.stall();
  using young = await connect(relay);
  await write(old, "b");
  await write(young, "c");
  const answers = Promise.all([read(old), read(young)]);
  const passed = await Promise.race([
    answers,
    new Promise((resolve) => setTimeout(resolve, 50, "nothing")),
  ]);
  assert.equal(passed, "nothing");
  assert.equal(relay.connections, 2);

  relay.resume();
  assert.deepEqual(await answers, ["b", "c"]);
});

Deno.test("a relay stalls who comes after so many bytes, until it passes", async () => {
  await using echo = startEcho();
  await using relay = startRelay({ to: echo });
  using old = await connect(relay);
  await write(old, "a");
  assert.equal(await read(old), "a");
  relay.stallNewAfter(3);
  using young = await connect(relay);
  await write(young, "abcde");
  assert.equal(await read(young), "abc");
  await write(old, "abcde");
  assert.equal(await read(old), "abcde");
  relay.passNew();
  using next = await connect(relay);
  await write(next, "abcde");
  assert.equal(await read(next), "abcde");
  relay.resume();
  assert.equal(await read(young), "de");
});

Deno.test("a stalled relay does not tell that a side has ended", async () => {
  await using echo = startEcho();
  await using relay = startRelay({ to: echo });
  using client = await connect(relay);
  await write(client, "a");
  assert.equal(await read(client), "a");
  relay.stall();
  await client.closeWrite();
  const answer = read(client);
  const passed = await Promise.race([
    answer,
    new Promise((resolve) => setTimeout(resolve, 50, "nothing")),
  ]);
  assert.equal(passed, "nothing");
  relay.resume();
  assert.equal(await answer, "");
});

Deno.test("relay cuts with an orderly end", async () => {
  await using echo = startEcho();
  await using relay = startRelay({ to: echo });
  using client = await connect(relay);
  await write(client, "a");
  assert.equal(await read(client), "a");
  await relay.cut();
  assert.equal(await read(client), "");
  assert.equal(relay.connections, 0);
});

testWith(["tcp-reset"], "relay resets", async () => {
  await using echo = startEcho();
  await using relay = startRelay({ to: echo });
  using client = await connect(relay);
  await write(client, "a");
  assert.equal(await read(client), "a");
  await relay.reset();
  await assert.rejects(read(client), /reset/);
  assert.equal(relay.connections, 0);
});

testWith(["tcp-reset"], "relay passes a reset on", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  await using inner = startRelay({ to: { host: "127.0.0.1", port } });
  await using outer = startRelay({ to: inner });
  using client = await connect(outer);
  using server = await listener.accept();
  await write(client, "a");
  assert.equal(await read(server), "a");
  await inner.reset();
  await assert.rejects(read(client), /reset/);

  listener.close();
  using late = await connect(outer);
  await assert.rejects(read(late), /reset/);
});

Deno.test("relay refuses and accepts again on the same port", async () => {
  await using echo = startEcho();
  await using relay = startRelay({ to: echo });
  using old = await connect(relay);
  await write(old, "a");
  assert.equal(await read(old), "a");

  await relay.refuse();
  await assert.rejects(connect(relay), /refused/);
  await write(old, "b");
  assert.equal(await read(old), "b");

  const { port } = relay;
  relay.accept();
  assert.equal(relay.port, port);
  using young = await connect(relay);
  await write(young, "c");
  assert.equal(await read(young), "c");
  assert.equal(relay.accepted, 2);
});

Deno.test("relay holds the sender up when the receiver does not read", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  await using relay = startRelay({ to: { host: "127.0.0.1", port } });
  using client = await connect(relay);
  using server = await listener.accept();
  listener.close();
  let written = 0;
  const writing = (async () => {
    const block = new Uint8Array(65536);
    try {
      while (true) written += await client.write(block);
    } catch {
      // The relay has ended the connection.
    }
  })();
  // Until a tenth of a second passes without a byte getting in.
  for (let before = -1; before !== written;) {
    before = written;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert(written < 64 * 1024 * 1024, `${written} bytes`);
  assert.equal((await read(server)).length > 0, true);
  await relay.stop();
  await writing;
});

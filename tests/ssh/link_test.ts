import assert from "node:assert/strict";
import { once } from "node:events";
import { Link } from "../../src/ssh/link.ts";
import { PromptAck } from "../../src/ssh/prompt_ack.ts";
import { ReadCoalescing } from "../../src/ssh/read_coalescing.ts";

/** Writes down what it is told. */
class Recorder extends PromptAck {
  readonly told: string[] = [];
  constructor() {
    super(() => false, () => {});
  }
  override received() {
    this.told.push("received");
  }
  override sent() {
    this.told.push("sent");
  }
  override stop() {
    this.told.push("over");
  }
}

/** A link, the other end of it, and the lengths of what was written. */
async function connect() {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepting = listener.accept();
  const { port } = listener.addr;
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const written: number[] = [];
  const write = conn.write.bind(conn);
  conn.write = (bytes) => {
    written.push(bytes.length);
    return write(bytes);
  };
  return { link: new Link(conn), peer: await accepting, written };
}

Deno.test("a link tells what comes and goes, before anything is done about it", async () => {
  const { link, peer: other } = await connect();
  using peer = other;
  const { told } = link.promptAck = new Recorder();
  link.on("data", (bytes) => link.send(bytes));
  await peer.write(new Uint8Array(5));
  assert.equal(await peer.read(new Uint8Array(10)), 5);
  assert.deepEqual(told.splice(0), ["received", "sent"]);

  // however much it is
  const much = new Uint8Array(64 * 1024);
  const writing = peer.write(much);
  for (let length = 0; length < much.length;) {
    length += (await peer.read(new Uint8Array(much.length)))!;
  }
  assert.equal(await writing, much.length);
  assert.deepEqual(told.splice(0).slice(0, 2), ["received", "sent"]);
  link.destroy();
  await once(link, "close");
  assert.deepEqual(told, ["over"]);
});

Deno.test("a link tells how much it reads, and asks before", async () => {
  const { link, peer: other } = await connect();
  using peer = other;
  const told: unknown[] = [];
  link.coalescing = Object.assign(new ReadCoalescing(), {
    wait: () => told.push("wait"),
    received: (length: number) => told.push(length),
  });
  link.on("data", (bytes) => link.send(bytes));
  for (const length of [3, 4]) {
    await peer.write(new Uint8Array(length));
    assert.equal(await peer.read(new Uint8Array(10)), length);
  }
  assert.deepEqual(told.slice(0, 4), ["wait", 3, "wait", 4]);
  link.destroy();
  await once(link, "close");
});

Deno.test("what a link is sent in one turn is one write, unless it is flushed before", async () => {
  const { link, peer: other, written } = await connect();
  using peer = other;
  const send = async (length: number, promises: number) => {
    for (let i = 0; i < promises; i++) await undefined;
    link.send(new Uint8Array(length));
  };
  const take = async (length: number) => {
    const bytes = new Uint8Array(length);
    for (let taken = 0; taken < length;) {
      taken += (await peer.read(bytes.subarray(taken)))!;
    }
  };
  await Promise.all([send(1, 0), send(10, 1), send(100, 20)]);
  assert.deepEqual(written, []);
  await take(111);
  assert.deepEqual(written.splice(0), [111]);

  link.send(new Uint8Array(2));
  link.flush();
  assert.deepEqual(written.splice(0), [2]);
  // while that is being written, and after
  link.send(new Uint8Array(20));
  link.flush();
  await take(22);
  assert.deepEqual(written.splice(0), [20]);
  link.flush();
  assert.deepEqual(written, []);
  link.destroy();
  await once(link, "close");
});

Deno.test("what is sent because of a read goes before the next read", async () => {
  const order: string[] = [];
  const { promise: again, resolve } = Promise.withResolvers<void>();
  let reads = 0;
  const conn = {
    setNoDelay() {},
    read: () => ++reads === 1 ? Promise.resolve(1) : new Promise(() => {}),
    write(bytes: Uint8Array) {
      order.push("write");
      return Promise.resolve(bytes.length);
    },
    close() {},
  };
  const link = new Link(conn as unknown as Deno.TcpConn);
  link.copiesData = true;
  // it sleeps before reads
  link.coalescing = {
    received() {},
    wait() {
      order.push("wait");
      if (order.length > 1) resolve();
    },
  } as unknown as ReadCoalescing;
  link.on("data", () => link.send(Uint8Array.of(1)));
  await again;
  assert.deepEqual(order, ["wait", "write", "wait"]);
  link.destroy();
});

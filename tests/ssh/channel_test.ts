import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { Channel, type Wire } from "../../src/ssh/channel.ts";
import { ChannelStream } from "../../src/ssh/channel_stream.ts";
import type { Ask } from "../../src/ssh/opening_queue.ts";
import { FIRST_WINDOW, RoundTrip } from "../../src/ssh/receive_window.ts";

const PEER = 7;

/** A channel, what it sends, and a link that the test fills and empties. */
function start({ window = 1000, packetBytes = 100, begin }: {
  window?: number;
  packetBytes?: number;
  begin?: (ask: Ask) => void;
} = {}) {
  const sent: (string | number)[] = [];
  const waiting: (() => void)[] = [];
  let isFull = false;
  const note = (what: string) => (to: number) => {
    assert.equal(to, PEER);
    sent.push(what);
  };
  const wire: Wire = {
    data: (to, bytes) => {
      assert.equal(to, PEER);
      sent.push(bytes.length);
    },
    windowAdjust: note("adjust"),
    eof: note("eof"),
    close: note("close"),
    requestFailed: note("no"),
    isFull: () => isFull,
    whenRoom: (callback) => waiting.push(callback),
  };
  return {
    channel: new Channel(
      { id: PEER, window, packetBytes },
      wire,
      new RoundTrip(),
      begin,
    ),
    sent,
    /** Who waits for the link. */
    waiting,
    fill: () => isFull = true,
    empty: () => {
      isFull = false;
      for (const callback of waiting.splice(0)) callback();
    },
  };
}

/** Notes what a channel gives. */
function receiver() {
  const got: string[] = [];
  return {
    got,
    data: (bytes: Uint8Array) => got.push(Buffer.from(bytes).toString()),
    end: () => got.push("<end>"),
    closed: (isCut: boolean) => got.push(isCut ? "<cut>" : "<closed>"),
  };
}

/** Whether a promise has resolved once all that is ready has run. */
async function isDone(promise: Promise<void>): Promise<boolean> {
  let done = false;
  promise.then(() => done = true);
  await new Promise((resolve) => setTimeout(resolve));
  return done;
}

Deno.test("what comes before anybody receives is kept, and comes once", () => {
  const { channel } = start();
  const buffer = Buffer.from("early ");
  channel.onData(buffer);
  buffer.fill(0); // it is overwritten
  channel.onData(Buffer.from("bird"));
  channel.onEnd();
  channel.onClosed(false);
  const first = receiver();
  channel.receive(first);
  assert.equal(first.got.join(""), "early bird<end><closed>");
});

Deno.test("a receiver may hand over to another in the middle", () => {
  const { channel } = start();
  const [first, second] = [receiver(), receiver()];
  channel.receive(first);
  channel.onData(Buffer.from("1"));
  channel.receive(undefined);
  channel.onData(Buffer.from("2"));
  channel.onEnd();
  channel.receive(second);
  channel.onClosed(true);
  assert.deepEqual(first.got, ["1"]);
  assert.deepEqual(second.got, ["2", "<end>", "<cut>"]);
});

Deno.test("a server that sends more than it may is cut off", () => {
  const { channel, sent } = start();
  const all = receiver();
  channel.receive(all);
  channel.onData(new Uint8Array(FIRST_WINDOW));
  assert.deepEqual(sent, []);
  channel.onData(new Uint8Array(1));
  assert.deepEqual([all.got.length, sent, channel.isClosed], [
    1,
    ["close"],
    true,
  ]);
});

Deno.test("nothing comes after the end", () => {
  const { channel } = start();
  const all = receiver();
  channel.receive(all);
  channel.onEnd();
  channel.onData(Buffer.from("x"));
  channel.onEnd();
  channel.onClosed(false);
  channel.onClosed(true);
  assert.deepEqual(all.got, ["<end>", "<closed>"]);
});

Deno.test("it sends as much as the server takes, in packets as it takes them", async () => {
  const { channel, sent } = start({ window: 250, packetBytes: 100 });
  assert.equal(channel.send(new Uint8Array(1000)), 250);
  assert.deepEqual(sent, [100, 100, 50]);
  const ready = channel.ready();
  assert.equal(await isDone(ready), false);
  channel.onWindowAdjust(30);
  await ready;
  assert.equal(channel.send(new Uint8Array(1000)), 30);
  assert.deepEqual(sent, [100, 100, 50, 30]);
});

Deno.test("it waits for the link, too", async () => {
  const { channel, sent, fill, empty } = start();
  await channel.ready();
  fill();
  assert.equal(channel.send(new Uint8Array(10)), 0);
  const ready = channel.ready();
  channel.onWindowAdjust(1);
  assert.equal(await isDone(ready), false);
  empty();
  await ready;
  assert.equal(channel.send(new Uint8Array(10)), 10);
  assert.deepEqual(sent, [10]);
});

Deno.test("what is sent first waits for its turn, and no more after it", async () => {
  const turns: Ask[] = [];
  const { channel, sent, waiting } = start({
    begin: (ask) => turns.push(ask),
  });
  assert.equal(channel.send(new Uint8Array()), 0);
  assert.equal(turns.length, 0);
  assert.equal(channel.send(new Uint8Array(10)), 0);
  const ready = channel.ready();
  assert.equal(waiting.length, 0);
  assert.equal(await isDone(ready), false);
  turns[0]!(() => {});
  await ready;
  assert.equal(channel.send(new Uint8Array(10)), 10);
  assert.equal(channel.send(new Uint8Array(20)), 20);
  assert.deepEqual([sent, turns.length], [[10, 20], 1]);
});

Deno.test("its turn is over with the first answer, or with the channel", () => {
  for (const how of ["data", "closed"]) {
    let answers = 0;
    const { channel } = start({ begin: (ask) => ask(() => answers++) });
    channel.onData(new Uint8Array(1));
    assert.equal(channel.send(new Uint8Array(10)), 10);
    assert.equal(answers, 0, "that was no answer");
    if (how === "data") channel.onData(new Uint8Array(1));
    else channel.onClosed(false);
    channel.onData(new Uint8Array(1));
    assert.equal(answers, 1, how);
  }
});

Deno.test("one that is closed while it waits passes its turn on", async () => {
  for (const how of ["ours", "theirs", "cut"]) {
    const turns: Ask[] = [];
    const { channel } = start({ begin: (ask) => turns.push(ask) });
    channel.send(new Uint8Array(10));
    const ready = channel.ready();
    if (how === "ours") channel.close();
    else channel.onClosed(how === "cut");
    await ready;
    const { promise, resolve } = Promise.withResolvers<void>();
    turns[0]!(resolve);
    await promise;
    assert.equal(channel.send(new Uint8Array(10)), 0);
  }
});

Deno.test("who waits to send is told that nothing can be sent any more", async () => {
  for (const how of ["ours", "theirs", "cut"]) {
    const { channel, sent } = start({ window: 0 });
    const ready = channel.ready();
    assert.equal(await isDone(ready), false);
    if (how === "ours") channel.close();
    else channel.onClosed(how === "cut");
    await ready;
    assert.equal(channel.send(new Uint8Array(10)), 0);
    await channel.ready();
    assert.deepEqual(sent, how === "cut" ? [] : ["close"], how);
  }
});

Deno.test("EOF once and CLOSE once, and nothing after CLOSE", () => {
  const { channel, sent } = start();
  const all = receiver();
  channel.receive(all);
  channel.onRequest();
  channel.sendEnd();
  channel.sendEnd();
  channel.close();
  channel.close();
  channel.sendEnd();
  channel.onRequest();
  // what was on its way still counts
  channel.onData(new Uint8Array(FIRST_WINDOW));
  channel.consumed(FIRST_WINDOW);
  channel.onClosed(false);
  assert.deepEqual(sent, ["no", "eof", "close"]);
  assert.equal(all.got.at(-1), "<closed>");
});

Deno.test("as a stream, what has come is read before its close is told", async () => {
  const { channel, sent } = start();
  const stream = new ChannelStream(channel);
  channel.onData(Buffer.from("last words"));
  channel.onClosed(false);
  stream.write("too late");
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(stream.destroyed, false);
  const chunks: Buffer[] = [];
  stream.on("data", (chunk) => chunks.push(chunk));
  await once(stream, "end");
  assert.equal(Buffer.concat(chunks).toString(), "last words");
  if (!stream.closed) await once(stream, "close");
  assert.deepEqual(sent, ["close"]);
});

Deno.test("a stream whose end was read is closed with its channel", async () => {
  const { channel } = start();
  const stream = new ChannelStream(channel);
  channel.onEnd();
  await once(stream.resume(), "end");
  assert.equal(stream.destroyed, false);
  channel.onClosed(false);
  if (!stream.closed) await once(stream, "close");
});

Deno.test("a stream gives all it holds when it is released, and no more", () => {
  const { channel } = start();
  const stream = new ChannelStream(channel);
  for (const part of ["a", "b", "c"]) channel.onData(Buffer.from(part));
  const { rest } = stream.release();
  assert.equal(Buffer.from(rest).toString(), "abc");
  channel.onData(Buffer.from("d"));
  const all = receiver();
  channel.receive(all);
  assert.deepEqual(all.got, ["d"]);
});

Deno.test("a stream whose reader stops holds up the server", () => {
  const { channel, sent } = start();
  const stream = new ChannelStream(channel);
  stream.pause();
  stream.read(0);
  for (let i = 0; i < 64; i++) channel.onData(new Uint8Array(32 * 1024));
  assert.deepEqual(sent, []);
  channel.onData(new Uint8Array(1));
  assert.deepEqual(sent, ["close"]);
  stream.destroy();
});

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { I2ptunError } from "../../src/errors.ts";
import { SpareChannels } from "../../src/forward/spare_channels.ts";
import { Channel } from "../../src/ssh/channel.ts";
import { RoundTrip } from "../../src/ssh/receive_window.ts";
import { FakeClock, settle } from "../tunnel/fake_clock.ts";
import { startRelay } from "../support/relay.ts";
import {
  dialTo,
  echo,
  portOf,
  readAll,
  readExactly,
  startLink,
  startProgram,
  testLink,
  until,
} from "./setup.ts";
import { localTo } from "./forwards.ts";
import { startStubForward } from "./stub_server.ts";

const GET = Buffer.from("GET / HTTP/1.1\r\n");

/** Spares, a clock, and a server that opens what it is asked for. */
function start({ roundTripMs = 100 } = {}) {
  const clock = new FakeClock();
  const opened: Channel[] = [];
  const server = { refuses: undefined as I2ptunError | undefined };
  let asked = 0;
  const spares = new SpareChannels({
    open: async () => {
      asked++;
      if (server.refuses) throw server.refuses;
      const nothing = () => {};
      const wire = {
        ...{ data: nothing, windowAdjust: nothing, eof: nothing },
        ...{ close: nothing, requestFailed: nothing, whenRoom: nothing },
        isFull: () => false,
      };
      const channel = new Channel(
        { id: asked, window: 1000, packetBytes: 1000 },
        wire,
        new RoundTrip(() => clock.now()),
      );
      opened.push(channel);
      return await Promise.resolve(channel);
    },
    roundTripMs: () => roundTripMs,
    now: () => clock.now(),
    sleep: (ms, signal) => clock.sleep(ms, signal),
  });
  return {
    ...{ clock, spares, opened, server },
    /** How many it was asked for since the last time. */
    asked: () => {
      const count = asked;
      asked = 0;
      return count;
    },
    /** A page: this many clients at once, and then none. */
    visit: async (clients: number) => {
      for (let i = 1; i <= clients; i++) {
        spares.take();
        spares.heard(GET, i);
        await settle();
      }
    },
  };
}

Deno.test("the second page has channels for as many as the first", async () => {
  const { spares, visit, asked } = start();
  await visit(4);
  assert.equal(asked(), 0, "nothing is known");
  spares.heard(GET, 1);
  assert.equal(asked(), 3);
  await settle();
  for (let i = 0; i < 3; i++) assert.ok(spares.take());
  assert.equal(spares.take(), undefined);
});

const PAGE = Buffer.from(
  "GET http://x.i2p/ HTTP/1.1\r\nHost: x.i2p\r\nAccept: text/html,*/*\r\n\r\n",
);

Deno.test("who asks for a page has the others at once", async () => {
  const { spares, asked } = start();
  spares.heard(PAGE, 1);
  assert.equal(asked(), 5);
  await settle();
  assert.ok(spares.take());
  const other = start();
  other.spares.heard(Buffer.from(`${PAGE}`.replace("html", "css")), 1);
  other.spares.heard(Buffer.from(`${PAGE}`.replace("GET", "NICK")), 1);
  assert.equal(other.asked(), 0);
});

Deno.test("for five seconds after a page there is one for the next", async () => {
  const { clock, spares, asked } = start();
  spares.heard(PAGE, 1);
  await settle();
  for (let clients = 2; clients <= 6; clients++) {
    assert.ok(spares.take());
    spares.heard(GET, clients);
  }
  await settle();
  assert.equal(asked(), 5 + 1);
  assert.ok(spares.take());
  await clock.advance(4999);
  spares.heard(GET, 6);
  await settle();
  assert.equal(asked(), 1);
  assert.ok(spares.take());
  await clock.advance(1);
  spares.heard(GET, 6);
  assert.equal(asked(), 0);
});

Deno.test("there are never more than a browser takes", async () => {
  const { spares, visit, asked } = start();
  await visit(50);
  asked();
  spares.heard(GET, 1);
  spares.heard(GET, 1);
  assert.equal(asked(), 5);
});

Deno.test("who has been alone gets none", async () => {
  const { visit, asked } = start();
  for (let i = 0; i < 9; i++) await visit(1);
  assert.equal(asked(), 0);
});

Deno.test("those that speak no HTTP get none", async () => {
  const { spares, visit, asked } = start();
  await visit(6);
  asked();
  for (const first of ["NICK me", "SSH-2.0-x", "EHLO x", "\x16\x03\x01", ""]) {
    spares.heard(Buffer.from(first), 1);
  }
  assert.equal(asked(), 0);
});

Deno.test("a server nearby is not asked for any, nor one of unknown distance", async () => {
  for (const roundTripMs of [0, 19]) {
    const { visit, asked } = start({ roundTripMs });
    await visit(6);
    await visit(1);
    assert.equal(asked(), 0);
  }
});

Deno.test("unused they are closed after five seconds, and nothing is left", async () => {
  const { clock, spares, visit, opened } = start();
  await visit(3);
  spares.heard(GET, 1);
  await clock.advance(4999);
  assert.deepEqual(opened.map(({ isClosed }) => isClosed), [false, false]);
  await clock.advance(1);
  assert.deepEqual(opened.map(({ isClosed }) => isClosed), [true, true]);
  assert.equal(clock.next, undefined);
  assert.equal(spares.take(), undefined);
});

Deno.test("no timer runs when all are taken", async () => {
  const { clock, spares, visit, opened } = start();
  await visit(3);
  spares.heard(GET, 1);
  await settle();
  assert.equal(clock.next, 5000);
  spares.take();
  spares.take();
  assert.equal(clock.next, undefined);
  await clock.advance(10_000);
  assert.ok(opened.every(({ isClosed }) => !isClosed));
});

Deno.test("what lies back ten minutes does not count", async () => {
  const { clock, visit, asked } = start();
  await visit(3);
  await clock.advance(600_001);
  asked();
  await visit(1);
  assert.equal(asked(), 0);
});

for (const how of ["ends", "closes", "is lost"]) {
  Deno.test(`one that ${how} is given to nobody`, async () => {
    const { clock, spares, visit, opened } = start();
    await visit(2);
    spares.heard(GET, 1);
    await settle();
    if (how === "ends") opened[0]!.onEnd();
    else opened[0]!.onClosed(how === "is lost");
    assert.equal(spares.take(), undefined);
    assert.ok(opened[0]!.isClosed);
    assert.equal(clock.next, undefined);
  });
}

Deno.test("a service that speaks first gets none any more", async () => {
  const { clock, spares, visit, opened, asked } = start();
  await visit(6);
  spares.heard(GET, 1);
  await settle();
  assert.equal(asked(), 5);
  opened[2]!.onData(Buffer.from("220 hello"));
  assert.ok(opened.every(({ isClosed }) => isClosed));
  await clock.advance(300_000);
  await visit(1);
  assert.equal(asked(), 0);
});

Deno.test("after a refusal there is a minute without", async () => {
  const { clock, server, visit, asked } = start();
  await visit(2);
  server.refuses = new I2ptunError("forward", "no");
  await visit(1);
  assert.equal(asked(), 1);
  assert.equal(clock.next, undefined);
  await clock.advance(59_999);
  await visit(1);
  assert.equal(asked(), 0);
  await clock.advance(1);
  await visit(1);
  assert.equal(asked(), 1);
});

Deno.test("one that comes after its time is closed", async () => {
  const { spares, visit, opened } = start();
  await visit(2);
  spares.heard(GET, 1);
  spares.discard();
  await settle();
  assert.deepEqual(opened.map(({ isClosed }) => isClosed), [true]);
  assert.equal(spares.take(), undefined);
});

testLink(
  [],
  "a client that has said all does not count for the next page",
  async () => {
    const ended = Promise.withResolvers<void>();
    // the server closes none of them, and is far away
    await using stub = await startStubForward(localTo(80), (accept) => {
      setTimeout(() => {
        const channel = accept();
        channel.on("end", () => ended.resolve());
        channel.resume();
      }, 30);
    });
    const [first, second] = [await dialTo(stub.port), await dialTo(stub.port)];
    first.end("GET / HTTP/1.1\r\n\r\n");
    await ended.promise;
    second.write("GET / HTTP/1.1\r\nAccept: text/html\r\n\r\n");
    await until(() => stub.asked.length >= 2 + 5, "a channel for each of six");
    first.destroy();
    second.destroy();
  },
);

testLink(
  ["sshd"],
  "far away the next page's clients find channels open",
  async () => {
    await using stack = new AsyncDisposableStack();
    const link = stack.use(
      await startLink({
        via: (to) =>
          Promise.resolve(stack.use(startRelay({ to, delayMs: 15 }))),
      }),
    );
    await using target = await startProgram(echo);
    const forward = await link.open(localTo(target.port));
    const port = portOf(forward);
    const visit = async () => {
      const client = await dialTo(port);
      client.write(GET);
      assert.ok((await readExactly(client, GET.length)).equals(GET));
      return client;
    };

    const first = await Promise.all([visit(), visit(), visit()]);
    for (const client of first) client.end();
    await Promise.all(first.map(readAll));
    await until(() => forward.traffic.connections.open === 0, "all are gone");

    const alone = await visit();
    await target.accepted(5);
    assert.deepEqual(forward.traffic.connections, { open: 1, total: 4 });
    const others = await Promise.all([visit(), visit()]);
    assert.deepEqual(forward.traffic.connections, { open: 3, total: 6 });
    for (const client of [alone, ...others]) client.end();
    await Promise.all([alone, ...others].map(readAll));
    // no seventh: all that was opened is used
    assert.equal(await Promise.race([target.accepted(6), "none"]), "none");
  },
);

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Client } from "../../src/forward/client.ts";
import { Socket } from "../../src/forward/socket.ts";
import { localTo } from "./forwards.ts";
import { dialTo, random, readAll, testLink, until } from "./setup.ts";
import { type ServerChannel, startStubForward } from "./stub_server.ts";

/** A forward whose server opens a channel when it is told to. */
async function start() {
  let accept: (() => ServerChannel) | undefined;
  const stub = await startStubForward(localTo(80), (open) => accept = open);
  return {
    stub,
    /** What the server gets until the end. */
    open: async () => {
      await until(() => accept !== undefined, "the server is asked");
      const channel = accept!();
      const chunks: Uint8Array[] = [];
      channel.on("data", (chunk) => chunks.push(chunk));
      const ended = new Promise<void>((resolve) =>
        channel.on("end", () => resolve())
      );
      return { channel, all: ended.then(() => Buffer.concat(chunks)) };
    },
    [Symbol.asyncDispose]: () => stub[Symbol.asyncDispose](),
  };
}

for (const length of [0, 5, 4096, 300_000]) {
  testLink(
    [],
    `${length} bytes that a client says, and its end, wait for a channel`,
    async () => {
      await using server = await start();
      const data = random(length);
      const client = await dialTo(server.stub.port);
      client.end(data);
      if (length < 10_000) await new Promise((r) => client.once("finish", r));
      const { channel, all } = await server.open();
      assert.ok((await all).equals(data));
      channel.write("bye");
      channel.end();
      assert.equal(String(await readAll(client)), "bye");
    },
  );
}

Deno.test("Nagle's algorithm is off for whoever is forwarded", () => {
  const forward = [
    (conn: Deno.Conn) => new Client(conn).release(),
    (conn: Deno.Conn) => new Socket(conn),
  ];
  for (const it of forward) {
    const told: boolean[] = [];
    const setNoDelay = (yes: boolean) => told.push(yes);
    it({ setNoDelay } as unknown as Deno.TcpConn);
    assert.deepEqual(told, [true], String(it));
    // macOS, if it has been reset: whoever reads from it sees that
    const refuse = () => {
      throw new Error("Invalid argument (os error 22)");
    };
    it({ setNoDelay: refuse } as unknown as Deno.TcpConn);
    // a Unix socket has none
    it({} as Deno.UnixConn);
  }
});

testLink([], "clients one after the other get their own bytes", async () => {
  await using stub = await startStubForward(localTo(80), (accept) => {
    const channel = accept();
    channel.on("data", (chunk) => channel.write(chunk));
    channel.on("end", () => channel.end());
  });
  // buffers are used again
  const say = async (length: number) => {
    const client = await dialTo(stub.port);
    const data = random(length);
    client.end(data);
    assert.ok((await readAll(client)).equals(data));
  };
  for (let i = 0; i < 20; i++) {
    await Promise.all([say(3), say(4096), say(5000), say(70_000)]);
  }
});

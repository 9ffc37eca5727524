/**
 * Connections that break off. SSH has no reset (RFC 4254 §5.3): what is one at
 * one end is an end at the other, as with ssh(1), but at once.
 */
import assert from "node:assert/strict";
import type { Forward } from "../../src/forward/address.ts";
import { Socket } from "../../src/forward/socket.ts";
import { reset } from "../support/relay.ts";
import {
  portOf,
  random,
  readAll,
  readExactly,
  released,
  startLink,
  startProgram,
  testLink,
  until,
} from "./setup.ts";
import { localTo, remoteTo } from "./forwards.ts";

/** A forward to a port, of each kind that has one. */
function forwardsTo(port: number): Forward[] {
  return [localTo(port), remoteTo(port)];
}

/** Sends until it cannot any more. */
function pour(socket: Socket): void {
  const piece = random(1024 * 1024);
  const go = () => {
    while (!socket.destroyed && socket.write(piece)) { /* until it is full */ }
  };
  socket.on("drain", go);
  go();
}

testLink(
  ["sshd", "tcp-reset"],
  "a client's reset ends its connection at the target at once",
  async () => {
    await using link = await startLink();
    await using silent = startProgram();
    await using sending = startProgram(pour);
    for (const target of [silent, sending]) {
      for (const [n, forward] of forwardsTo(target.port).entries()) {
        const running = await link.open(forward);
        const client = await Deno.connect({ port: portOf(running) });
        await client.write(random(1000));
        const server = await target.accepted(n);
        assert.equal((await readExactly(server, 1000)).length, 1000);
        await reset(client);
        await released(server);
        await until(() => running.traffic.connections.open === 0, "it is over");
        client.close();
      }
    }
  },
);

testLink(
  ["sshd", "tcp-reset"],
  "a target's reset ends its connection at the client at once",
  async () => {
    await using link = await startLink();
    const answer = random(100_000);
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    using _listener = listener;
    for (const forward of forwardsTo(listener.addr.port)) {
      for (const isSending of [false, true]) {
        const running = await link.open(forward);
        const client = new Socket(
          await Deno.connect({ port: portOf(running) }),
        );
        client.write("x");
        const target = await listener.accept();
        await target.write(answer);
        const got = await readExactly(client, answer.length);
        assert(got.equals(answer));
        if (isSending) pour(client);
        await reset(target);
        if (isSending) await released(client);
        // who only reads is told no more than the end
        else assert.equal((await readAll(client)).length, 0);
        client.destroy();
        await until(() => running.traffic.connections.open === 0, "it is over");
        target.close();
      }
    }
  },
);

testLink(
  ["sshd"],
  "when the connection is lost, both ends get what has come, then an end",
  async () => {
    for (const kind of [0, 1]) {
      await using link = await startLink();
      const answer = random(500_000);
      await using target = startProgram((socket) => socket.write(answer));
      const running = await link.open(forwardsTo(target.port)[kind]!);
      const client = new Socket(await Deno.connect({ port: portOf(running) }));
      client.write("x");
      const server = await target.accepted(0);
      await readExactly(server, 1);
      const { bytes } = running.traffic;
      const towardsClient = kind === 0 ? "received" : "sent";
      await until(() => bytes[towardsClient] === answer.length, "it has come");
      await readExactly(client, 1);
      link.sshd.killConnections();
      const [rest] = await Promise.all([readAll(client), released(server)]);
      // what has left a remote forward may be lost with the server's session
      if (kind === 0) assert(rest.equals(answer.subarray(1)));
      client.destroy();
      await until(() => running.traffic.connections.open === 0, "it is over");
    }
  },
);

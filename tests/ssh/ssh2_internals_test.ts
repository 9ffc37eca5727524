import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { algorithmOffer } from "../../src/ssh/algorithms.ts";
import type { Channel } from "../../src/ssh/channel.ts";
import { ChaCha20Poly1305 } from "../../src/ssh/chacha20_poly1305.ts";
import { CHANNEL_MESSAGE } from "../../src/ssh/channel_messages.ts";
import { Channels } from "../../src/ssh/channels.ts";
import { dial } from "../../src/ssh/dial.ts";
import { PacketReader, PacketWriter } from "../../src/ssh/packets.ts";
import { FIRST_WINDOW } from "../../src/ssh/receive_window.ts";
import { Client } from "../../src/ssh/ssh2.ts";
import { I2ptunError } from "../../src/errors.ts";
import { execute, makeScratchDir, removeDir } from "../support/scratch.ts";
import { startRelay } from "../support/relay.ts";
import { startSshd } from "../support/sshd.ts";
import { testLogin } from "./login.ts";

// deno-lint-ignore no-explicit-any
type Internals = any;

/** A login to a real server, and ssh2's inside. */
async function start(
  ciphers: string | undefined,
  { delayMs = 0, logLevel = "VERBOSE" } = {},
) {
  const stack = new AsyncDisposableStack();
  const sshd = stack.use(await startSshd({ config: `LogLevel ${logLevel}` }));
  const dir = await makeScratchDir();
  stack.defer(() => removeDir(dir));
  const key = `${dir}/key`;
  await execute("ssh-keygen", ["-qt", "ed25519", "-N", "", "-f", key]);
  await sshd.authorize(await Deno.readTextFile(`${key}.pub`));
  const { signal } = new AbortController();
  const { host, port } = delayMs === 0
    ? sshd
    : stack.use(await startRelay({ to: sshd, delayMs }));
  const transport = await dial({ host, port, signal });
  const client = new Client();
  const closed = once(client, "close");
  client.on("error", () => {});
  const ready = once(client, "ready");
  let cipher = "";
  client.on("handshake", (negotiated) => cipher = negotiated.cs.cipher);
  client.connect({
    sock: transport,
    username: sshd.user,
    privateKey: await Deno.readTextFile(key),
    algorithms: algorithmOffer([], { ciphers }) as never,
  });
  const channels = new Channels(client, transport);
  await ready;
  stack.defer(async () => {
    client.destroy();
    await closed;
  });
  const listener = stack.use(echoes());
  return {
    sshd,
    client,
    transport,
    cipher,
    protocol: (client as Internals)._protocol as Internals,
    open: () =>
      channels.open(
        { kind: "tcp", host: "127.0.0.1", port: listener.port },
        { address: "127.0.0.1", port: 1 },
        () => new I2ptunError("unreachable", "lost"),
      ),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Answers with what it is sent. */
function echoes() {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for await (const conn of listener) {
      conn.readable.pipeTo(conn.writable).catch(() => {});
    }
  })();
  return {
    port: listener.addr.port,
    [Symbol.asyncDispose]: async () => {
      listener.close();
      await serving;
    },
  };
}

/** Sends all of it, then an end. @returns what comes back */
async function exchange(channel: Channel, data: Uint8Array): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const ended = new Promise<void>((resolve, reject) =>
    channel.receive({
      data: (bytes) => {
        chunks.push(Buffer.from(bytes));
        channel.consumed(bytes.length);
      },
      end: resolve,
      closed: () => reject(new Error("closed before its end")),
    })
  );
  let rest = data;
  while (rest.length > 0) {
    await channel.ready();
    rest = rest.subarray(channel.send(rest));
  }
  channel.sendEnd();
  await ended;
  channel.close();
  return Buffer.concat(chunks);
}

/** Counts the calls of a method. */
function spy(on: Internals, name: string) {
  const calls: unknown[][] = [];
  const original = on[name];
  assert.equal(typeof original, "function", name);
  on[name] = function (...args: unknown[]) {
    calls.push(args);
    return original.apply(this, args);
  };
  return calls;
}

testLogin(
  ["sshd"],
  "our cipher is the first choice, ours on both sides, and channels bypass ssh2",
  async () => {
    await using ssh = await start(undefined);
    const { protocol } = ssh;
    assert.equal(ssh.cipher, "chacha20-poly1305@openssh.com");
    assert(protocol._cipher instanceof PacketWriter);
    assert(protocol._decipher instanceof PacketReader);
    const through = [
      ...["directTcpip", "channelData", "channelWindowAdjust"],
      ...["channelEOF", "channelClose"],
    ].map((name) => spy(protocol, name));
    through.push(
      ...["OPEN_CONFIRMATION", "DATA", "WINDOW_ADJUST", "EOF", "CLOSE"]
        .map((name) => spy(protocol._handlers, `CHANNEL_${name}`)),
    );
    const data = randomBytes(3_000_000);
    assert((await exchange(await ssh.open(), data)).equals(data));
    assert.deepEqual(through.flat(), []);
  },
);

testLogin(["sshd"], "a channel is asked for before all else", async () => {
  await using ssh = await start(undefined);
  const written = spy(ssh.transport, "flush");
  const opening = ssh.open();
  assert.equal(written.length, 1, "at once, not at the end of the turn");
  (await opening).close();
});

testLogin(
  ["sshd"],
  "reads wait for more only while nothing was asked for",
  async () => {
    await using ssh = await start(undefined);
    const asked = spy((ssh.transport as Internals).coalescing, "asked");
    const channel = await ssh.open();
    assert.equal(asked.length, 1, "for a channel");
    const echoed = new Promise<void>((resolve) =>
      channel.receive({
        data: () => {
          // so that the server is told it may send more
          channel.consumed(FIRST_WINDOW);
          resolve();
        },
        end: () => {},
        closed: () => {},
      })
    );
    channel.send(new Uint8Array(1));
    await echoed;
    assert.equal(asked.length, 2, "with data");
    channel.close();
  },
);

testLogin(
  ["sshd"],
  "a server whose answer nothing follows need not wait for TCP",
  async () => {
    await using ssh = await start(undefined, { logLevel: "DEBUG3" });
    assert.doesNotMatch(ssh.sshd.log(), /SSH2_MSG_IGNORE/);
    const channel = await ssh.open();
    await ssh.sshd.waitForLog(/Received SSH2_MSG_IGNORE/);
    channel.close();
  },
);

testLogin(
  ["sshd"],
  "new keys come into force in the middle, in order",
  async () => {
    await using ssh = await start(undefined);
    const { protocol, client } = ssh;
    const before = [protocol._cipher, protocol._decipher];
    // RFC 4253 §7.1: no data between KEXINIT and NEWKEYS
    let wrong = 0;
    const { prototype } = PacketWriter;
    const { sendData, sendNumbers, sendPayload } = prototype;
    const count = <Args extends unknown[]>(send: (...args: Args) => void) =>
      function (this: PacketWriter, ...args: Args) {
        if (protocol._kexinit !== undefined) wrong++;
        send.apply(this, args);
      };
    prototype.sendData = count(sendData);
    prototype.sendNumbers = count(sendNumbers);
    prototype.sendPayload = count(sendPayload);
    const { useKey } = ChaCha20Poly1305.prototype;
    const keys = new Set<string>();
    ChaCha20Poly1305.prototype.useKey = function (key) {
      keys.add(String(key));
      useKey.call(this, key);
    };
    using _restored = {
      [Symbol.dispose]: () => {
        Object.assign(prototype, { sendData, sendNumbers, sendPayload });
        ChaCha20Poly1305.prototype.useKey = useKey;
      },
    };
    const data = randomBytes(6_000_000);
    const exchanging = Promise.all(
      [1, 2, 3].map(async () => exchange(await ssh.open(), data)),
    );
    for (let i = 0; i < 3; i++) {
      const exchanged = once(client, "handshake");
      protocol.rekey();
      assert.notEqual(protocol._kexinit, undefined);
      const opening = ssh.open();
      await exchanged;
      assert.equal(protocol._kexinit, undefined);
      const few = Buffer.from(`${i}`);
      assert((await exchange(await opening, few)).equals(few));
      // until data is under way
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    for (const answer of await exchanging) assert(answer.equals(data));
    assert.equal(wrong, 0);
    assert.equal(keys.size, 6);
    // V8 has compiled its code for these
    assert.equal(protocol._cipher, before[0]);
    assert.equal(protocol._decipher, before[1]);
    assert(before[0] instanceof PacketWriter);
    assert(before[1] instanceof PacketReader);
  },
);

testLogin(
  ["sshd"],
  "with another cipher, data goes through ssh2",
  async () => {
    for (const cipher of ["aes128-ctr", "aes256-gcm@openssh.com"]) {
      await using ssh = await start(cipher);
      const { protocol } = ssh;
      assert.equal(ssh.cipher, cipher);
      assert(!(protocol._cipher instanceof PacketWriter));
      const sent = spy(protocol, "channelData");
      const data = randomBytes(3_000_000);
      const exchanging = exchange(await ssh.open(), data);
      protocol.rekey();
      assert((await exchanging).equals(data));
      assert(sent.length > 0);
    }
  },
);

testLogin(
  ["sshd"],
  "what the server asks on a channel, as its ClientAliveInterval does, is answered",
  async () => {
    await using ssh = await start(undefined);
    const { protocol } = ssh;
    const opened = spy(protocol._cipher, "sendPayload");
    const channel = await ssh.open();
    const [[open]] = opened as [[Buffer]];
    const id = Buffer.from(open).readUInt32BE(1 + 4 + "direct-tcpip".length);
    const answers = spy(protocol, "channelFailure");
    const { CHANNEL_REQUEST } = protocol._handlers;
    CHANNEL_REQUEST(protocol, id, "keepalive@openssh.com", true);
    CHANNEL_REQUEST(protocol, id, "other", false);
    assert.equal(answers.length, 1);
    // and it is the one that the server asked about: it is still there
    assert(
      (await exchange(channel, Buffer.from("x"))).equals(Buffer.from("x")),
    );
    CHANNEL_REQUEST(protocol, id, "keepalive@openssh.com", true);
    assert.equal(answers.length, 1, "nothing follows CLOSE");
  },
);

testLogin(["sshd"], "a distant server may soon send more at once", async () => {
  await using ssh = await start(undefined, { delayMs: 50 });
  const numbers = spy(ssh.protocol._cipher, "sendNumbers");
  const data = randomBytes(10_000_000);
  assert((await exchange(await ssh.open(), data)).equals(data));
  const allowed = numbers
    .filter(([type]) => type === CHANNEL_MESSAGE.WINDOW_ADJUST)
    .reduce((sum, [, , bytes]) => sum + Number(bytes), 0);
  assert(allowed > data.length, `${allowed}`);
});

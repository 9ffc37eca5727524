import assert from "node:assert/strict";
import { connect } from "node:net";
import { join } from "node:path";
import {
  askControl,
  type ControlAddress,
  type ControlRequest,
  openControl,
} from "../../src/background/control.ts";
import type { TunnelStatus } from "../../src/tunnel/status.ts";
import { Child } from "../support/child.ts";
import { makeScratchDir, removeDir } from "../support/scratch.ts";

const STATUS: TunnelStatus = {
  name: "home",
  state: "up",
  pid: 1,
  server: "i2p@example.org:22",
  since: null,
  reconnects: 0,
  lastError: null,
  forwards: [],
};

async function withControl(
  answer: (request: ControlRequest) => Promise<TunnelStatus>,
  body: (address: ControlAddress, folder: string) => Promise<void>,
  subfolder = "",
): Promise<void> {
  const scratch = await makeScratchDir();
  const folder = join(scratch, subfolder);
  await Deno.mkdir(folder, { recursive: true });
  const control = await openControl({
    folder,
    name: "home",
    system: "linux",
    answer,
  });
  try {
    await body(control.address, folder);
  } finally {
    await control.close();
    await assert.rejects(
      Deno.stat(control.address.control),
      Deno.errors.NotFound,
    );
    await removeDir(scratch);
  }
}

/** Sends bytes and returns what comes back until the end. */
function send(
  { control }: ControlAddress,
  bytes: string | Uint8Array,
): Promise<string> {
  return new Promise((resolve) => {
    let received = "";
    const socket = connect(control, () => socket.write(bytes));
    socket.on("data", (data) => received += data);
    socket.on("error", () => {});
    socket.on("close", () => resolve(received));
  });
}

const status = () => Promise.resolve(STATUS);

Deno.test("a request is answered", async () => {
  await withControl(status, async (address) => {
    assert.deepEqual(await askControl(address, { command: "status" }), STATUS);
  });
});

Deno.test("one asks as often as one likes", async () => {
  await withControl(status, async (address) => {
    for (let i = 0; i < 600; i++) {
      assert.deepEqual(
        await askControl(address, { command: "status" }),
        STATUS,
      );
    }
  });
});

Deno.test("the socket is for this user only", async () => {
  await withControl(status, async (address) => {
    assert.equal((await Deno.stat(address.control)).mode! & 0o777, 0o600);
  });
});

Deno.test("a pipe answers only who knows its token", async () => {
  const scratch = await makeScratchDir();
  const here = Deno.cwd();
  // elsewhere than on Windows it is a socket of that name in this folder
  Deno.chdir(scratch);
  const tokens = new Set<string>();
  const names = new Set<string>();
  for (let i = 0; i < 3; i++) {
    const control = await openControl({
      folder: scratch,
      name: "home",
      system: "windows",
      answer: status,
    });
    const { address } = control;
    const token = address.token!;
    assert.match(address.control, /^\\\\\.\\pipe\\i2ptun-[0-9a-f-]{36}$/);
    assert.equal(token.length, 43);
    names.add(address.control);
    tokens.add(token);
    assert.deepEqual(await askControl(address, { command: "status" }), STATUS);
    const wrong = (token.startsWith("A") ? "B" : "A") + token.slice(1);
    for (const each of [wrong, token.slice(1), "", undefined, [token]]) {
      const request = JSON.stringify({ command: "stop", token: each });
      assert.equal(await send(address, request + "\n"), "");
    }
    await control.close();
  }
  // node:net of Deno 2.7 closes a server by a timer
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.deepEqual([names.size, tokens.size], [3, 3]);
  Deno.chdir(here);
  await removeDir(scratch);
});

Deno.test("garbage, half a request and too much of it do no harm", async () => {
  await withControl(status, async (address) => {
    assert.equal(await send(address, "no JSON\n"), "");
    assert.equal(await send(address, '{"command":"destroy"}\n'), "");
    const half = connect(address.control, () => half.write('{"comm'));
    assert.equal(await send(address, new Uint8Array(100_000).fill(65)), "");
    assert(!half.readableEnded, "too much is ended at once");
    const clients = Array.from(
      { length: 200 },
      () => askControl(address, { command: "status" }),
    );
    for (const answer of await Promise.all(clients)) {
      assert.deepEqual(answer, STATUS);
    }
    half.destroy();
  });
});

Deno.test("an answer that is under way is given before the socket closes", async () => {
  const scratch = await makeScratchDir();
  let finish: (status: TunnelStatus) => void = () => {};
  let asked: () => void = () => {};
  const wasAsked = new Promise<void>((resolve) => asked = resolve);
  const control = await openControl({
    folder: scratch,
    name: "home",
    system: "linux",
    answer: () => {
      asked();
      return new Promise((resolve) => finish = resolve);
    },
  });
  const answer = askControl(control.address, { command: "stop" });
  await wasAsked;
  const closed = control.close();
  finish(STATUS);
  assert.deepEqual(await answer, STATUS);
  await closed;
  await removeDir(scratch);
});

Deno.test("one that is closed leaves alone who listens after it", async () => {
  const folder = await makeScratchDir();
  const answer = () => Promise.resolve(STATUS);
  const options = { folder, name: "home", system: "linux" as const, answer };
  const first = await openControl(options);
  await first.stopListening();
  const next = await openControl(options);
  await first.close();
  assert.deepEqual(
    await askControl(next.address, { command: "status" }),
    STATUS,
  );
  await next.close();
  await removeDir(folder);
});

Deno.test("nobody at the address is no error", async () => {
  const scratch = await makeScratchDir();
  const control = join(scratch, "home.sock");
  const address = { control };
  assert.equal(await askControl(address, { command: "status" }), undefined);
  // what a killed process leaves: a socket that nobody listens at
  using listener = Deno.listen({ transport: "unix", path: control });
  listener.close();
  assert.equal(await askControl(address, { command: "status" }), undefined);
  await removeDir(scratch);
});

Deno.test("a path too long for a socket works", async () => {
  await withControl(status, async (address, folder) => {
    assert.ok(join(folder, "home.sock").length > 107);
    assert.deepEqual(await askControl(address, { command: "status" }), STATUS);
    const parent = await Deno.stat(join(address.control, ".."));
    assert.equal(parent.mode! & 0o777, 0o700);
  }, "x".repeat(120));
});

Deno.test("who finds too many waiting is not told that nobody is there", async () => {
  const scratch = await makeScratchDir();
  const address = join(scratch, "home.sock");
  // a process that is stopped, and as many at its door as there is room for
  const script = `Deno.listen({ transport: "unix", path: "${address}" });` +
    `console.log("listens"); setInterval(() => {}, 1000);`;
  await using server = new Child(Deno.execPath(), ["eval", script]);
  await server.waitFor(/listens/);
  const waiting: Deno.Conn[] = [];
  try {
    for (;;) {
      waiting.push(await Deno.connect({ transport: "unix", path: address }));
    }
  } catch (error) {
    assert(error instanceof Deno.errors.WouldBlock, String(error));
  }
  const limit = new AbortController();
  const answer = askControl({ control: address, token: "" }, {
    command: "status",
  }, limit.signal);
  setTimeout(() => limit.abort(new Error("still asking")), 200);
  await assert.rejects(answer, /still asking/);
  for (const each of waiting) each.close();
  await removeDir(scratch);
});

import assert from "node:assert/strict";
import { dial, type Lookup, resolveHost } from "../../src/ssh/dial.ts";
import { I2ptunError } from "../../src/errors.ts";
import { freePort } from "../support/ports.ts";
import { testLogin } from "./login.ts";
import { execute, scratchName } from "../support/scratch.ts";

const finds = (...addresses: string[]): Lookup => () =>
  Promise.resolve(addresses.map((address) => ({
    address,
    family: address.includes(":") ? 6 : 4,
  })));

const { signal } = new AbortController();

async function unreachable(attempt: Promise<unknown>): Promise<I2ptunError> {
  try {
    await attempt;
  } catch (error) {
    assert(error instanceof I2ptunError, String(error));
    return error;
  }
  throw new Error("it connected");
}

Deno.test("IPv6 and IPv4 by turns, as the system prefers them", async () => {
  const lookup = finds("2001:db8::1", "2001:db8::2", "192.0.2.1", "192.0.2.2");
  assert.deepEqual(await resolveHost("name", 0, lookup), [
    ...["2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2"],
  ]);
  const more = finds("192.0.2.1", "2001:db8::1", "2001:db8::2", "192.0.2.1");
  assert.deepEqual(await resolveHost("name", 0, more), [
    ...["192.0.2.1", "2001:db8::1", "2001:db8::2"],
  ]);
  const asked: unknown[] = [];
  await resolveHost("name", 6, (...query) => {
    asked.push(query);
    return finds("::1")(...query);
  });
  assert.deepEqual(asked, [["name", 6]]);
});

testLogin([], "a dead address does not hold up a live one", async () => {
  const port = freePort();
  using listener = Deno.listen({ hostname: "127.0.0.1", port });
  const accepted = listener.accept();
  // nobody listens at the first; the second is in no network (RFC 5737)
  for (const dead of ["127.0.0.2", "192.0.2.1", "2001:db8::1"]) {
    const before = performance.now();
    const socket = await dial({
      ...{ host: "name", port, signal },
      lookup: finds(dead, "127.0.0.1"),
    });
    assert.equal(socket.remoteAddress, "127.0.0.1");
    assert(performance.now() - before < 2000);
    socket.destroy();
  }
  (await accepted).close();
});

testLogin(["netns"], "an address that swallows packets neither", async () => {
  // its packets go to a link where nobody answers
  const name = scratchName();
  const device = `d${Deno.pid % 100000}`;
  await execute("ip", ["netns", "add", name]);
  try {
    await execute("ip", [
      ...["link", "add", device, "type", "veth", "peer", "name", "far"],
      ...["netns", name],
    ]);
    await execute("ip", ["addr", "add", "198.51.100.1/24", "dev", device]);
    await execute("ip", ["link", "set", device, "up"]);
    await execute("ip", ["-n", name, "link", "set", "far", "up"]);
    const port = freePort();
    using listener = Deno.listen({ hostname: "127.0.0.1", port });
    const accepted = listener.accept();
    const before = performance.now();
    const socket = await dial({
      ...{ host: "name", port, signal },
      lookup: finds("198.51.100.2", "127.0.0.1"),
    });
    const took = performance.now() - before;
    assert.equal(socket.remoteAddress, "127.0.0.1");
    // RFC 8305 §5: a quarter of a second, and no fallback without reason
    assert(took > 200 && took < 1500, `${took} ms`);
    socket.destroy();
    (await accepted).close();
  } finally {
    await execute("ip", ["netns", "del", name]);
  }
});

Deno.test("every address that failed is named", async () => {
  const port = freePort();
  const error = await unreachable(dial({
    ...{ host: "name", port, signal },
    lookup: finds("127.0.0.1", "127.0.0.2"),
  }));
  assert.equal(error.kind, "unreachable");
  assert.equal(
    error.message,
    `name:${port} refused the connection (tried 127.0.0.1, 127.0.0.2)`,
  );
});

Deno.test("a lookup that never ends does not outlast the time limit", async () => {
  const limit = new AbortController();
  const attempt = dial({
    ...{ host: "name", port: 22, signal: limit.signal },
    lookup: () => new Promise(() => {}),
  });
  limit.abort(new I2ptunError("unreachable", "time is up"));
  const error = await unreachable(attempt);
  assert.equal(error.message, "cannot find the address of name");
});

Deno.test("AddressFamily and BindAddress", async () => {
  const port = freePort();
  using listener = Deno.listen({ hostname: "127.0.0.1", port });
  const accepted = listener.accept();
  const host = "127.0.0.1";
  const socket = await dial({
    ...{ host, port, signal, bindAddress: "127.0.0.9", family: 4 },
  });
  assert.equal(socket.localAddress, "127.0.0.9");
  socket.destroy();
  (await accepted).close();
  const wrong = await unreachable(dial({ host, port, signal, family: 6 }));
  assert.match(wrong.message, /127\.0\.0\.1 is no IPv6 address/);
  const away = await unreachable(
    dial({ host, port, signal, bindAddress: "192.0.2.1" }),
  );
  assert.match(away.message, /cannot be reached from 192\.0\.2\.1$/);
  assert.match(away.remedy!, /BindAddress/);
});

import assert from "node:assert/strict";
import { findEntrance, type RunningForward } from "../../src/i2p/entrance.ts";

function forward(more: Partial<RunningForward>): RunningForward {
  return {
    ...{ name: "x", kind: "local", listen: [], target: null },
    ...more,
  };
}

const http = forward({
  service: "http-proxy",
  listen: ["127.0.0.1:8118", "[::1]:8118"],
  target: "127.0.0.1:4444",
});
const socks = forward({
  listen: ["127.0.0.1:4447"],
  target: "127.0.0.1:4447",
});
const console = forward({
  service: "console",
  listen: ["127.0.0.1:8080", "[::1]:8080"],
  target: "127.0.0.1:7657",
});

Deno.test("the HTTP proxy goes before the SOCKS proxy", () => {
  assert.deepEqual(findEntrance([socks, console, http]), {
    proxy: { kind: "http", host: "127.0.0.1", port: 8118 },
    consoles: ["http://127.0.0.1:8080/"],
  });
  assert.deepEqual(findEntrance([socks])?.proxy, {
    kind: "socks",
    host: "127.0.0.1",
    port: 4447,
  });
});

Deno.test("a forward without a name is known by the port it leads to", () => {
  const found = findEntrance([
    forward({ listen: ["127.0.0.1:1"], target: "192.168.1.5:4444" }),
    forward({ listen: ["127.0.0.1:2"], target: "[::1]:7070" }),
    forward({ listen: ["127.0.0.1:3"], target: "127.0.0.1:7667" }),
  ]);
  assert.equal(found?.proxy.port, 1);
  assert.deepEqual(found?.consoles, [
    "https://127.0.0.1:3/",
    "http://127.0.0.1:2/",
  ]);
});

Deno.test("what leads to the open internet, or the other way, is no proxy", () => {
  assert.equal(findEntrance([]), undefined);
  assert.equal(
    findEntrance([
      forward({ kind: "dynamic", listen: ["127.0.0.1:4444"] }),
      forward({
        kind: "remote",
        listen: ["127.0.0.1:4444"],
        target: "127.0.0.1:4444",
      }),
      forward({ listen: ["127.0.0.1:4444"], target: "127.0.0.1:3128" }),
      forward({ listen: ["/run/proxy"], target: "127.0.0.1:4444" }),
      console,
    ]),
    undefined,
  );
});

Deno.test("who listens everywhere is reached on this machine", () => {
  const at = (listen: string) =>
    findEntrance([forward({ listen: [listen], target: "127.0.0.1:4444" })])
      ?.proxy.host;
  assert.equal(at("0.0.0.0:4444"), "127.0.0.1");
  assert.equal(at("[::]:4444"), "::1");
  assert.equal(at("192.168.122.1:4444"), "192.168.122.1");
});

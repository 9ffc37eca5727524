import assert from "node:assert/strict";
import * as v from "valibot";
import {
  findClashes,
  type ForwardEntry,
  nameForwards,
} from "../../src/profile/forward_names.ts";
import { parseForward } from "../../src/profile/forward_spec.ts";
import { forwardSchema } from "../../src/profile/forward_schema.ts";

const local = (text: string, name?: string): ForwardEntry => ({
  forward: parseForward("local", text),
  name,
});
const remote = (text: string): ForwardEntry => ({
  forward: parseForward("remote", text),
});

Deno.test("forwards without a name get one, and it is free", () => {
  const entries = [
    v.parse(forwardSchema, "console"),
    v.parse(forwardSchema, { service: "console", listen: 8080 }),
    local("8080:h:80"),
    local("127.0.0.2:8080:h:80"),
    local("127.0.0.3:8080:h:80", "local-8080-2"),
    remote("0:h:80"),
    { forward: parseForward("dynamic", "1080") },
    local("/run/user/1/a b.sock:h:80"),
    local("/:h:80"),
  ];
  assert.deepEqual(nameForwards(entries).map(({ name }) => name), [
    "console",
    "console-2",
    "local-8080",
    "local-8080-3",
    "local-8080-2",
    "remote-0",
    "dynamic-1080",
    "local-a-b.sock",
    "local-socket",
  ]);
});

Deno.test("forwards that listen at the same place clash", () => {
  const clash = (a: ForwardEntry, b: ForwardEntry) =>
    findClashes([a, undefined, b]).map(({ index, over }) => [index, over]);
  const listen = (at: string) => local(`${at}:h:1`);
  const clashing: [string, string][] = [
    ["80", "80"],
    ["80", "127.0.0.1:80"],
    ["localhost:80", "[::1]:80"],
    ["*:80", "80"],
    [":80", "10.0.0.1:80"],
    ["0.0.0.0:80", "127.0.0.1:80"],
    ["[::]:80", "[::1]:80"],
    ["/a", "/a"],
  ];
  for (const [a, b] of clashing) {
    assert.deepEqual(clash(listen(a), listen(b)), [[2, "listen"]], `${a} ${b}`);
    assert.deepEqual(clash(listen(b), listen(a)), [[2, "listen"]], `${b} ${a}`);
  }
  const fine: [string, string][] = [
    ["80", "81"],
    ["127.0.0.1:80", "127.0.0.2:80"],
    ["127.0.0.1:80", "[::1]:80"],
    ["/a", "/b"],
  ];
  for (const [a, b] of fine) {
    assert.deepEqual(clash(listen(a), listen(b)), [], `${a} ${b}`);
  }
  assert.deepEqual(clash(listen("80"), remote("80:h:1")), []);
  assert.deepEqual(clash(remote("80"), remote("80:h:1")), [[2, "listen"]]);
  assert.deepEqual(clash(remote("0:h:1"), remote("0:h:1")), []);
  assert.deepEqual(clash(local("1:h:1", "x"), local("2:h:1", "x")), [
    [2, "name"],
  ]);
});

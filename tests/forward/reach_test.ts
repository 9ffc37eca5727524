import assert from "node:assert/strict";
import { reachableBy, reachableThere } from "../../src/forward/reach.ts";

const at = (bind: string | undefined) =>
  ({ kind: "tcp", bind, port: 1080 }) as const;

Deno.test("a bind address of this machine only can be reached by nobody else", () => {
  for (
    const bind of [undefined, "localhost", "127.0.0.1", "127.1.2.3", "::1"]
  ) {
    assert.equal(reachableBy(at(bind)), undefined);
    assert.equal(reachableThere(at(bind)), undefined);
  }
  assert.equal(reachableBy({ kind: "unix", path: "/s" }), undefined);
  assert.equal(reachableThere({ kind: "unix", path: "/s" }), undefined);
});

Deno.test("who can reach any other is told", () => {
  for (const bind of ["*", "", "0.0.0.0", "::"]) {
    assert.match(reachableBy(at(bind))!, /reach this machine on any/);
    assert.match(reachableThere(at(bind))!, /reach the server on any/);
  }
  assert.match(reachableBy(at("192.0.2.1"))!, /reach 192\.0\.2\.1$/);
  assert.match(reachableThere(at("192.0.2.1"))!, /192\.0\.2\.1 of the server/);
});

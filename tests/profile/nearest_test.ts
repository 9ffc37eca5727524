import assert from "node:assert/strict";
import { nearest } from "../../src/profile/nearest.ts";

Deno.test("the nearest name, if any is near", () => {
  const names = ["server", "forwards", "known_hosts", "http-proxy", "bob"];
  const pairs: [string, string | undefined][] = [
    ["forwrds", "forwards"],
    ["fowrards", "forwards"],
    ["Server", "server"],
    ["knownHosts", "known_hosts"],
    ["http_proxy", "http-proxy"],
    ["http", "http-proxy"],
    ["bbo", "bob"],
    ["xyz", undefined],
    ["", undefined],
    ["something-else", undefined],
  ];
  for (const [word, expected] of pairs) {
    assert.equal(nearest(word, names), expected, word);
  }
});

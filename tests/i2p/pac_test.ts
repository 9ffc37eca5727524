import assert from "node:assert/strict";
import { proxyAutoConfig } from "../../src/i2p/pac.ts";

/** What a browser makes of the file. */
function evaluate(kind: "http" | "socks", host: string): string {
  const text = proxyAutoConfig("home", {
    proxy: { kind, host: "127.0.0.1", port: 8118 },
    consoles: [],
  });
  const find = new Function(`${text}; return FindProxyForURL;`)();
  return find(`http://${host}/`, host);
}

Deno.test("a PAC file sends .i2p to the proxy, and to nothing else", () => {
  const names = ["foo.i2p", "FOO.I2P", "a.b.i2p", "x.b32.i2p", "foo.i2p."];
  for (const host of names) {
    assert.equal(evaluate("http", host), "PROXY 127.0.0.1:8118", host);
    assert.equal(evaluate("socks", host), "SOCKS5 127.0.0.1:8118", host);
  }
});

Deno.test("a PAC file leaves all else as it is", () => {
  const names = [
    ...["example.com", "foo.i2p.example.com", "fooi2p", "i2p", "foo.i2pp"],
    ...["127.0.0.1", "localhost", "[::1]"],
  ];
  for (const host of names) {
    assert.equal(evaluate("http", host), "DIRECT", host);
  }
});

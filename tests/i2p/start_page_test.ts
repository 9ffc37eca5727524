import assert from "node:assert/strict";
import { startPage } from "../../src/i2p/start_page.ts";

const html = startPage({
  name: "home",
  server: `<i>"@host:22`,
  proxy: { kind: "http", host: "127.0.0.1", port: 8118 },
  consoles: ["http://127.0.0.1:7657/"],
});

/** Where the page goes, and whether it says that searching is off. */
function type(text: string): { gone: string | undefined; told: boolean } {
  const script = /<script>(.*)<\/script>/s.exec(html)![1]!;
  let gone: string | undefined;
  const element = { hidden: true };
  new Function("location", "document", "addEventListener", script)(
    { hash: text && `#${text}`, replace: (url: string) => gone = url },
    { getElementById: () => element },
    () => {},
  );
  return { gone, told: !element.hidden };
}

Deno.test("the start page says where it leads, and nothing that is markup", () => {
  assert(html.includes(`<a href="http://127.0.0.1:7657/">`));
  assert(html.includes("127.0.0.1:8118"));
  assert(html.includes("&#60;i&#62;&#34;@host:22"));
  assert(!html.includes("<i>"));
});

Deno.test("an .i2p name typed into Chromium goes on to its site", () => {
  const sites = ["stats.i2p", "STATS.i2p", "a-b.i2p/page?x=1", "a.b32.i2p:81/"];
  for (const site of sites) {
    assert.equal(type(encodeURIComponent(site)).gone, `http://${site}`);
  }
});

Deno.test("words typed into Chromium go nowhere", () => {
  const words = [
    ...["secret", "two+words.i2p", "two%20words.i2p", "example.com", "i2p"],
    ...["javascript:alert(1)//.i2p", "me@evil.example/x.i2p", "%zz"],
    ...["evil.example/.i2p", "evil.example#.i2p"],
  ];
  for (const text of words) assert.equal(type(text).gone, undefined, text);
  assert.equal(type("secret").told, true);
  assert.equal(type("").told, false);
});

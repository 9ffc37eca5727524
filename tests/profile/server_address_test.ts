import assert from "node:assert/strict";
import fc from "fast-check";
import { I2ptunError } from "../../src/errors.ts";
import {
  formatServerAddress,
  parseServerAddress,
} from "../../src/profile/server_address.ts";

Deno.test("every form of a server", () => {
  const forms: [string, string | undefined, string, number | undefined][] = [
    ["host", undefined, "host", undefined],
    ["i2p@20.228.143.58", "i2p", "20.228.143.58", undefined],
    ["me@final-server:2222", "me", "final-server", 2222],
    ["me@corp.example@host:22", "me@corp.example", "host", 22],
    ["me@[2001:db8::1]:22", "me", "2001:db8::1", 22],
    ["[::1]", undefined, "::1", undefined],
    ["me@2001:db8::1", "me", "2001:db8::1", undefined],
    ["fe80::1%eth0", undefined, "fe80::1%eth0", undefined],
    ["DOMAIN\\me@host", "DOMAIN\\me", "host", undefined],
    ["ssh://me@host:2222", "me", "host", 2222],
    ["ssh://host/", undefined, "host", undefined],
    ["ssh://a%40b@[::1]:22", "a@b", "::1", 22],
  ];
  for (const [text, user, host, port] of forms) {
    assert.deepEqual(parseServerAddress(text), { user, host, port }, text);
  }
});

Deno.test("what is no server is refused, a password without showing it", () => {
  const wrong: [string, RegExp][] = [
    ["", /no host/],
    ["me@", /no host/],
    ["@host", /not a user name/],
    ["-oProxyCommand=x", /not a host name/],
    ["-l@host", /not a user name/],
    ["a b", /not a host name/],
    ["http://203.0.113.7:7657/", /address of a page/],
    ["HTTPS://me:s3cret@host/", /address of a page/],
    ["ssh root@203.0.113.7 -p 2222", /whole command/],
    ["ssh root@203.0.113.7", /whole command/],
    ["host:", /port "" is not/],
    ["host:ssh", /port "ssh" is not/],
    ["host:65536", /port "65536" is not/],
    ["host:0", /port "0" is not/],
    ["a:b:c", /more than one colon/],
  ];
  for (const [text, message] of wrong) {
    assert.throws(() => parseServerAddress(text), (thrown) => {
      assert(thrown instanceof I2ptunError && thrown.kind === "usage");
      assert.match(thrown.message, message, text);
      return true;
    });
  }
  for (const text of ["me:s3cret@host", "ssh://me:s3cret@host:22"]) {
    assert.throws(() => parseServerAddress(text), (thrown) => {
      assert(thrown instanceof I2ptunError);
      assert.match(thrown.message, /a password does not belong here/);
      return !JSON.stringify(thrown.toRecord()).includes("s3cret");
    });
  }
});

Deno.test("what is formatted is parsed back", () => {
  const host = fc.oneof(
    fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,20}$/),
    fc.ipV4(),
    fc.ipV6().filter((ip) => ip.includes(":")),
  );
  const user = fc.stringMatching(/^[a-z][a-z@. \\]{0,9}$/)
    .filter((name) => !name.startsWith("ssh "));
  fc.assert(fc.property(
    fc.record({
      user: fc.option(user, {
        nil: undefined,
      }),
      host,
      port: fc.option(fc.integer({ min: 1, max: 65535 }), { nil: undefined }),
    }, { noNullPrototype: true }),
    (address) => {
      const text = formatServerAddress(address);
      assert.deepEqual(parseServerAddress(text), address);
      const uri = parseServerAddress(`ssh://${text}`);
      assert.deepEqual(uri, address);
    },
  ));
});

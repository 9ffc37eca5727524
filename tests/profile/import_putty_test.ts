import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import {
  toProfileName,
  toProfileNames,
} from "../../src/profile/import_name.ts";
import { translateSession } from "../../src/profile/import_putty.ts";
import { checkName } from "../../src/profile/profile.ts";
import { puttyForwards } from "../../src/profile/putty_forwards.ts";
import {
  PuttySettings,
  splitList,
  unescapePercent,
} from "../../src/profile/putty_settings.ts";
import { checkProfile } from "../../src/profile/store.ts";
import { fingerprint } from "../../src/ssh/fingerprint.ts";

const settings = (values: Record<string, string>) =>
  new PuttySettings(Object.entries(values));

const BASE = { HostName: "h.example", Protocol: "ssh", PortNumber: "22" };

/** A session with these settings, among others. */
function translate(
  values: Record<string, string>,
  others: Record<string, Record<string, string>> = {},
) {
  const session = { name: "s", settings: settings({ ...BASE, ...values }) };
  const all = Object.entries(others).map(([name, each]) => ({
    name,
    settings: settings({ ...BASE, ...each }),
  }));
  const result = translateSession(session, [session, ...all]);
  if (typeof result === "string") return result;
  checkProfile("s", result.source);
  return { ...result.source, leftOut: result.leftOut };
}

/** `escape_registry_key` of PuTTY's source, on the bytes of UTF-8. */
function escape(text: string): string {
  return [...new TextEncoder().encode(text)].map((byte, i) => {
    const char = String.fromCharCode(byte);
    const isPlain = byte > 0x20 && byte <= 0x7e && !"\\*?%".includes(char) &&
      !(char === "." && i === 0);
    return isPlain
      ? char
      : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }).join("");
}

Deno.test("percent-escapes are undone", () => {
  fc.assert(fc.property(
    fc.string({ unit: "grapheme" }).filter((text) => !text.includes("\ufeff")),
    (text) => assert.equal(unescapePercent(escape(text)), text),
  ));
  assert.equal(unescapePercent("Z%FCrich"), "Zürich");
  assert.equal(unescapePercent("100%"), "100%");
  assert.equal(unescapePercent("%zz%2"), "%zz%2");
});

Deno.test("lists are split as PuTTY writes them", () => {
  const quote = (text: string) => text.replaceAll(/[=,\\]/g, "\\$&");
  const name = fc.string({ minLength: 1 });
  fc.assert(fc.property(
    fc.array(fc.tuple(name, fc.string())),
    (entries) => {
      const written = entries.map((pair) => pair.map(quote).join("="));
      assert.deepEqual(splitList(written.join(",")), entries);
      assert.deepEqual(splitList(`${written.join(",")},`), entries);
    },
  ));
});

Deno.test("forwards of all kinds", () => {
  const read = (list: string, more: Record<string, string> = {}) => {
    const { forwards, leftOut } = puttyForwards(
      settings({ PortForwardings: list, ...more }),
    );
    return [
      ...forwards.map((each) => Object.entries(each)[0]!.join(" ")),
      ...leftOut,
    ];
  };
  for (
    const [list, expected] of [
      ["L7657=127.0.0.1:7657", "local 7657:127.0.0.1:7657"],
      ["8080=h:80", "local 8080:h:80"],
      ["4L8080=h:80", "local 127.0.0.1:8080:h:80"],
      ["6L8080=h:80", "local [::1]:8080:h:80"],
      ["AL8080=h:80", "local 8080:h:80"],
      ["L192.0.2.1:8080=h:80", "local 192.0.2.1:8080:h:80"],
      ["L[::1]:8080=[2001:db8::1]:80", "local [::1]:8080:[2001:db8::1]:80"],
      ["L*:8080=h:80", "local 8080:h:80"],
      ["R*:8080=h:80", "remote *:8080:h:80"],
      ["D1080=", "dynamic 1080"],
      ["D1080", "dynamic 1080"],
      ["6D1080=", "dynamic [::1]:1080"],
      ["Dlocalhost:1080=", "dynamic localhost:1080"],
      ["R8081=127.0.0.1:80", "remote 8081:127.0.0.1:80"],
      ["R0.0.0.0:8081=h:80", "remote 0.0.0.0:8081:h:80"],
      ["6R8081=localhost:80", "remote 8081:[::1]:80"],
      ["4R8081=localhost:80", "remote 8081:127.0.0.1:80"],
    ] as const
  ) assert.deepEqual(read(list), [expected]);

  const all = { LocalPortAcceptAll: "1", RemotePortAcceptAll: "1" };
  assert.deepEqual(
    read("L1=h:2,4L3=h:2,6D4=,R5=h:2,Llocalhost:6=h:2", all),
    [
      "local *:1:h:2",
      "local 0.0.0.0:3:h:2",
      "dynamic [::]:4",
      "remote *:5:h:2",
      "local localhost:6:h:2",
    ],
  );
  assert.deepEqual(read("6R8081=h:80"), [
    "remote 8081:h:80",
    "of 6R8081=h:80: that h is reached by IPv6 only",
  ]);
  for (
    const [list, why] of [
      ["Lhttp=h:80", /port "http" is not a number/],
      ["L8080=h:http", /port "http" is not a number/],
      ["L8080=", /port "" is not a number/],
      ["L99999=h:80", /99999/],
      ["L8080=:80", /host is missing/],
      ["L::1:8080=h:80", /where it listens/],
    ] as const
  ) {
    const [said = "", ...rest] = read(list);
    assert.deepEqual(rest, []);
    assert(said.startsWith(`the forward ${list.split("=")[0]}=`), said);
    assert.match(said, why);
  }
  const [first, second = ""] = read("L8080=h:80,4L8080=h:81");
  assert.equal(first, "local 8080:h:80");
  assert.match(second, /4L8080=h:81: another forward already listens/);
});

Deno.test("server, key, keepalive, agent", () => {
  assert.deepEqual(translate({}), {
    server: "h.example",
    forwards: [],
    leftOut: [],
  });
  assert.deepEqual(
    translate({
      UserName: "me",
      PortNumber: "2222",
      PublicKeyFile: "C:\\keys\\k.ppk",
      PingInterval: "1",
      PingIntervalSecs: "30",
      TryAgent: "0",
      PortForwardings: "L1=h:2",
    }),
    {
      server: "me@h.example:2222",
      identity: "C:\\keys\\k.ppk",
      agent: false,
      keepalive: { interval: "90s" },
      forwards: [{ local: "1:h:2" }],
      leftOut: [],
    },
  );
  const server = (values: Record<string, string>) => {
    const result = translate(values);
    return typeof result === "string" ? result : result.server;
  };
  assert.equal(server({ HostName: " you@h ", UserName: "me" }), "you@h");
  assert.equal(server({ HostName: "a@b@h", UserName: "" }), "a@b@h");
  assert.equal(server({ HostName: "h:99" }), "h");
  assert.equal(server({ HostName: "2001:db8::1" }), "[2001:db8::1]");
  assert.equal(
    server({ HostName: "[2001:db8::1]", PortNumber: "23" }),
    "[2001:db8::1]:23",
  );
});

Deno.test("what is no SSH session is none, and why", () => {
  assert.match(String(translate({ Protocol: "serial" })), /is serial, not SSH/);
  assert.match(String(translate({ Protocol: "telnet" })), /is telnet/);
  assert.match(String(translate({ HostName: "" })), /no host name/);
  assert.match(String(translate({ SshProt: "0" })), /SSH-1/);
  assert.equal(typeof translate({ SshProt: "3" }), "object");
});

Deno.test("an SSH proxy becomes a jump host", () => {
  const jump = (
    values: Record<string, string>,
    others?: Record<string, Record<string, string>>,
  ) => {
    const result = translate({ ProxyMethod: "6", ...values }, others);
    assert(typeof result === "object");
    return [result.jump, result.identity, result.leftOut];
  };
  assert.deepEqual(
    jump({ ProxyHost: "j", ProxyPort: "22", ProxyUsername: "u" }),
    [["u@j"], undefined, []],
  );
  const password = "a secret of the proxy";
  const [jumps, , leftOut] = jump({
    ProxyHost: "j",
    ProxyPort: "23",
    ProxyPassword: password,
  });
  assert.deepEqual(jumps, ["j:23"]);
  assert.match(String(leftOut), /the proxy's password/);
  assert(!String(leftOut).includes(password));

  // the name of a session, with a proxy of its own
  assert.deepEqual(
    jump({ ProxyHost: "inner", PublicKeyFile: "k" }, {
      inner: {
        HostName: "a@inner.example",
        PortNumber: "24",
        PublicKeyFile: "j",
        ProxyMethod: "6",
        ProxyHost: "outer",
      },
      outer: { HostName: "outer.example" },
    }),
    [["outer.example", "a@inner.example:24"], ["k", "j"], []],
  );
  const [none, , circle] = jump({ ProxyHost: "s" });
  assert.equal(none, undefined);
  assert.match(String(circle), /the session "s" can be none/);
});

Deno.test("other proxies are named", () => {
  const leftOut = (values: Record<string, string>) => {
    const result = translate({
      ProxyHost: "p.example",
      ProxyPort: "1080",
      ...values,
    });
    assert(typeof result === "object");
    assert.equal(result.jump, undefined);
    return result.leftOut.join();
  };
  for (
    const [values, expected] of [
      [{ ProxyMethod: "1" }, /SOCKS 4 proxy p\.example:1080/],
      [{ ProxyMethod: "2" }, /SOCKS 5 proxy p\.example:1080/],
      [{ ProxyMethod: "3" }, /HTTP proxy/],
      [{ ProxyMethod: "4" }, /Telnet proxy/],
      [{ ProxyMethod: "5" }, /proxy command/],
      [{ ProxyMethod: "7" }, /SSH command proxy/],
      [{ ProxyType: "1" }, /HTTP proxy/],
      [
        { ProxyMethod: "3", HostName: "localhost", ProxyLocalhost: "1" },
        /HTTP/,
      ],
      [{ ProxyMethod: "3", ProxyExcludeList: "*.org, x" }, /HTTP/],
      [{ ProxyMethod: "0", ProxyType: "1" }, /^$/],
      [{ ProxyMethod: "3", HostName: "127.0.0.1" }, /^$/],
      [{ ProxyMethod: "3", ProxyExcludeList: "x,*.EXAMPLE" }, /^$/],
    ] as [Record<string, string>, RegExp][]
  ) assert.match(leftOut(values), expected);
});

Deno.test("what a profile has nothing like is named", () => {
  const result = translate({
    Compression: "1",
    AddressFamily: "2",
    LogHost: "alias",
    RemoteCommand: "ls",
    AgentFwd: "1",
    X11Forward: "1",
    DetachedCertificate: "c",
    SSHManualHostKeys: "SHA256:x,SHA256:y",
  });
  assert(typeof result === "object");
  const said = result.leftOut.join("\n");
  for (
    const what of [
      ...["compression", "IPv6 only", "alias", "remote command", "agent"],
      ...["X11", "certificate", "host keys set by hand"],
    ]
  ) assert(said.includes(what), what);
});

Deno.test("a host key set by hand is pinned", () => {
  const pin = (key: string) => {
    const result = translate({ SSHManualHostKeys: key });
    return typeof result === "object" ? result.host_key : result;
  };
  const blob =
    "AAAAC3NzaC1lZDI1NTE5AAAAIL0eVG1BzVAR/EYTvL3NOfjHXpwqiQGzoIrsk7Mzh/tV";
  const sha256 = "SHA256:IKGZvpOjOgDzHnMPrdHqw0vYQsm7bgn9SdzxlcuyPPg";
  assert.equal(pin(sha256), sha256);
  assert.equal(pin(blob), fingerprint(Buffer.from(blob, "base64")));
  assert.equal(pin(`${blob},${sha256}`), undefined);
  assert.equal(pin("aa:bb"), undefined);
});

Deno.test("names become valid, and each its own", () => {
  assert.equal(toProfileName("My Router"), "My-Router");
  assert.equal(toProfileName("Zürich (új)"), "Zurich-uj");
  assert.equal(toProfileName("日本"), "imported");
  assert.deepEqual(
    [...toProfileNames(["a b", "a/b", "a-b", "ok"])].sort(),
    [["a b", "a-b-2"], ["a-b", "a-b"], ["a/b", "a-b-3"], ["ok", "ok"]],
  );
  fc.assert(fc.property(
    fc.uniqueArray(fc.string({ unit: "grapheme", maxLength: 100 })),
    (names) => {
      const given = [...toProfileNames(names).values()];
      given.forEach(checkName);
      assert.equal(new Set(given).size, names.length);
    },
  ));
});

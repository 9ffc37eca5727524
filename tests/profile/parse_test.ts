import assert from "node:assert/strict";
import { I2ptunError } from "../../src/errors.ts";
import { checkProfile, parseProfiles } from "../../src/profile/parse.ts";
import { DEFAULTS } from "../../src/profile/profile.ts";
import { EXAMPLE, FINGERPRINT } from "./example.ts";

/** The mistakes of a text, without the name of the file. */
function mistakesOf(text: string): string[] {
  try {
    parseProfiles(text, "f.yaml");
  } catch (thrown) {
    assert(thrown instanceof I2ptunError);
    assert.equal(thrown.kind, "usage");
    const { length } = thrown.details;
    const count = length === 1 ? "1 mistake" : `${length} mistakes`;
    assert.equal(thrown.message, `f.yaml has ${count}`);
    assert(thrown.remedy);
    return thrown.details.map((line) => {
      assert(line.startsWith("f.yaml:"));
      return line.slice("f.yaml:".length);
    });
  }
  return [];
}

/** A file with one profile `p` and these lines in it. */
const withLines = (...lines: string[]) =>
  ["profiles:", "  p:", ...lines.map((line) => `    ${line}`)].join("\n") +
  "\n";

Deno.test("the example of the specification", () => {
  const [home, vps] = parseProfiles(EXAMPLE, "f.yaml");
  const here = (port: number) => ({ kind: "tcp", bind: undefined, port });
  const there = (port: number) => ({ kind: "tcp", host: "127.0.0.1", port });
  assert.deepEqual(home, {
    name: "home",
    server: { user: "i2p", host: "20.228.143.58", port: undefined },
    jump: [],
    identity: [],
    knownHosts: undefined,
    hostKey: undefined,
    sshConfig: undefined,
    ...DEFAULTS,
    forwards: [
      {
        kind: "local",
        name: "console",
        service: "console",
        listen: here(7657),
        target: there(7657),
      },
      {
        kind: "local",
        name: "http-proxy",
        service: "http-proxy",
        listen: here(4444),
        target: there(4444),
      },
    ],
    written: new Set(["server", "forwards"]),
  });
  assert(vps);
  assert.deepEqual(vps.server, {
    user: "me",
    host: "final-server",
    port: 2222,
  });
  assert.equal(vps.jump[0]?.host, "jumphost.example.com");
  assert.deepEqual(vps.identity, ["~/.ssh/id_ed25519"]);
  assert.equal(vps.knownHosts, "~/.ssh/known_hosts");
  assert.equal(vps.hostKey, FINGERPRINT);
  assert.equal(vps.sshConfig, "~/.ssh/config");
  assert.deepEqual(
    vps.forwards.map(({ kind, name, listen }) => [kind, name, listen]),
    [
      ["local", "console", here(8080)],
      ["local", "router", { kind: "tcp", bind: "127.0.0.1", port: 8081 }],
      ["remote", "remote-7657", here(7657)],
      ["dynamic", "dynamic-1080", here(1080)],
    ],
  );
});

Deno.test("other ways to write the same, and what was written", () => {
  const [profile] = parseProfiles(
    withLines(
      'server: "ssh://a@b:1"',
      "jump: x@y:2,z",
      "identity: [~/a, /b]",
      "agent: false",
      "keepalive: { interval: 2 }",
      "reconnect: false",
      "connect_timeout: 1m",
      "ssh_config: false",
      "forwards:",
      '- { service: irc, listen: "*:6668", name: chat }',
      "- { service: sam, listen: /run/sam.sock }",
      "- { remote: 7657 }",
      "- { dynamic: 1080 }",
    ),
    "f.yaml",
  );
  assert(profile);
  assert.deepEqual(profile.jump.map(({ host }) => host), ["y", "z"]);
  assert.deepEqual(profile.identity, ["~/a", "/b"]);
  assert.equal(profile.agent, false);
  assert.deepEqual(profile.keepalive, { intervalMs: 2000, count: 3 });
  assert.equal(profile.reconnect, false);
  assert.equal(profile.connectTimeoutMs, 60_000);
  assert.equal(profile.sshConfig, false);
  assert.deepEqual(profile.forwards.map(({ listen }) => listen), [
    { kind: "tcp", bind: "*", port: 6668 },
    { kind: "unix", path: "/run/sam.sock" },
    { kind: "tcp", bind: undefined, port: 7657 },
    { kind: "tcp", bind: undefined, port: 1080 },
  ]);
  assert(profile.written.has("keepalive.interval"));
  assert(!profile.written.has("keepalive.count"));
  assert(!profile.written.has("known_hosts"));
});

Deno.test("a file without profiles, in every way", () => {
  for (
    const text of [
      "",
      "\n",
      "# nothing\n",
      "---\n",
      "version: 1\n",
      "profiles:\n",
      "profiles: {}\n",
      "\ufeffversion: 1\r\nprofiles:\r\n",
    ]
  ) assert.deepEqual(parseProfiles(text, "f.yaml"), [], JSON.stringify(text));
});

Deno.test("order of the file, line breaks of Windows, anchors and merges", () => {
  const text = "\ufeffprofiles:\n" +
    "  z: &z\n    server: a\n    forwards: []\n" +
    "  10: { <<: *z, agent: false }\n" +
    "  9: *z\n";
  const profiles = parseProfiles(text.replaceAll("\n", "\r\n"), "f.yaml");
  assert.deepEqual(profiles.map(({ name, agent }) => [name, agent]), [
    ["z", true],
    ["10", false],
    ["9", true],
  ]);
});

Deno.test("every mistake at once, in the order of the file", () => {
  const text = `version: 2
profile: {}
profiles:
  -bad:
    server: a
    forwrds: [console]
    password: s3cret
  ok:
    server: a
    forwards: [console]
  other:
    user: me
    keepalive: 15s
    agent: maybe
    connect_timeout: 15x
    forwards:
      - consol
      - 8080:127.0.0.1:7657
      - { loacl: "1:h:1" }
      - { local: "1:h:99999", nmae: x }
      - { local: "2:h:1", name: same }
      - { dynamic: 2, name: same }
`;
  assert.deepEqual(mistakesOf(text), [
    "1:10: version must be 1, the only one there is",
    '2:1: unknown key "profile"; did you mean "profiles"?',
    '4:3: "-bad" is not a name: letters, digits, ".", "_" and "-", not "-" first, at most 64',
    '6:5: unknown key "forwrds"; did you mean "forwards"?',
    '7:5: "password" is refused: secrets are never kept on disk; it is asked for at start, or read with --password-stdin; better, use a key',
    "11:3: server is missing; it must be [user@]host[:port]",
    '12:5: unknown key "user"; it belongs in "server", as user@host:port',
    "13:16: keepalive must be a mapping like { interval: 15s, count: 3 }, not text",
    "14:12: agent must be true or false, not text",
    '15:22: "15x" is not a duration; write it as 500ms, 15s, 2m or 1h',
    '17:9: unknown service "consol"; did you mean "console"?',
    '18:9: a forward in text is the name of a service; write { local: "8080:127.0.0.1:7657" }',
    '19:11: unknown key "loacl"; did you mean "local"?',
    '20:18: forward "1:h:99999": port 99999 is more than 65535; write it as [BIND:]PORT:HOST:HOSTPORT, as ssh -L takes it',
    '20:31: unknown key "nmae"; did you mean "name"?',
    "22:9: another forward already listens on 2",
    '22:29: two forwards have the name "same"',
  ]);
});

Deno.test("each wrong value, in plain words at its place", () => {
  const wrong: [line: string, mistake: string][] = [
    ["server:", "3:5: server is empty"],
    ["server: 12", "3:13: server must be [user@]host[:port], not a number"],
    ["server: [a]", "not a list"],
    ["server: me:s3cret@host", "a password does not belong here"],
    ["jump: [a, 5]", "3:15: a jump host must be"],
    ["jump: {}", "3:11: jump must be a list"],
    ["identity: [1]", "3:16: an identity must be the path of a file"],
    ['identity: ""', "3:15: identity must not be empty"],
    ["known_hosts: true", "known_hosts must be the path of a file, not true"],
    ["host_key: SHA256:short", '"SHA256:short" is not a fingerprint'],
    ["host_key: MD5:00:11", "is not a fingerprint"],
    ["keepalive: { interval: 0 }", '3:28: duration "0" must be more than 0'],
    ["keepalive: { interval: .inf }", "interval must be a duration"],
    ["keepalive: { count: 0 }", "3:25: count must be a whole number"],
    ["keepalive: { count: 1.5 }", "count must be a whole number"],
    ["keepalive: { count: 1001 }", "count must be a whole number"],
    ["keepalive: { cuont: 3 }", 'did you mean "count"?'],
    ["keepalive: [3]", "keepalive must be a mapping like"],
    ["keepalive: { passphrase: 3 }", '"passphrase" is refused'],
    ["reconnect: true", "3:16: reconnect must be false or a mapping like"],
    ["reconnect: { max_delay: 2d }", '"2d" is not a duration'],
    ["connect_timeout: 25h", "more than 0 and at most 24h"],
    ["ssh_config: true", "ssh_config must be the path of a file, or false"],
    ["forwards: {}", "3:15: forwards must be a list such as"],
    ["forwards:", "3:5: forwards is empty; it must be a list"],
    ["forwards: [5]", "3:16: a forward must be the name of a service or"],
    ["forwards: [{}]", "needs one of the keys service, local, remote, dynamic"],
    ["forwards: [{ listen: 80, name: x }]", "needs one of the keys service"],
    ["forwards: [{ dynamic: 1 }, { dynamic: 1 }]", "already listens on 1"],
    ["forwards: [{ local: 80 }]", "3:25: local must be text"],
    ["forwards: [{ local: a, remote: b }]", "only one of local, remote"],
    ['forwards: [{ service: consol, local: "1:h:1" }]', 'key "service"'],
    ["forwards: [[]]", "a forward must be the name of a service or a mapping"],
    ["forwards: [{ service: httpproxy }]", 'did you mean "http-proxy"?'],
    ["forwards: [{ service: [] }]", "service must be text"],
    ["forwards: [{ service: irc, listen: 0 }]", "port 0"],
    ["forwards: [{ service: irc, lisen: 1 }]", 'did you mean "listen"?'],
    ["forwards: [{ dynamic: 1080, name: a b }]", '"a b" is not a name'],
    ["forwards: [{ dynamic: 1080, name: 5 }]", "(put it in quotes)"],
    ["forwards: [{ local: '1:h:1', Passwd: y }]", '"Passwd" is refused'],
    ["agent: true\n    agent: false", '4:5: the key "agent" is written twice'],
    ["server: *nope", '3:13: "*nope" refers to nothing'],
    ["server: @foo", '3:13: text that begins with "@" must be in quotes'],
    ["server: !x y", "3:13: not valid YAML: unresolved tag"],
    ["xyz: 1", 'unknown key "xyz"; known here: server, jump'],
    ["constructor: 1", 'unknown key "constructor"; known here: server, jump'],
  ];
  for (const [line, expected] of wrong) {
    const lines = ["server: a", "forwards: []"]
      .filter((other) => other.split(":")[0] !== line.split(":")[0]);
    const mistakes = mistakesOf(withLines(line, ...lines));
    assert.equal(mistakes.length, 1, `${line}\n${mistakes.join("\n")}`);
    assert(mistakes[0]!.includes(expected), `${line}: ${mistakes[0]}`);
    assert(!/\b(expected|received|invalid)\b/i.test(mistakes[0]!), mistakes[0]);
    assert(!mistakes[0]!.includes("s3cret"));
  }
});

Deno.test("each unknown key of a mapping", () => {
  const text = withLines(
    "server: a",
    "forwards: [{ dynamic: 1, x: 2, y: 3 }]",
    "z: 1",
  );
  assert.deepEqual(mistakesOf(text), [
    '4:30: unknown key "x"; known here: dynamic, name',
    '4:36: unknown key "y"; known here: dynamic, name',
    '5:5: unknown key "z"; known here: server, jump, identity, agent, known_hosts, host_key, keepalive, reconnect, connect_timeout, ssh_config, session, forwards',
  ]);
});

Deno.test("names that every JavaScript object knows", () => {
  const names = ["constructor", "prototype", "toString"];
  const text = names.map((name) => `  ${name}: { server: a, forwards: [] }\n`);
  const profiles = parseProfiles(`profiles:\n${text.join("")}`, "f.yaml");
  assert.deepEqual(profiles.map(({ name }) => name), names);
  // what is in the profile is not looked at
  assert.equal(mistakesOf("profiles:\n  __proto__: 5\n").length, 1);
});

Deno.test("names that are not names", () => {
  const bad = ["a b", '""', "..", ".", "-x", "ä", "__proto__", "a".repeat(65)];
  for (const name of bad) {
    const text = `profiles:\n  ${name}: { server: a, forwards: [], x: 1 }\n`;
    const mistakes = mistakesOf(text);
    assert.match(mistakes[0] ?? "", /^2:3: ".*" is not a name/, name);
  }
});

Deno.test("YAML that is none, without what would only follow from it", () => {
  const wrong: [text: string, mistakes: RegExp[]][] = [
    ["profiles:\n\thome: 1\n", [/^2:1: a tab cannot indent/]],
    ["profiles: {}\n---\n", [/^2:1: a second document/]],
    ["- a\n", [/^1:1: the file must be a mapping/]],
    ["profiles: [a]\n", [/^1:11: profiles must be a mapping of names/]],
    ["profiles: {a: {server: x\n", [/^2:1: not valid YAML/]],
    ["? [a]\n: 1\n", [/unknown key/, /^1:3: a key must be text/]],
    [
      withLines("srver: x", "forwards: [", "agent: 5"),
      [/^3:5: unknown key "srver"/, /^\d+:\d+: not valid YAML/],
    ],
    [withLines("server: &a [*a]", "forwards: []"), [/server must be/]],
  ];
  for (const [text, expected] of wrong) {
    const mistakes = mistakesOf(text);
    const shown = `${text}\n${mistakes.join("\n")}`;
    assert.equal(mistakes.length, expected.length, shown);
    expected.forEach((one, index) => assert.match(mistakes[index]!, one));
  }
});

Deno.test("a profile that is not in a file", () => {
  const profile = checkProfile("x", { server: "a@b", forwards: ["console"] });
  assert.equal(profile.server.host, "b");
  assert.throws(
    () => checkProfile("x", { server: "", forwards: [{ dynamic: 0 }] }),
    (thrown) => thrown instanceof I2ptunError && thrown.details.length === 2,
  );
  assert.throws(() => checkProfile("..", { server: "a", forwards: [] }));
});

Deno.test("two names that one file could not tell apart", () => {
  const profiles = ["Home", "vps", "home", "HOME", "Vps"]
    .map((name) => `  ${name}: { server: a, forwards: [] }\n`);
  assert.deepEqual(mistakesOf(`profiles:\n${profiles.join("")}`), [
    '4:3: "home" differs from "Home" only in case',
    '5:3: "HOME" differs from "Home" only in case',
    '6:3: "Vps" differs from "vps" only in case',
  ]);
});

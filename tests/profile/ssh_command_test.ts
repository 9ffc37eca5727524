import assert from "node:assert/strict";
import fc from "fast-check";
import { toSshCommand } from "../../src/profile/export.ts";
import { splitCommandLine } from "../../src/profile/shell_words.ts";
import { parseSshCommand } from "../../src/profile/ssh_command.ts";
import { profileOf } from "../../src/profile/ssh_command_profile.ts";
import { checkProfile } from "../../src/profile/store.ts";

const parse = (line: string) => parseSshCommand(splitCommandLine(line));

const LINES: [string, object][] = [
  ["ssh -L 7657:127.0.0.1:7657 i2p@20.228.143.58", {
    server: "i2p@20.228.143.58",
    forwards: [{ local: "7657:127.0.0.1:7657" }],
    background: false,
  }],
  ["ssh -f -N -L 7657:127.0.0.1:7657 i2p@20.228.143.58", { background: true }],
  ["ssh -fTNL 172.16.0.1:4444:127.0.0.1:4444 -L 7657:127.0.0.1:7657 i2p@host", {
    forwards: [
      { local: "172.16.0.1:4444:127.0.0.1:4444" },
      { local: "7657:127.0.0.1:7657" },
    ],
    background: true,
  }],
  ["ssh -D 8080 user@remote-server", { forwards: [{ dynamic: "8080" }] }],
  ["ssh -R 7657:127.0.0.1:7657 user@remote-server", {
    forwards: [{ remote: "7657:127.0.0.1:7657" }],
  }],
  [
    "ssh -J jumphost.example.com -L 7657:127.0.0.1:7657 user@final-server",
    { jump: ["jumphost.example.com"], server: "user@final-server" },
  ],
  [
    "/usr/bin/ssh -NT -o ServerAliveInterval=60 -o ExitOnForwardFailure=yes -L 7657:127.0.0.1:7657 i2p@20.228.143.58",
    {
      options: [
        { key: "ServerAliveInterval", value: "60" },
        { key: "ExitOnForwardFailure", value: "yes" },
      ],
    },
  ],
  ["$ ssh -p2222 -l i2p -i '~/my key' -D1080 host -L 1:h:2", {
    server: "i2p@host:2222",
    identity: ["~/my key"],
    forwards: [{ dynamic: "1080" }, { local: "1:h:2" }],
  }],
  ["ssh -4 -C -g -oCompression=no -F none ssh://me@[::1]:99 -D 1", {
    server: "me@[::1]:99",
    configFile: "none",
    options: [
      { key: "AddressFamily", value: "inet" },
      { key: "Compression", value: "yes" },
      { key: "GatewayPorts", value: "yes" },
      { key: "Compression", value: "no" },
    ],
  }],
  ["ssh -D 1 \\\n  host", { server: "host" }],
  ["$ i2ptun ssh -D 1 host", { server: "host" }],
];

for (const [line, expected] of LINES) {
  Deno.test(`reads ${JSON.stringify(line)}`, () => {
    const command = parse(line);
    for (const [key, value] of Object.entries(expected)) {
      assert.deepEqual(command[key as keyof typeof command], value, key);
    }
  });
}

const WRONG: [string, RegExp][] = [
  ["ssh -L 1:h:2", /server is missing/],
  ["ssh host uptime", /runs no command on the server: uptime/],
  ["ssh -D", /-D needs a value/],
  ["ssh -Z host", /no option -Z/],
  ["ssh -t host", /-t: i2ptun has nothing like it/],
  ["ssh -w 0:0 host", /-w 0:0: i2ptun has nothing like it/],
  ["ssh -o nonsense host", /not of the form KEY=VALUE/],
  ["ssh 'host", /a ' is not closed/],
];

for (const [line, message] of WRONG) {
  Deno.test(`refuses ${JSON.stringify(line)}`, () => {
    assert.throws(() => parse(line), { kind: "usage", message });
  });
}

Deno.test("options become keys of the profile, or are refused by name", () => {
  assert.deepEqual(
    profileOf(
      parse(
        "ssh -o ServerAliveInterval=60 -o ServerAliveCountMax=2 -o ConnectTimeout=9 -o User=me -o Port=99 " +
          "-o 'LocalForward 1 h:2' -o IdentityAgent=none -F none -J a,b:2 host",
      ),
    ),
    {
      server: "me@host:99",
      jump: ["a", "b:2"],
      agent: false,
      ssh_config: false,
      keepalive: { interval: "60s", count: 2 },
      connect_timeout: "9s",
      forwards: [{ local: "1:h:2" }],
    },
  );
  assert.throws(() => profileOf(parse("ssh -o ForwardX11=yes host")), {
    message: /cannot keep the option ForwardX11=yes/,
  });
});

Deno.test("an option's value is read as ssh_config has it, quotes and all", () => {
  assert.deepEqual(
    profileOf(
      parse(
        `ssh -o 'UserKnownHostsFile="/a b"' -o IdentityFile='"/my key"' ` +
          `-o 'LocalForward "/tmp/a b" host:1' -o 'DynamicForward=1080' host`,
      ),
    ),
    {
      server: "host",
      known_hosts: "/a b",
      identity: ["/my key"],
      forwards: [{ local: "/tmp/a b:host:1" }, { dynamic: "1080" }],
    },
  );
  for (
    const [line, message] of [
      ["ssh -o 'UserKnownHostsFile=/a /b' host", /cannot keep the option/],
      [`ssh -o 'IdentityFile="/a' host`, /a quote is not closed/],
    ] as const
  ) {
    assert.throws(() => profileOf(parse(line)), { kind: "usage", message });
  }
});

Deno.test("with -g, forwards here are for everyone", () => {
  const line = "-D 1080 -L 8080:h:80 -L [::1]:8081:h:80 -R 9:h:80 host";
  const { forwards } = profileOf(parse(`ssh -g ${line}`));
  assert.deepEqual(forwards, [
    { dynamic: "*:1080" },
    { local: "*:8080:h:80" },
    { local: "[::1]:8081:h:80" },
    { remote: "9:h:80" },
  ]);
  const before = profileOf(parse(`ssh ${line}`)).forwards;
  const no = profileOf(parse(`ssh -o GatewayPorts=no -g ${line}`)).forwards;
  assert.deepEqual(no, before);
});

Deno.test("ssh to profile to ssh is the same profile", () => {
  const port = fc.integer({ min: 1, max: 65535 }).map(String);
  const bind = fc.constantFrom(
    ...["", ":", "*:", "127.0.0.1:", "[::1]:", "[::]:", "localhost:"],
  );
  const letters = [..."az09. '$#~&;\"[]*", "\\:", "\\\\"];
  const name = fc.string({ unit: fc.constantFrom(...letters) });
  const socket = name.map((text) => `/tmp/s${text}`);
  const host = fc.constantFrom("127.0.0.1", "[fe80::1]", "a-b.example");
  const listen = fc.oneof(
    fc.tuple(bind, port).map((each) => each.join("")),
    socket,
  );
  const target = fc.oneof(
    fc.tuple(host, port).map((each) => each.join(":")),
    socket,
  );
  const between = fc.tuple(listen, target).map((each) => each.join(":"));
  const flag = (name: string) => (value: string) => [name, value];
  const forward = fc.oneof(
    between.map(flag("-L")),
    between.map(flag("-R")),
    // the server chooses the port; the server's side is a SOCKS proxy
    fc.tuple(bind, target).map(([at, to]) => ["-R", `${at}0:${to}`]),
    fc.tuple(bind, fc.oneof(port, fc.constant("0")))
      .map((each) => ["-R", each.join("")]),
    fc.tuple(bind, port).map((each) => ["-D", each.join("")]),
  );
  const other = fc.oneof(
    socket.map(flag("-i")),
    socket.map((
      path,
    ) => ["-o", `UserKnownHostsFile="${path.replace(/"/g, "")}"`]),
    fc.constant(["-J", "me@jump:2222,[::1]:22"]),
    fc.constant(["-p", "2222"]),
  );
  const flags = fc.tuple(
    fc.array(forward, { minLength: 1, maxLength: 5 }),
    fc.uniqueArray(other, { selector: ([name]) => name }),
  );
  let checked = 0;
  fc.assert(
    fc.property(flags, ([forwards, others]) => {
      const words = [...forwards.flat(), ...others.flat(), "me@host"];
      const first = profileOf(parseSshCommand(words));
      let profile;
      try {
        profile = checkProfile("home", first);
      } catch {
        return; // two on one port: no profile, and no ssh either
      }
      checked++;
      const { keepalive: _keepalive, ...second } = profileOf(
        parse(toSshCommand(profile)),
      );
      assert.deepEqual(second, first);
    }),
  );
  assert(checked > 50, `${checked} were profiles`);
});

Deno.test("no text makes it throw anything but a usage error", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      try {
        profileOf(parse(text));
      } catch (error) {
        assert.equal((error as { kind?: string }).kind, "usage");
      }
    }),
  );
});

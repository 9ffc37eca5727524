import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { I2ptunError } from "../../src/errors.ts";
import {
  listHosts,
  readSshConfig,
  type SshConfigContext,
  type SshHostConfig,
} from "../../src/ssh/ssh_config.ts";
import { withFolder } from "./openssh.ts";

/** Writes files below a new home folder; "config" is the user's. */
function withHome(
  files: Record<string, string>,
  body: (context: SshConfigContext, home: string) => Promise<void>,
) {
  return withFolder(async (home) => {
    await Deno.mkdir(`${home}/.ssh/config.d`, { recursive: true });
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${home}/.ssh/${name}`, text);
    }
    await body({
      files: [`${home}/.ssh/config`],
      home,
      localUser: "me",
      localHostname: "box.example.org",
      uid: 1000,
      env: (name) => ({ COLOUR: "red", SOCK: "/run/agent" })[name],
    }, home);
  });
}

function refusal(pattern: RegExp) {
  return (error: unknown) =>
    error instanceof I2ptunError && error.kind === "usage" &&
    pattern.test([error.message, ...error.details].join("\n"));
}

Deno.test("every keyword gives its value, ready to use", async () => {
  const text = `
Host web
  HostName WEB.example.org
  User deploy
  Port 2222
  IdentityFile ~/.ssh/%r@%h
  IdentityFile "%d/with space"
  IdentityFile /keys/\${COLOUR}/%n-%p-%u-%i-%L-%l-%k-%j-%%
  CertificateFile ~/%r-cert.pub
  CertificateFile none
  IdentitiesOnly yes
  IdentityAgent $SOCK
  ProxyJump a@%h-gate:22,ssh://b%%,[fe80::1]:2200
  UserKnownHostsFile ~/one /two/%h %C
  GlobalKnownHostsFile none
  StrictHostKeyChecking off
  HostKeyAlias Alias
  HashKnownHosts yes
  ServerAliveInterval 1m
  ServerAliveCountMax 5
  ConnectTimeout 1h1
  LocalForward 8080 localhost:80
  LocalForward [::1]:81 /run/%r/\${COLOUR}.sock
  RemoteForward 9090
  RemoteForward *:0 %h:1
  DynamicForward localhost:1080
  AddressFamily inet6
  BindAddress 10.0.0.1
  Compression yes
  Ciphers +aes128-cbc
  MACs ^hmac-sha2-256
  KexAlgorithms -curve*
  HostKeyAlgorithms ssh-ed25519
  PubkeyAcceptedKeyTypes +ssh-rsa
  PreferredAuthentications publickey,password
  NumberOfPasswordPrompts 1
  PasswordAuthentication no
  PubkeyAuthentication unbound
  ChallengeResponseAuthentication no
  ExitOnForwardFailure yes
  GatewayPorts yes
  ForwardAgent yes
  UseKeychain yes
`;
  await withHome({ config: text }, async (context, home) => {
    const config = await readSshConfig("web", {}, context);
    const hash = createHash("sha1")
      .update("box.example.org" + "web.example.org" + "2222deploy" + "fe80::1")
      .digest("hex");
    const expected: SshHostConfig = {
      hostName: "web.example.org",
      user: "deploy",
      port: 2222,
      identityFiles: [
        `${home}/.ssh/deploy@web.example.org`,
        `${home}/with space`,
        "/keys/red/web-2222-me-1000-box-box.example.org-alias-fe80::1-%",
      ],
      certificateFiles: [`${home}/deploy-cert.pub`],
      identitiesOnly: true,
      identityAgent: "/run/agent",
      proxyJump: [
        { user: "a", host: "web.example.org-gate", port: 22 },
        { host: "b%" },
        { host: "fe80::1", port: 2200 },
      ],
      proxyCommandAt: undefined,
      userKnownHostsFile: [`${home}/one`, "/two/web.example.org", hash],
      globalKnownHostsFile: [],
      strictHostKeyChecking: "no",
      hostKeyAlias: "alias",
      hashKnownHosts: true,
      serverAliveInterval: 60,
      serverAliveCountMax: 5,
      connectTimeout: 3601,
      localForwards: ["8080:localhost:80", "[::1]:81:/run/deploy/red.sock"],
      remoteForwards: ["9090", "*:0:%h:1"],
      dynamicForwards: ["localhost:1080"],
      exitOnForwardFailure: true,
      gatewayPorts: true,
      addressFamily: "inet6",
      bindAddress: "10.0.0.1",
      compression: true,
      ciphers: "+aes128-cbc",
      macs: "^hmac-sha2-256",
      kexAlgorithms: "-curve*",
      hostKeyAlgorithms: "ssh-ed25519",
      pubkeyAcceptedAlgorithms: "+ssh-rsa",
      preferredAuthentications: ["publickey", "password"],
      numberOfPasswordPrompts: 1,
      passwordAuthentication: false,
      pubkeyAuthentication: true,
      kbdInteractiveAuthentication: false,
      warnings: [],
    };
    assert.deepEqual(pick(config, expected), expected);

    const other = await readSshConfig("Other", {}, context);
    const set = Object.entries(pick(other, expected)).filter(([, value]) =>
      value !== undefined && String(value) !== ""
    );
    assert.deepEqual(set, [["hostName", "other"]]);
  });
});

function pick<T extends object>(from: T, like: object) {
  return Object.fromEntries(
    Object.keys(like).map((key) => [key, from[key as keyof T]]),
  );
}

Deno.test("what is said elsewhere counts first and decides Match user", async () => {
  const config = "Match user root\nPort 2\nMatch all\nUser u%%\nPort 3";
  await withHome({ config }, async (context) => {
    const plain = await readSshConfig("h", {}, context);
    assert.deepEqual([plain.user, plain.port], ["u%", 3]);
    const root = await readSshConfig("h", { user: "root" }, context);
    assert.deepEqual([root.user, root.port], ["root", 2]);
    const both = await readSshConfig("h", { user: "50%", port: 9 }, context);
    assert.deepEqual([both.user, both.port], ["50%", 9]);
  });
});

Deno.test("Include: relative to ~/.ssh, globs in order, only in its block", async () => {
  await withHome({
    config: `
      Include config.d/*.conf config.d/[!a]? "~/.ssh/no such file"
      Host b
        Include only_b
        Port 5
      Host *
        User last`,
    "only_b": "User b\nHost c\nUser c",
    "config.d/2.conf": "Host a\nPort 2\n",
    "config.d/1.conf": "Host a\nPort 1\nHostName one\n",
    "config.d/.0.conf": "Host a\nPort 99\n",
    "config.d/zz": "Host a\nServerAliveInterval 7\n",
    "config.d/az": "Host a\nServerAliveInterval 8\n",
  }, async (context) => {
    const a = await readSshConfig("a", {}, context);
    assert.deepEqual(
      [a.port, a.hostName, a.user, a.serverAliveInterval],
      [1, "one", "last", 7],
    );
    const b = await readSshConfig("b", {}, context);
    assert.deepEqual([b.user, b.port], ["b", 5]);
    const c = await readSshConfig("c", {}, context);
    assert.deepEqual([c.user, c.port], ["last", undefined]);
  });
});

Deno.test("the system's file fills in, and its Includes are beside it", async () => {
  await withHome({
    config: "Port 1",
    system: "Port 2\nUser system\nInclude config.d/x",
    "config.d/x": "HostName from.system",
  }, async (context, home) => {
    const files = [...context.files, `${home}/.ssh/system`, "/no/such/file"];
    const config = await readSshConfig("h", {}, {
      ...context,
      home: "/nowhere",
      files,
    });
    assert.deepEqual(
      [config.port, config.user, config.hostName],
      [1, "system", "from.system"],
    );
  });
});

Deno.test("Includes may be nested sixteen deep", async () => {
  const files = Object.fromEntries(
    Array.from({ length: 17 }, (_, i) => [`f${i}`, `Include f${i + 1}`]),
  );
  const config = "Include f1";
  await withHome({ ...files, config, f16: "Port 16" }, async (context) => {
    assert.equal((await readSshConfig("h", {}, context)).port, 16);
  });
  await withHome({ ...files, config, f17: "" }, async (context) => {
    await assert.rejects(
      readSshConfig("h", {}, context),
      refusal(/f16:1: too many nested Includes/),
    );
  });
});

Deno.test("a file that includes itself, or cannot be read, is an error", async () => {
  await withHome(
    { config: "Include config\nInclude config" },
    async (context, home) => {
      await assert.rejects(
        readSshConfig("h", {}, context),
        refusal(/config:1: too many nested Includes/),
      );
      await assert.rejects(
        readSshConfig("h", {}, { ...context, files: [`${home}/.ssh`] }),
        refusal(/cannot read/),
      );
    },
  );
});

Deno.test("what starts programs or is unknown is left out with a warning", async () => {
  const config = `
Host h
  ProxyCommand nc %h %p
  ProxyJump too-late
Match host other exec "reached not"
  Port 1
Match exec "true"
  Port 2
Match !exec "false"
  Port 3
Match localnetwork 10.0.0.0/8
  Port 4
Match all
  Frobnicate yes
  IgnoreUnknown Frob*,*Colour
  Frobnicate "no"
  WallColour green
  CanonicalizeHostname yes
`;
  await withHome({ config }, async (context, home) => {
    const read = await readSshConfig("h", {}, context);
    const { warnings, port, proxyJump, proxyCommandAt } = read;
    assert.equal(port, undefined);
    assert.equal(proxyJump, undefined);
    const file = `${home}/.ssh/config`;
    assert.equal(proxyCommandAt, `${file}:3`);
    const expected = [
      [3, /ProxyCommand .* use ProxyJump/],
      [7, /Match exec .* starts no programs/],
      [9, /Match exec .* starts no programs/],
      [11, /Match localnetwork/],
      [14, /unknown keyword frobnicate/],
      [18, /CanonicalizeHostname/],
    ] as const;
    for (const [line, pattern] of expected) {
      const warning = warnings.find((w) => w.startsWith(`${file}:${line}: `));
      assert.match(warning ?? `none for ${line}`, pattern);
    }
    assert.equal(warnings.length, expected.length);
    const elsewhere = await readSshConfig("else", {}, context);
    assert.ok(!elsewhere.warnings.join().includes("ProxyCommand"));
  });
});

const REFUSED: [string, RegExp][] = [
  ["Port 0", /not a port/],
  ["Port 65536", /not a port/],
  ["Port", /missing/],
  ["User a b", /"b" is too much/],
  ['User "', /quote/],
  ["ServerAliveInterval 1x", /not a time/],
  ["ServerAliveInterval " + "1".repeat(60) + "x", /not a time/],
  ["ServerAliveCountMax -1", /not a whole number/],
  ["Compression maybe", /none of yes, no/],
  ["StrictHostKeyChecking constructor", /none of/],
  ["LocalForward 8080", /missing/],
  ["LocalForward 8080 a:1 b", /too much/],
  ["UserKnownHostsFile a none", /alone/],
  ["ProxyJump a,", /"" is not \[user@\]host/],
  ["ProxyJump ::1", /not \[user@\]host/],
  ["ProxyJump -oX", /not \[user@\]host/],
  ["ProxyJump a:0", /not a port/],
  ["Host", /host is missing/],
  ["Match", /criterion/],
  ["Match host", /needs a value/],
  ["Match all host h", /cannot be combined/],
  ["Match originalhost h host h all", /cannot be combined/],
  ["HostName %p", /"%p" has no meaning/],
  ["IdentityFile %x", /"%x" has no meaning/],
  ["IdentityFile ${NOPE}/x", /NOPE is not set/],
  ["IdentityFile ~someone/x", /home folder of someone/],
  ["Include", /missing/],
];

Deno.test("all that ssh would refuse is reported at once, also for other hosts", async () => {
  for (const [line, reason] of REFUSED) {
    await withHome(
      { config: `User ok\n${line}\nPort no\n` },
      async (context, home) => {
        const file = `${home}/.ssh/config`;
        const error = await readSshConfig("h", {}, context).catch((e) => e);
        assert.ok(refusal(reason)(error), `${line}: ${error}`);
        for (const line of [2, 3]) {
          const place = `${file}:${line}: `;
          assert.ok(error.details.some((d: string) => d.startsWith(place)));
        }
        assert.ok(error.remedy);
      },
    );
  }
  await withHome({ config: "Host other\nPort no" }, async (context) => {
    await assert.rejects(readSshConfig("h", {}, context), refusal(/:2: /));
  });
});

Deno.test("identities and agents that are switched off", async () => {
  const config =
    "IdentityFile none\nIdentityAgent none\nProxyJump none\nProxyJump x";
  await withHome({ config }, async (context) => {
    const off = await readSshConfig("h", {}, context);
    assert.deepEqual(off.identityFiles, []);
    assert.equal(off.identityAgent, "none");
    assert.deepEqual(off.proxyJump, []);
  });
  const agent = async (value: string, expected: string | undefined) =>
    await withHome({ config: `IdentityAgent ${value}` }, async (context) => {
      const env = (name: string) =>
        name === "SSH_AUTH_SOCK" ? "/auth" : context.env(name);
      const found = await readSshConfig("h", {}, { ...context, env });
      assert.equal(found.identityAgent, expected);
    });
  await agent("SSH_AUTH_SOCK", "/auth");
  await agent("$NOPE", "none");
  await agent("/run/${COLOUR}-%h", "/run/red-h");
});

Deno.test("lists the hosts that are spelt out", async () => {
  await withHome({
    config:
      "Host a *.b !c\nHost 'd e' a\nInclude config.d/* config\nUser \"\nHost \"\n",
    "config.d/x": "Match host m\nHost f\n",
    system: "Host g?\nHost h\n",
  }, async (context, home) => {
    const files = [...context.files, `${home}/.ssh/system`, "/no/such/file"];
    assert.deepEqual(await listHosts({ ...context, files }), [
      "a",
      "d e",
      "f",
      "h",
    ]);
  });
});

Deno.test("no text does anything but give a config or a list of mistakes", async () => {
  const piece = fc.oneof(
    fc.string(),
    fc.constantFrom(
      "Host ",
      "Match ",
      "host ",
      "\n",
      '"',
      "%h",
      "${",
      "=",
      "IdentityFile ",
      "ProxyJump ",
      "Include ",
    ),
  );
  await withHome({}, async (context) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { maxLength: 12 }),
        fc.string(),
        async (pieces, host) => {
          await Deno.writeTextFile(context.files[0]!, pieces.join(""));
          await listHosts(context);
          await readSshConfig(host, {}, context).catch((error) => {
            assert.ok(error instanceof I2ptunError, String(error.stack));
          });
        },
      ),
      { numRuns: 200 },
    );
  });
});

/** Every fault that a check is to find, made for real. */
import assert from "node:assert/strict";
import { type Canned, serveHere, serveThere } from "../i2p/canned.ts";
import { javaConsole } from "../i2p/java_router.ts";
import { freePort } from "../support/ports.ts";
import {
  type RunOptions,
  type RunResult,
  Sandbox,
} from "../support/program.ts";
import { type RemoteHost, startRemoteHost } from "../support/remote_host.ts";
import { testWith } from "../support/requirements.ts";
import { startSshd } from "../support/sshd.ts";
import { startTerminal } from "../support/terminal.ts";
import { testUser } from "../support/test_user.ts";
import { GATEWAY, SERVER, startPrivateNetwork } from "./private_network.ts";
import {
  assertFails,
  assertNothingLeft,
  assertReadable,
  ended,
  get,
  startPage,
  startSite,
  statusOf,
  succeed,
  writeProfile,
} from "./setup.ts";

const CHECK = ["profile", "check", "home"];
const START = ["profile", "start", "home"];

interface Step {
  step: string;
  ok: boolean;
  detail: string;
  cause?: string;
  try?: string;
}

interface Check {
  code: number;
  ok: boolean;
  steps: Step[];
  /** The names of the steps, those that failed with a `!`. */
  names: string;
  step(name: string): Step;
}

/** What `profile check --json` says, in the shape of the contract. */
function read({ code, stdout, stderr }: RunResult): Check {
  assertReadable({ code, stdout, stderr });
  const result = JSON.parse(stdout);
  assert.deepEqual(Object.keys(result), ["profile", "ok", "steps"]);
  assert.equal(result.profile, "home");
  const steps: Step[] = result.steps;
  for (const each of steps) {
    assert.match(each.detail, /./, stdout);
    if (!each.ok) assert(each.cause && each.try, stdout);
    // a cause without a remedy, or the other way round, helps nobody
    assert.equal(each.cause === undefined, each.try === undefined, stdout);
  }
  assert.equal(result.ok, steps.every(({ ok }) => ok), stdout);
  assert.equal(code === 0, result.ok, stdout + stderr);
  if (!result.ok) assert.match(stderr, /^error: .+\ntry: .+\n$/m);
  return {
    code,
    ok: result.ok,
    steps,
    names: steps.map(({ step, ok }) => step + (ok ? "" : "!")).join(" "),
    step: (name) =>
      steps.find(({ step }) => step === name) ?? assert.fail(stdout),
  };
}

async function check(
  sandbox: Sandbox,
  args: string[] = [],
  options: RunOptions = {},
): Promise<Check> {
  return read(await sandbox.run([...CHECK, "--json", ...args], options));
}

/** A user with a profile of one forward, to any server. */
async function withServer(
  server: string,
  use: (sandbox: Sandbox, port: number) => Promise<void>,
): Promise<void> {
  await using sandbox = await Sandbox.create();
  const port = freePort();
  const forward = `{ local: "127.0.0.1:${port}:127.0.0.1:1", name: page }`;
  await writeProfile(sandbox, { server, forward, more: "connect_timeout: 1s" });
  await use(sandbox, port);
  await assertNothingLeft(sandbox, port);
}

/** A start that fails for the same reason says the same. */
async function assertStartSays(
  sandbox: Sandbox,
  code: number,
  { detail, cause, try: remedy }: Step,
): Promise<void> {
  for (const mode of [[], ["--foreground"]]) {
    const { stderr, ...result } = await sandbox.run([...START, ...mode]);
    assert.equal(result.code, code, stderr);
    const said = cause === detail ? detail : `${detail}: ${cause}`;
    assert(stderr.includes(`error: ${said}\ntry: ${remedy}\n`), stderr);
  }
}

/** A router's machine with servers of this kind, and a profile for it. */
async function withRouter(
  forwards: string[],
  use: (sandbox: Sandbox, host: RemoteHost) => Promise<void>,
  { servers, i2pd = false }: {
    servers?: (address: string) => Record<string, Canned>;
    i2pd?: boolean;
  } = {},
): Promise<void> {
  await using host = await startRemoteHost({ i2pd });
  await using sandbox = await Sandbox.create();
  await sandbox.trust(host.sshd);
  await host.sshd.authorize((await sandbox.key()).publicLine);
  await using _servers = await serveThere(
    host.namespace,
    servers?.(host.address) ?? {},
  );
  await writeProfile(sandbox, {
    server: `${host.sshd.user}@${host.address}`,
    forward: forwards.join("\n      - "),
  });
  await use(sandbox, host);
}

const service = (name: string) => `{ service: ${name}, listen: ${freePort()} }`;

testWith(
  ["remote-host-with-i2pd"],
  "everything is all right, with a real i2pd",
  async () => {
    const forwards = ["i2pd-console", "http-proxy", "sam"].map(service);
    await withRouter(forwards, async (sandbox, host) => {
      const before = await Deno.readTextFile(sandbox.knownHosts);
      const result = await check(sandbox);
      assert(result.ok, JSON.stringify(result, undefined, 2));
      assert.equal(
        result.names,
        "config dns tcp ssh host-key login " +
          "listen:i2pd-console target:i2pd-console " +
          "listen:http-proxy target:http-proxy listen:sam target:sam " +
          "service:i2pd-console service:http-proxy service:sam",
      );
      const { sshd } = host;
      assert.match(result.step("tcp").detail, /^10\.231\.\d+\.2:22 answers$/);
      assert.match(result.step("ssh").detail, /^OpenSSH_/);
      assert(result.step("host-key").detail.includes(sshd.hostKeys[0]!.sha256));
      assert.match(result.step("login").detail, /by key \S+id_ed25519/);
      assert.match(
        result.step("service:i2pd-console").detail,
        /^i2pd webconsole \d+\.\d+\.\d+$/,
      );
      assert.equal(
        result.step("service:http-proxy").detail,
        "HTTP proxy of i2pd",
      );
      assert(result.steps.every(({ cause }) => cause === undefined));
      assert.equal(await Deno.readTextFile(sandbox.knownHosts), before);

      // for people: a line a step, as they come
      const { code, stdout, stderr } = await sandbox.run(CHECK);
      assert.equal(code, 0, stderr);
      const lines = stdout.trim().split("\n");
      assert.equal(lines.length, result.steps.length + 1);
      assert(lines.slice(0, -1).every((line) => line.startsWith("✓ ")), stdout);
      assert.equal(lines.at(-1), "home is all right");

      // and while it runs, its own ports are not in its way
      await succeed(sandbox, START);
      const running = await check(sandbox);
      assert(running.ok, JSON.stringify(running, undefined, 2));
      assert.match(running.step("config").detail, /; home is up$/);
      const { pid } = await statusOf(sandbox);
      assert.match(
        running.step("listen:sam").detail,
        new RegExp(`held by home itself \\(pid ${pid}\\)$`),
      );
      assert.equal((await statusOf(sandbox)).state, "up");
    }, { i2pd: true });
  },
);

testWith([], "the file, and a profile that is not there", async () => {
  await using sandbox = await Sandbox.create();
  await sandbox.writeProfiles(
    "profiles: { home: { server: h, forwards: [consol] } }\n",
  );
  const result = await check(sandbox);
  assert.equal(result.names, "config!");
  assert.equal(result.code, 2);
  assert.match(
    result.step("config").detail,
    /:1:\d+: .*did you mean "console"/,
  );
  await sandbox.writeProfiles(
    "profiles: { home: { server: h, forwards: [console] } }\n",
  );
  const nobody = await sandbox.run(["profile", "check", "hme"]);
  assertFails(nobody, 3, /did you mean "home"/);
});

Deno.test("a name that nobody has", async () => {
  await withServer("nobody.invalid", async (sandbox) => {
    const result = await check(sandbox);
    assert.equal(result.names, "config dns! listen:page");
    assert.equal(result.code, 4);
    assert.match(result.step("dns").detail, /nobody\.invalid/);
    await assertStartSays(sandbox, 4, result.step("dns"));
  });
});

Deno.test("a server that refuses, and how it looks", async () => {
  const refusing = freePort();
  await withServer(`127.0.0.1:${refusing}`, async (sandbox) => {
    const result = await check(sandbox);
    assert.equal(result.names, "config dns tcp! listen:page");
    assert.equal(result.code, 4);
    const step = result.step("tcp");
    assert.equal(step.detail, `127.0.0.1:${refusing} refused the connection`);
    assert.match(step.cause!, /no SSH server listens at that port/);
    await assertStartSays(sandbox, 4, step);

    const { stdout, stderr } = await sandbox.run(CHECK);
    assert.match(
      stdout,
      /^✗ tcp +127\.0\.0\.1:\d+ refused.*\n {4}cause: .+\n {4}try: .+\n✓ listen:page/m,
    );
    assert.match(stderr, /^error: home: step tcp failed: .*refused/);
  });
});

testWith(["remote-host"], "SSH at another port of that server", async () => {
  await withRouter([service("console")], async (sandbox, { address, sshd }) => {
    const tries = async (server: string, more = "") => {
      const profile = { server, more, forward: service("console") };
      await writeProfile(sandbox, profile);
      const result = await check(sandbox);
      assert.equal(result.code, 4);
      return result.steps.find(({ ok }) => !ok)!;
    };
    const hint = new RegExp(
      `^an SSH server \\(OpenSSH_\\S+.*\\) answers at ${address}:22: `,
    );
    const login = `${sshd.user}@${address}`;
    const refused = await tries(`${login}:2222`);
    assert.equal(refused.step, "tcp");
    assert.match(refused.try!, hint);
    await assertStartSays(sandbox, 4, refused);
    const web = await tries(`${login}:8022`);
    assert.equal(web.step, "ssh");
    assert.match(web.cause!, /web server/);
    assert.match(web.try!, hint);
    await assertStartSays(sandbox, 4, web);
    const behind = await tries(`${login}:2222`, `jump: [${login}]`);
    assert.equal(behind.step, "tcp");
    assert.match(behind.try!, hint);
    const nowhere = await tries(`${sshd.user}@127.0.0.1:1`, `jump: [${login}]`);
    assert.match(nowhere.try!, /^(?!an SSH server)/);
  }, {
    servers: (address) => ({
      [`${address}:8022`]: { answer: "HTTP/1.1 400 Bad Request\r\n\r\n" },
    }),
  });
});

testWith(["remote-host"], "a firewall that swallows everything", async () => {
  await withRouter([service("console")], async (sandbox, host) => {
    await writeProfile(sandbox, {
      server: `root@${host.address}`,
      forward: service("console"),
      more: "connect_timeout: 1s",
    });
    await host.cutLink();
    const result = await check(sandbox);
    assert.equal(result.names, "config dns tcp! listen:console");
    assert.match(result.step("tcp").detail, /:22 did not answer within 1 s$/);
    assert.match(result.step("tcp").cause!, /firewall/);
    await assertStartSays(sandbox, 4, result.step("tcp"));
  });
});

testWith(["remote-host"], "IPv6 only, and none here", async () => {
  await using network = await startPrivateNetwork();
  await writeProfile(network.sandbox, {
    server: '"root@[2001:db8::1]"',
    forward: "console",
  });
  const result = read(await network.run("near", "i2ptun", ...CHECK, "--json"));
  assert.equal(result.names, "config dns tcp! listen:console");
  for (const name of ["dns", "tcp"]) {
    assert.match(result.step(name).cause!, /this machine has no IPv6$/);
  }
  const { detail, cause, try: remedy } = result.step("tcp");
  const start = await network.run("near", "i2ptun", ...START);
  assert.equal(start.code, 4, start.stderr);
  assert.equal(start.stderr, `error: ${detail}: ${cause}\ntry: ${remedy}\n`);
});

testWith(["remote-host"], "a name with several addresses", async () => {
  await using network = await startPrivateNetwork();
  const { sandbox, sshd } = network;
  await writeProfile(sandbox, {
    server: `${sshd.user}@twofold`,
    forward: `{ local: "9000:${SERVER}:22" }`,
    more: `host_key: ${sshd.hostKeys[0]!.sha256}`,
  });
  const hosts = `${sandbox.home}/hosts`;
  const checkWith = async (...addresses: string[]) => {
    const lines = addresses.map((each) => `${each} twofold\n`);
    await Deno.writeTextFile(hosts, lines.join(""));
    return read(
      await network.run(
        ...["near", "unshare", "--mount", "sh", "-c"] as const,
        `mount --bind ${hosts} /etc/hosts && exec i2ptun ${
          CHECK.join(" ")
        } --json`,
      ),
    );
  };
  // the second is the user's own machine, which has no SSH server
  const one = await checkWith(SERVER, GATEWAY);
  assert(one.ok, JSON.stringify(one));
  assert.match(one.step("dns").detail, /^twofold has \S+, \S+$/);
  const { detail } = one.step("tcp");
  assert(detail.includes(`${SERVER}:22 answers`), detail);
  assert(detail.includes(`${GATEWAY}:22 refused the connection`), detail);
  assert.match(one.step("host-key").detail, /pins$/);
  const none = await checkWith(GATEWAY, "20.228.143.1");
  assert.equal(none.names, "config dns tcp! listen:local-9000");
  assert.equal(none.step("tcp").detail.match(/:22 refused/g)!.length, 2);
});

Deno.test("another server at the SSH port, by what it says", async () => {
  const cases: [Canned, cause: RegExp][] = [
    [{ answer: "HTTP/1.1 400 Bad Request\r\n\r\n" }, /web server \(HTTP\)/],
    [{ answer: "\x15\x03\x03\0\x02\x02\x46" }, /TLS server/],
    [{ first: "220 mx ESMTP Postfix\r\n" }, /mail server/],
    [{ first: "220 (vsFTPd 3.0.3)\r\n" }, /file server/],
    [{ first: "ahoy\r\n" }, /another program/],
    [{}, /says nothing, as no SSH server does/],
  ];
  await Promise.all(cases.map(async ([canned, cause]) => {
    using server = serveHere(canned);
    await withServer(`127.0.0.1:${server.port}`, async (sandbox) => {
      const result = await check(sandbox);
      assert.equal(result.names, "config dns tcp ssh! listen:page");
      assert.equal(result.code, 4);
      assert.match(result.step("ssh").cause!, cause);
      assert.match(result.step("ssh").try!, /check the port|answers at/);
      await assertStartSays(sandbox, 4, result.step("ssh"));
    });
  }));
});

testWith(
  ["sshd"],
  "a host key that is unknown, and one that changed",
  async () => {
    await using site = await startSite();
    const { sandbox, sshd } = site;
    await Deno.remove(sandbox.knownHosts);
    const { sha256 } = sshd.hostKeys[0]!;
    const result = await check(sandbox);
    assert.equal(result.names, "config dns tcp ssh host-key! listen:page");
    assert.equal(result.code, 6);
    assert(result.step("host-key").detail.includes(sha256));
    // a check changes nothing
    await assert.rejects(Deno.stat(sandbox.knownHosts), Deno.errors.NotFound);
    await Deno.writeTextFile(
      `${sandbox.home}/.ssh/config`,
      "Host *\n  StrictHostKeyChecking accept-new\n",
    );
    const accepting = await check(sandbox);
    assert(accepting.ok, JSON.stringify(accepting));
    assert.match(accepting.step("host-key").detail, /is new/);
    await assert.rejects(Deno.stat(sandbox.knownHosts), Deno.errors.NotFound);

    await using other = await startSshd();
    await sandbox.trust(other, sshd);
    const changed = await check(sandbox);
    assert.equal(changed.names, "config dns tcp ssh host-key! listen:page");
    assert.equal(changed.code, 6);
    assert.match(changed.step("host-key").cause!, /listening in/);
    await assertStartSays(sandbox, 6, changed.step("host-key"));
  },
);

testWith(["sshd"], "a key that the server does not know", async () => {
  await using site = await startSite();
  const { sandbox, sshd } = site;
  await Deno.writeTextFile(sshd.authorizedKeys, "");
  await writeProfile(sandbox, {
    ...site,
    more: "ssh_config: ~/.ssh/config",
  });
  await Deno.writeTextFile(
    `${sandbox.home}/.ssh/config`,
    "Host *\n  PasswordAuthentication no\n",
  );
  const result = await check(sandbox);
  assert.equal(result.names, "config dns tcp ssh host-key login! listen:page");
  assert.equal(result.code, 5);
  assert.match(result.step("login").detail, /tried key \S+id_ed25519/);
  assert.match(result.step("login").cause!, /does not know the key/);
  await assertStartSays(sandbox, 5, result.step("login"));
  // nothing at all to log in with
  await Deno.remove(`${sandbox.home}/.ssh/id_ed25519`);
  const none = await check(sandbox);
  assert.match(none.step("login").cause!, /no key here/);
});

testWith(
  ["sshd", "test-user", "tmux"],
  "a password: wrong, right, typed, and nobody there",
  async () => {
    await using site = await startSite();
    await using user = await testUser();
    const { sandbox, sshd } = site;
    await writeProfile(sandbox, {
      ...site,
      server: `${user.name}@${sshd.host}:${sshd.port}`,
      more: "identity: /nowhere",
    });
    const nobody = await check(sandbox);
    assert.equal(nobody.code, 5);
    assert.match(nobody.step("login").try!, /--password-stdin/);
    const wrong = await check(sandbox, ["--password-stdin"], {
      stdin: "no\n",
    });
    assert.equal(wrong.code, 5);
    const right = await check(sandbox, ["--password-stdin"], {
      stdin: `${user.password}\n`,
    });
    assert(right.ok, JSON.stringify(right));
    assert.match(right.step("login").detail, /by password$/);

    await using terminal = await startTerminal({
      ...sandbox,
      command: sandbox.command(...CHECK),
      env: sandbox.env,
      cwd: sandbox.home,
      width: 150,
    });
    await terminal.waitFor(/Password for/);
    await terminal.type(user.password);
    await terminal.press("Enter");
    assert.equal(await terminal.exit(), 0);
    assert.match(await terminal.screen(), /✓ login .*by password/);
  },
);

testWith(["sshd"], "a server that forbids forwards", async () => {
  await using site = await startSite({
    sshd: { config: "AllowTcpForwarding no" },
  });
  const { sandbox } = site;
  const forward = [
    site.forward,
    `{ dynamic: "127.0.0.1:${freePort()}", name: socks }`,
    `{ remote: "${freePort()}:127.0.0.1:${site.page.port}", name: back }`,
  ].join("\n      - ");
  await writeProfile(sandbox, { ...site, forward });
  const result = await check(sandbox);
  assert.equal(
    result.names,
    "config dns tcp ssh host-key login listen:page target:page! " +
      "listen:socks target:socks! listen:back! target:back",
  );
  assert.equal(result.code, 7);
  for (const name of ["target:page", "target:socks", "listen:back"]) {
    assert.match(result.step(name).try!, /AllowTcpForwarding/);
  }
  // a start asks for what the server is to listen at, and for nothing else
  assertFails(await sandbox.run(START), 7, /^back: the server refuses to li/);
});

testWith(["sshd"], "sockets of the server that cannot be had", async () => {
  await using site = await startSite({
    sshd: { config: "AllowStreamLocalForwarding no" },
  });
  const { sandbox, page, port } = site;
  const folder = await Deno.makeTempDir({ dir: sandbox.home });
  using _there = Deno.listen({ transport: "unix", path: `${folder}/there` });
  const forward = [
    `{ local: "127.0.0.1:${port}:${folder}/there", name: there }`,
    `{ remote: "${folder}/new:127.0.0.1:${page.port}", name: back }`,
  ].join("\n      - ");
  await writeProfile(sandbox, { ...site, forward });
  const result = await check(sandbox);
  const there = result.step("target:there");
  assert.match(there.cause!, /sshd_config forbids it/);
  assert.match(there.try!, /AllowStreamLocalForwarding$/);
  const { code, stderr } = await sandbox.run(START);
  assert.equal(code, 7);
  assert.match(stderr, /^try: .*AllowStreamLocalForwarding$/m);
});

testWith(["sshd"], "a check leaves no socket on the server", async () => {
  await using site = await startSite();
  const { sandbox, page } = site;
  const path = `${sandbox.home}/back`;
  const forward = `{ remote: "${path}:127.0.0.1:${page.port}", name: back }`;
  await writeProfile(sandbox, { ...site, forward });
  assert((await check(sandbox)).ok);
  await assert.rejects(Deno.lstat(path), Deno.errors.NotFound);
  await succeed(sandbox, START);
  assert.match(
    (await check(sandbox)).step("listen:back").detail,
    /home itself/,
  );
});

testWith(["sshd"], "a target whose name the server does not know", async () => {
  await using site = await startSite();
  const { sandbox, port } = site;
  const forward = `{ local: "127.0.0.1:${port}:no.i2p:80", name: no }`;
  await writeProfile(sandbox, { ...site, forward });
  const { detail, try: remedy } = (await check(sandbox)).step("target:no");
  assert.match(detail, /^no\.i2p:80: the server cannot find its address \(/);
  assert.match(remedy!, /the router's own proxies$/);
});

for (const by of ["sshd_config", "authorized_keys"] as const) {
  testWith(["sshd"], `a target that ${by} forbids`, async () => {
    await using allowed = startPage();
    const open = `127.0.0.1:${allowed.port}`;
    await using site = await startSite({
      sshd: by === "sshd_config" ? { config: `PermitOpen ${open}` } : {},
    });
    const { sandbox, sshd, port, page } = site;
    if (by === "authorized_keys") {
      const keys = await Deno.readTextFile(sshd.authorizedKeys);
      await Deno.writeTextFile(
        sshd.authorizedKeys,
        keys.replace(/^/, `permitopen="${open}" `),
      );
    }
    const good = `{ local: "${freePort()}:${open}", name: good }`;
    await writeProfile(sandbox, {
      ...site,
      forward: `${site.forward}\n      - ${good}`,
    });
    const result = await check(sandbox);
    assert.equal(result.code, 7);
    assert.match(
      result.names,
      /login listen:page target:page! listen:good target:good$/,
    );
    const { detail, try: remedy } = result.step("target:page");
    assert.match(detail, new RegExp(`127\\.0\\.0\\.1:${page.port}.* forbid`));
    assert.match(remedy!, /PermitOpen/);
    // a tunnel that is up says it to whoever looks why no page comes
    await succeed(sandbox, START);
    assert.equal(await get(port).catch(() => ""), "");
    const status = await succeed(sandbox, ["profile", "status"]);
    assert.match(status, /^ {2}! 127\.0\.0\.1:\d+.* forbid/m);
  });
}

testWith(["sshd", "ss"], "a local port that another program has", async () => {
  await using site = await startSite();
  const { sandbox, port } = site;
  using _taken = Deno.listen({ hostname: "127.0.0.1", port });
  const result = await check(sandbox);
  assert.equal(
    result.names,
    "config dns tcp ssh host-key login listen:page! target:page",
  );
  assert.equal(result.code, 7);
  const step = result.step("listen:page");
  assert.match(
    step.detail,
    new RegExp(`in use by \\S+ \\(pid ${Deno.pid}\\)$`),
  );
  await assertStartSays(sandbox, 7, step);
});

testWith(
  ["sshd"],
  "remote forwards: a port that is taken, and nobody here",
  async () => {
    await using site = await startSite();
    const { sandbox, page } = site;
    const free = freePort();
    const forward = [
      `{ remote: "127.0.0.1:${page.port}:127.0.0.1:${free}", name: taken }`,
      `{ remote: "${freePort()}:127.0.0.1:${page.port}", name: good }`,
    ].join("\n      - ");
    await writeProfile(sandbox, { ...site, forward });
    const result = await check(sandbox);
    assert.equal(
      result.names,
      "config dns tcp ssh host-key login listen:taken! target:taken! " +
        "listen:good target:good",
    );
    assert.match(result.step("listen:taken").detail, /refuses to listen/);
    assert.match(result.step("target:taken").cause!, /on this machine nothing/);
  },
);

testWith(["remote-host"], "no router runs there", async () => {
  const forwards = ["console", "http-proxy"].map(service);
  await withRouter(forwards, async (sandbox) => {
    const result = await check(sandbox);
    assert.equal(result.code, 7);
    assert.match(result.names, /target:console! .*target:http-proxy!$/);
    for (const name of ["target:console", "target:http-proxy"]) {
      assert.match(result.step(name).detail, /Connection refused/);
      assert.match(
        result.step(name).cause!,
        /no port of an I2P router answers/,
      );
      assert.match(result.step(name).try!, /systemctl status i2p/);
    }
  });
});

testWith(
  ["remote-host-with-i2pd"],
  "the port of the other router's console, and a service that is off",
  async () => {
    const forwards = ["console", "irc"].map(service);
    await withRouter(forwards, async (sandbox) => {
      const result = await check(sandbox);
      const { cause, try: remedy } = result.step("target:console");
      assert.match(cause!, /i2pd webconsole \S+ answers on 127\.0\.0\.1:7070/);
      assert.match(
        remedy!,
        /use the service i2pd-console instead of console: i2ptun discover home --add$/,
      );
      assert.match(
        result.step("target:irc").cause!,
        /the router runs .*but not its IRC$/,
      );
    }, { i2pd: true });
  },
);

testWith(["remote-host"], "a service at another address there", async () => {
  await withRouter([service("console")], async (sandbox, { address }) => {
    const result = await check(sandbox);
    const { cause, try: remedy } = result.step("target:console");
    assert.match(
      cause!,
      new RegExp(`listens on ${address}:7657 there, not on`),
    );
    assert.match(cause!, /I2P router console \(Java\) 2\.6\.0/);
    // what it says to write is right
    const forward = /(\{ local: .*?\})/.exec(remedy!)![1]!;
    await writeProfile(sandbox, { server: `root@${address}`, forward });
    const mended = await check(sandbox);
    assert(mended.ok, JSON.stringify(mended));
  }, {
    servers: (address) => ({
      [`${address}:7657`]: { answer: javaConsole("2.6.0") },
    }),
  });
});

testWith(
  ["remote-host"],
  "what answers: another program, the wrong time",
  async () => {
    const late = new Date(Date.now() - 10 * 60_000).toUTCString();
    const forwards = [
      ...["console", "http-proxy", "irc"].map(service),
      `{ local: "${freePort()}:127.0.0.1:7656", name: by-port }`,
    ];
    await withRouter(forwards, async (sandbox) => {
      const result = await check(sandbox);
      assert.match(
        result.names,
        / service:console service:http-proxy! service:irc service:by-port$/,
      );
      assert.equal(result.code, 7);
      const console = result.step("service:console");
      assert.equal(console.detail, "I2P router console (Java) 2.6.0");
      assert.match(console.cause!, /clock is 10 min behind/);
      const proxy = result.step("service:http-proxy");
      assert.equal(proxy.detail, "a web server (nginx)");
      assert.match(proxy.cause!, /not the HTTP proxy that has the port/);
      assert.match(result.step("service:irc").cause!, /until its far side/);
      assert.match(result.step("service:by-port").detail, /^SAM bridge 3\.3$/);
      const { stdout } = await sandbox.run(CHECK);
      assert.match(stdout, /^! service:console +I2P.*\n {4}cause: .*clock/m);
    }, {
      servers: () => ({
        "127.0.0.1:7657": {
          answer: javaConsole("2.6.0").replace(/Date: .*/, `Date: ${late}`),
        },
        "127.0.0.1:4444": {
          answer: "HTTP/1.1 404 Not Found\r\nServer: nginx\r\n\r\n",
        },
        "127.0.0.1:6668": { hangsUp: true },
        "127.0.0.1:7656": { answer: "HELLO REPLY RESULT=OK VERSION=3.3\n" },
      }),
    });
  },
);

testWith(["sshd"], "through a jump host, and where that ends", async () => {
  await using site = await startSite();
  const { sandbox, sshd } = site;
  await using jump = await startSshd();
  await jump.authorize(
    await Deno.readTextFile(`${sandbox.home}/.ssh/id_ed25519.pub`),
  );
  await sandbox.trust(jump);
  const more = `jump: [${jump.user}@localhost:${jump.port}]`;
  await sandbox.trust(jump, { host: "localhost", port: jump.port });
  await writeProfile(sandbox, { ...site, more });
  const result = await check(sandbox);
  const hop = "tcp ssh host-key login";
  assert.equal(
    result.names,
    `config dns ${hop} ${hop} listen:page target:page`,
    JSON.stringify(result.steps, undefined, 2),
  );
  const details = result.steps.slice(2, 10).map(({ detail }) => detail);
  assert(
    details.slice(0, 4).every((each) => each.includes("localhost")),
    `${details}`,
  );
  assert(
    details.slice(4).every((each) => each.includes(sshd.host)),
    `${details}`,
  );

  await sshd.stop();
  const away = await check(sandbox);
  assert.equal(away.names, `config dns ${hop} tcp! listen:page`);
  assert.equal(away.code, 4);
  assert.match(away.steps[6]!.detail, /Connection refused/);
  assert.match(away.steps[6]!.cause!, /from the jump host/);
});

testWith(["sshd"], "a jump host that may not be used as one", async () => {
  await using site = await startSite({
    sshd: { config: "AllowTcpForwarding no" },
  });
  const { sandbox, sshd, server } = site;
  const more = `jump: [${server}]`;
  await writeProfile(sandbox, { ...site, server: `${sshd.user}@h`, more });
  const step = (await check(sandbox)).steps.find(({ ok }) => !ok)!;
  assert.equal(step.step, "tcp");
  assert.match(step.detail, /^h:22: the jump host forbids it/);
  assert.match(step.try!, /^on the jump host, .*AllowTcpForwarding/);
  await assertStartSays(sandbox, 4, step);
});

testWith(["sshd"], "a keepalive that firewalls do not wait for", async () => {
  await using site = await startSite({
    profile: "keepalive: { interval: 10m, count: 2 }",
  });
  const result = await check(site.sandbox);
  assert(result.ok);
  assert.match(result.step("config").cause!, /only every 600 s.*drops/);
  const { stdout } = await site.sandbox.run(CHECK);
  assert.match(stdout, /^! config .*\n {4}cause: .*\n {4}try: keepalive/m);
  assert.match(stdout, /^home works, but see the warning above$/m);
});

testWith([], "Ctrl-C ends it", async () => {
  using server = serveHere({});
  await using sandbox = await Sandbox.create();
  await writeProfile(sandbox, {
    server: `127.0.0.1:${server.port}`,
    forward: "console",
  });
  const child = sandbox.spawn(CHECK);
  await child.waitFor(/tcp .*answers/);
  child.signal("SIGINT");
  assert.equal(await ended(child), 130);
});

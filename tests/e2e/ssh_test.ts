/** `i2ptun ssh`: OpenSSH's command line, as far as it is about tunnels. */
import assert from "node:assert/strict";
import { freePort } from "../support/ports.ts";
import { Sandbox } from "../support/program.ts";
import { testWith } from "../support/requirements.ts";
import { execute } from "../support/scratch.ts";
import { startSshd } from "../support/sshd.ts";
import {
  assertFails,
  assertNothingLeft,
  assertReadable,
  assertServes,
  isFree,
  type Site,
  startSite,
  statusOf,
  succeed,
  writeProfile,
} from "./setup.ts";

/** `-p PORT user@host` of the site's server. */
function toServer({ sshd }: Site): string[] {
  return ["-p", `${sshd.port}`, `${sshd.user}@${sshd.host}`];
}

/** `-L` for the site's page. */
function toPage({ port, page }: Site): string[] {
  return ["-L", `127.0.0.1:${port}:127.0.0.1:${page.port}`];
}

/** The name that `i2ptun ssh` gives to the site's server. */
function nameOf({ sshd }: Site): string {
  return `127.0.0.1-${sshd.port}`;
}

/** Runs an ssh command, calls `use` once it is up, and ends it with Ctrl-C. */
async function hold(
  { sandbox }: Site,
  args: string[],
  use: (said: string) => Promise<void> | void,
): Promise<void> {
  const child = sandbox.spawn(["ssh", ...args]);
  await child.stdout.waitFor(/ is up.*\n/);
  await use(child.output.text);
  child.signal("SIGINT");
  assert.equal(await child.exit, 130, child.output.text);
}

/** A port of 127.0.0.1, an address, or the path of a Unix socket. */
type Where = number | { hostname: string; port: number } | string;

/** Says this to whoever connects. @param at a path or an address */
function startGreeter(text: string, at = "127.0.0.1") {
  const listener = at.startsWith("/")
    ? Deno.listen({ transport: "unix", path: at })
    : Deno.listen({ hostname: at, port: 0 });
  const serving = (async () => {
    for await (const connection of listener as AsyncIterable<Deno.Conn>) {
      await connection.write(new TextEncoder().encode(text)).catch(() => {});
      connection.close();
    }
  })();
  return {
    path: at,
    port: "port" in listener.addr ? listener.addr.port : 0,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving;
    },
  };
}

/** All that is said to whoever connects there. */
async function read(where: Where): Promise<string> {
  const connection = typeof where === "string"
    ? await Deno.connect({ transport: "unix", path: where })
    : await Deno.connect(
      typeof where === "number"
        ? { hostname: "127.0.0.1", port: where }
        : where,
    );
  return await new Response(connection.readable).text();
}

/** curl(1) with these options. @returns its output */
function curl(...options: string[]): Promise<string> {
  return execute("curl", [
    ...["-sS", "--globoff", "--noproxy", "", "--max-time", "10"],
    ...options,
  ]);
}

testWith(["sshd"], "the server, in every way to name it", async (context) => {
  await using site = await startSite();
  const { sandbox, sshd, port } = site;
  const { user } = sshd;
  const at = `${sshd.port}`;
  const forward = toPage(site);
  const config = `${sandbox.home}/a config`;
  const other = await sandbox.key({ file: "other" });
  await Deno.writeTextFile(
    config,
    `Host by-file\n  HostName 127.0.0.1\n  Port ${at}\n  User ${user}\n` +
      `  UserKnownHostsFile ${sandbox.knownHosts}\n`,
  );
  await Deno.writeTextFile(
    `${sandbox.home}/.ssh/config`,
    `Host by-config\n  HostName 127.0.0.1\n  Port ${at}\n  User ${user}\n` +
      `  LocalForward 127.0.0.1:${port} 127.0.0.1:${site.page.port}\n`,
  );
  const lines: string[][] = [
    ["-p", at, `${user}@127.0.0.1`, ...forward],
    [`-p${at}`, "-l", user, ...forward, "127.0.0.1"],
    [...forward, `ssh://${user}@127.0.0.1:${at}`],
    [...forward, "-o", `Port=${at}`, "-o", `User ${user}`, "127.0.0.1"],
    [...forward, "-o", `hostname=127.0.0.1`, "-p", at, `${user}@nowhere`],
    ["-NTl", user, "-p", at, `-L${forward[1]}`, "--", "127.0.0.1"],
    ["-F", config, ...forward, "by-file"],
    ["by-config"],
  ];
  for (const line of lines) {
    await context.step(line.join(" "), async () => {
      await hold(site, line, () => assertServes(site));
      assert(isFree(port));
    });
  }
  await context.step("-F none leaves out all files", async () => {
    const line = ["-F", "none", ...forward, "by-config"];
    const result = await sandbox.run(["ssh", ...line]);
    assertFails(result, 4, /cannot find the address of by-config/);
  });
  await context.step("-i", async () => {
    await Deno.writeTextFile(sshd.authorizedKeys, "");
    await sshd.authorize(other.publicLine);
    const line = [...forward, ...toServer(site)];
    assertFails(await sandbox.run(["ssh", ...line]), 5, /refused/);
    for (const key of [["-i", other.path], ["-i~/.ssh/other"]]) {
      await hold(site, [...key, ...line], () => assertServes(site));
    }
  });
});

testWith(["sshd", "curl"], "every form of forward at once", async () => {
  await using site = await startSite();
  const { sandbox, page } = site;
  await using far = startGreeter("tcp");
  await using far6 = startGreeter("tcp6", "::1");
  await using farUnix = startGreeter("unix", `${sandbox.home}/far`);
  const ports = Array.from({ length: 8 }, freePort) as number[];
  const [any, bound, six, both, socks, back, backSocks, backAll] = ports;
  const sockets = ["a", "b", "c"].map((name) => `${sandbox.home}/${name}`);
  const [near, nearUnix, backUnix] = sockets;
  const to = `127.0.0.1:${far.port}`;
  const said = await succeed(sandbox, [
    ...["ssh", "-f", "-N"],
    ...["-L", `${any}:${to}`],
    ...["-L", `127.0.0.1:${bound}:[::1]:${far6.port}`],
    `-L[::1]:${six}:localhost:${far.port}`,
    ...["-L", `localhost:${both}:${farUnix.path}`],
    ...["-L", `${near}:${to}`],
    ...["-L", `${nearUnix}:${farUnix.path}`],
    ...["-D", `[::1]:${socks}`],
    ...["-R", `${back}:${to}`],
    ...["-R", `127.0.0.1:${backAll}:${farUnix.path}`],
    ...["-R", `${backUnix}:[::1]:${far6.port}`],
    ...["-R", `${backSocks}`],
    ...["-R", `0:${to}`],
    ...toServer(site),
  ]);
  const texts: [Where, string][] = [
    [any!, "tcp"],
    [{ hostname: "::1", port: any! }, "tcp"],
    [bound!, "tcp6"],
    [{ hostname: "::1", port: six! }, "tcp"],
    [both!, "unix"],
    [{ hostname: "::1", port: both! }, "unix"],
    [near!, "tcp"],
    [nearUnix!, "unix"],
    [back!, "tcp"],
    [backAll!, "unix"],
    [backUnix!, "tcp6"],
  ];
  for (const [where, text] of texts) {
    assert.equal(await read(where), text, JSON.stringify(where));
  }
  for (const proxy of [`[::1]:${socks}`, `127.0.0.1:${backSocks}`]) {
    const url = `http://localhost:${page.port}/`;
    assert.equal(await curl("--socks5-hostname", proxy, url), page.text);
  }
  assert(!isFree(bound!) && isFree(six!), "no more than was asked for");
  for (const socket of [near!, nearUnix!]) {
    assert.equal((await Deno.lstat(socket)).mode! & 0o777, 0o600);
  }

  // the port that the server has chosen
  const status = await statusOf(sandbox, nameOf(site));
  const chosen = status.forwards.at(-1)!;
  assert.equal(chosen.kind, "remote");
  const [, port] = /:(\d+)$/.exec(chosen.listen[0]!)!;
  assert.notEqual(port, "0");
  assert.equal(await read(Number(port)), "tcp");
  assert(said.includes(chosen.listen[0]!), said);

  assert.deepEqual(status.forwards.map(({ kind }) => kind), [
    ...Array(6).fill("local"),
    "dynamic",
    ...Array(5).fill("remote"),
  ]);
  await succeed(sandbox, ["profile", "stop", nameOf(site)]);
  await assertNothingLeft(sandbox, ...ports, Number(port));
  for (const socket of [near!, nearUnix!]) {
    await assert.rejects(Deno.lstat(socket), Deno.errors.NotFound);
  }
});

testWith(["sshd"], "flags, combined and alone", async (context) => {
  await using site = await startSite();
  const { sandbox, port } = site;
  const [flag, spec] = toPage(site);
  const server = toServer(site);
  for (
    const line of [
      ["-NT", "-o", "ServerAliveInterval=60", "-oExitOnForwardFailure=yes"],
      ["-nqNTxak4C", "-v", "-o", "LogLevel=QUIET"],
      ["-vv", "-o", "Compression no", "-o", "TCPKeepAlive=yes"],
    ]
  ) {
    await context.step(line.join(" "), async () => {
      await hold(
        site,
        [...line, flag!, spec!, ...server],
        () => assertServes(site),
      );
    });
  }
  for (const line of [["-fTNL", spec!], ["-NTf", `-L${spec}`]]) {
    await context.step(line.join(" "), async () => {
      await succeed(sandbox, ["ssh", ...line, ...server]);
      await assertServes(site);
      await succeed(sandbox, ["profile", "stop", nameOf(site)]);
      await assertNothingLeft(sandbox, port);
    });
  }
  await context.step("-g: others may connect, and are named", async () => {
    const line = ["-g", "-L", `${port}:127.0.0.1:${site.page.port}`];
    await hold(site, [...line, ...server], async (said) => {
      assert.match(said, /^warning: .*can be used by everyone who can reach/m);
      await assertServes(site);
      (await Deno.connect({ hostname: "::1", port })).close();
      const { listen } = (await statusOf(sandbox, nameOf(site))).forwards[0]!;
      assert.match(listen[0]!, /^(0\.0\.0\.0|\[::\]):\d+$/);
    });
  });
});

testWith(["sshd"], "-q keeps warnings to itself", async () => {
  await using site = await startSite();
  const line = ["-gqL", `${site.port}:127.0.0.1:${site.page.port}`];
  await hold(site, [...line, ...toServer(site)], async (said) => {
    assert.doesNotMatch(said, /warning|info/);
    await assertServes(site);
  });
});

testWith(["sshd"], "files that are not there", async () => {
  await using site = await startSite();
  const { sandbox } = site;
  const line = [...toPage(site), ...toServer(site)];
  await hold(site, ["-i", "~/missing", ...line], async (said) => {
    assert.match(said, /^warning: there is no key file ~\/missing$/m);
    await assertServes(site);
  });
  assertFails(
    await sandbox.run(["ssh", "-F", "missing", ...line]),
    2,
    /there is no ssh_config file .*missing$/,
  );
  await writeProfile(sandbox, { ...site, more: "ssh_config: ~/missing" });
  assertFails(
    await sandbox.run(["profile", "start", "home"]),
    2,
    /there is no ssh_config file .*missing$/,
  );
  // where ssh looks for one without being told, there need not be one
  await writeProfile(sandbox, { ...site, more: "ssh_config: ~/.ssh/config" });
  await succeed(sandbox, ["profile", "start", "home"]);
});

testWith(["sshd"], "a forward that is said twice is one", async () => {
  await using site = await startSite();
  const { sandbox, port, page } = site;
  await Deno.writeTextFile(
    `${sandbox.home}/.ssh/config`,
    `Host *\n  LocalForward 127.0.0.1:${port} 127.0.0.1:${page.port}\n`,
  );
  const [flag, spec] = toPage(site);
  const line = [flag!, spec!, ...toServer(site)];
  await hold(site, [flag!, spec!, ...line], async () => {
    await assertServes(site);
    const { forwards } = await statusOf(sandbox, nameOf(site));
    assert.equal(forwards.length, 1);
  });
  assertFails(
    await sandbox.run(["ssh", "-D", `127.0.0.1:${port}`, ...line]),
    2,
    new RegExp(`another forward already listens on 127.0.0.1:${port}`),
  );
});

testWith(["sshd"], "-4 and -6", async () => {
  await using sandbox = await Sandbox.create();
  await using sshd = await startSshd({ host: "::1" });
  await using greeter = startGreeter("six");
  await sshd.authorize((await sandbox.key()).publicLine);
  await sandbox.trust(sshd);
  const port = freePort();
  const line = [
    ...["-L", `${port}:127.0.0.1:${greeter.port}`],
    ...["-p", `${sshd.port}`, `${sshd.user}@::1`],
  ];
  const four = await sandbox.run(["ssh", "-4", ...line]);
  assertFails(four, 2, /::1 is no IPv4 address/);
  await succeed(sandbox, ["ssh", "-f6", ...line]);
  assert.equal(await read(port), "six");
});

testWith(["sshd"], "-J goes through each jump host", async () => {
  await using site = await startSite();
  const { sandbox, sshd } = site;
  await using first = await startSshd();
  await using second = await startSshd();
  for (const jump of [first, second]) {
    await sandbox.trust(jump);
    await jump.authorize(await Deno.readTextFile(sshd.authorizedKeys));
  }
  const hops = [first, second].map(({ user, port }) =>
    `${user}@127.0.0.1:${port}`
  );
  const line = ["-J", hops.join(), ...toPage(site), ...toServer(site)];
  await hold(site, line, () => assertServes(site));
  for (const server of [first, second, sshd]) {
    assert.match(server.log(), /Accepted publickey/);
  }
});

testWith(["sshd"], "StrictHostKeyChecking", async () => {
  await using site = await startSite();
  const { sandbox, sshd } = site;
  await Deno.remove(sandbox.knownHosts);
  const line = [...toPage(site), ...toServer(site)];
  const checking = (value: string) => ["-o", `StrictHostKeyChecking=${value}`];
  const unknown = await sandbox.run(["ssh", ...line]);
  assertFails(unknown, 6, /unknown/);
  assert.match(
    unknown.stderr,
    /^try: start it .* add -o StrictHostKeyChecking=accept-new$/m,
  );
  assertFails(await sandbox.run(["ssh", ...checking("yes"), ...line]), 6, /./);
  await hold(site, [...checking("accept-new"), ...line], async () => {
    await assertServes(site);
    const known = await Deno.readTextFile(sandbox.knownHosts);
    assert(known.includes(sshd.hostKeys[0]!.publicLine), known);
  });
  const elsewhere = `${sandbox.home}/known hosts`;
  await Deno.rename(sandbox.knownHosts, elsewhere);
  const quoted = ["-o", `UserKnownHostsFile="${elsewhere}"`];
  await hold(
    site,
    [...quoted, ...checking("yes"), ...line],
    () => assertServes(site),
  );
  // never a changed one
  await using changed = await startSshd({ port: freePort() });
  await Deno.writeTextFile(sandbox.knownHosts, "");
  await sandbox.trust(changed, sshd);
  const refused = await sandbox.run([
    ...["ssh", ...checking("accept-new"), ...line],
  ]);
  assertFails(refused, 6, /changed/);
  await assertNothingLeft(sandbox, site.port);
});

testWith(["sshd"], "in the foreground until it is told to end", async () => {
  await using site = await startSite();
  const { sandbox, port } = site;
  const line = ["ssh", ...toPage(site), ...toServer(site)];
  for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 0]] as const) {
    const child = sandbox.spawn(line);
    await child.stdout.waitFor(/ is up/);
    await assertServes(site);
    assert.equal((await statusOf(sandbox, nameOf(site))).pid, child.pid);
    child.signal(signal);
    assert.equal(await child.exit, code, child.output.text);
    assertReadable({ code, stdout: "", stderr: child.output.text });
    await assertNothingLeft(sandbox, port);
  }
  // and by its name
  const child = sandbox.spawn(line);
  await child.stdout.waitFor(/ is up/);
  await succeed(sandbox, ["profile", "stop", nameOf(site)]);
  assert.equal(await child.exit, 0);
});

testWith(["sshd"], "with -f it is a profile of its own", async () => {
  await using site = await startSite();
  const { sandbox, sshd, server } = site;
  const name = nameOf(site);
  const said = await succeed(sandbox, [
    ...["ssh", "-f", ...toPage(site), ...toServer(site)],
  ]);
  assert(said.startsWith(`${name} is up`), said);
  assert(said.includes(`127.0.0.1:${site.port}`), said);
  await assertServes(site);
  const all = JSON.parse(
    await succeed(sandbox, ["profile", "status", "--json"]),
  );
  const mine = all.profiles.find((each: { name: string }) =>
    each.name === name
  );
  assert.equal(mine.state, "up");
  assert.equal(mine.server, server);
  assert.match(await succeed(sandbox, ["profile", "logs", name]), /up/);

  // a second one to the same server gets another name
  const port = freePort();
  const second = await succeed(sandbox, [
    ...["ssh", "-f", "-D", `${port}`, ...toServer(site)],
  ]);
  assert(second.startsWith(`${name}-2 is up`), second);
  await succeed(sandbox, ["profile", "stop", name]);
  assert(isFree(site.port) && !isFree(port));
  await succeed(sandbox, ["profile", "stop", `${name}-2`]);
  await assertNothingLeft(sandbox, site.port, port);

  // nor is the name of a profile taken
  await sandbox.writeProfiles(
    `profiles: { "${name}": { server: h, forwards: [console] } }\n`,
  );
  const third = await succeed(sandbox, [
    ...["ssh", "-f", ...toPage(site), ...toServer(site)],
  ]);
  assert(third.startsWith(`${name}-2 is up`), third);

  // it reconnects like any other
  assert(sshd.killConnections() > 0);
  await assertServes(site);
});

testWith(["sshd"], "who has the lock has the name", async () => {
  await using site = await startSite();
  const { sandbox, sshd } = site;
  const name = nameOf(site);
  // as one that has just begun, and has no record yet
  const run = `${sandbox.home}/state/run`;
  sandbox.env.I2PTUN_STATE_DIR = `${sandbox.home}/state`;
  await Deno.mkdir(run, { recursive: true });
  using lock = await Deno.open(`${run}/${name}.lock`, {
    create: true,
    write: true,
  });
  await lock.lock(true);
  const line = (port: number) => [
    ...["ssh", "-f", "-D", `${port}`, ...toServer(site)],
  ];
  const ports = [freePort(), freePort(), freePort()];
  const said = await Promise.all(
    ports.map((port) => succeed(sandbox, line(port))),
  );
  const names = said.map((text) => text.split(" is up")[0]);
  assert.deepEqual(names.sort(), [2, 3, 4].map((i) => `${name}-${i}`));
  for (const port of ports) assert(!isFree(port));
  assert.equal(sshd.connections().length, 3);
  await hold(
    site,
    [...toPage(site), ...toServer(site)],
    () => assertServes(site),
  );
  await succeed(sandbox, ["profile", "stop", "--all"]);
  await assertNothingLeft(sandbox, ...ports);
});

testWith(["sshd"], "a refused login names no profile", async () => {
  await using site = await startSite();
  const { sandbox, sshd } = site;
  await Deno.writeTextFile(sshd.authorizedKeys, "");
  for (const mode of [[], ["-f"]]) {
    const result = await sandbox.run([
      ...["ssh", ...mode, ...toPage(site), ...toServer(site)],
    ]);
    assertFails(result, 5, /the password needs you$/);
    assert.match(
      result.stderr,
      /^try: start it in a terminal to be asked for the password$/m,
    );
  }
  await assertNothingLeft(sandbox, site.port);
});

Deno.test("what it cannot do it says", async () => {
  await using sandbox = await Sandbox.create();
  for (
    const [line, error] of [
      ["-L 1:h:2", /the server is missing/],
      ["host", /nothing to forward/],
      ["-N host", /nothing to forward/],
      ["-L 8080:h:80 host uptime -p", /no command on the server: uptime -p/],
      ["-A -D 1080 host", /does not forward the agent/],
      ["-X -D 1080 host", /-X: i2ptun has nothing like it/],
      ["-t -D 1080 host", /-t: i2ptun has nothing like it/],
      ["-W h:80 host", /-W h:80: i2ptun has nothing like it/],
      ["-w 0:0 -D 1080 host", /-w 0:0: i2ptun has nothing like it/],
      ["-Z -D 1080 host", /ssh has no option -Z/],
      ["-D", /-D needs a value/],
      ["-D 1080 -o nonsense host", /-o nonsense: not of the form/],
      ["-L 8080 host", /forward "8080"/],
      ["-L 8080:h:0 host", /forward "8080:h:0"/],
      ["-D 99999 host", /99999/],
      ["-D 1080 user@", /./],
      ["-D 1080 -p 0 host", /./],
      ["-D 1080 -o ProxyCommand=nc host", /ProxyCommand/],
    ] as const
  ) {
    assertFails(await sandbox.run(["ssh", ...line.split(" ")]), 2, error);
  }
  await assertNothingLeft(sandbox);
});

/** Checks that a line fails with and without -f, and leaves nothing. */
async function assertRefused(
  site: Site,
  forwards: string[],
  error: RegExp,
): Promise<void> {
  const { sandbox, port } = site;
  for (const mode of [[], ["-f"]]) {
    const result = await sandbox.run([
      ...["ssh", ...mode, ...toPage(site), ...forwards, ...toServer(site)],
    ]);
    assertFails(result, 7, error);
    await assertNothingLeft(sandbox, port);
    const { profiles } = JSON.parse(
      await succeed(sandbox, ["profile", "status", "--json"]),
    );
    assert(profiles.every((each: { state: string }) => each.state !== "up"));
  }
}

testWith(
  ["sshd", "ss"],
  "nothing is left if a local port is taken",
  async () => {
    await using site = await startSite();
    using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = taken.addr;
    const error = new RegExp(
      `port ${port} is already in use by \\S+ \\(pid ${Deno.pid}\\)`,
    );
    await assertRefused(site, ["-L", `127.0.0.1:${port}:h:1`], error);
    await assertRefused(site, ["-D", `127.0.0.1:${port}`], error);
    await assertRefused(
      site,
      ["-L", `192.0.2.1:${freePort()}:h:1`],
      /this machine has no address 192\.0\.2\.1/,
    );
  },
);

testWith(["sshd"], "nothing is left if a socket is taken", async () => {
  await using site = await startSite();
  await using taken = startGreeter("", `${site.sandbox.home}/taken`);
  await assertRefused(site, ["-L", `${taken.path}:h:1`], /taken/);
  assert.equal((await Deno.lstat(taken.path)).isSocket, true);
});

testWith(["sshd"], "nothing is left if the server refuses", async (context) => {
  const cases: [name: string, config: string][] = [
    ["AllowTcpForwarding", "AllowTcpForwarding local"],
    ["PermitListen", "PermitListen 127.0.0.1:1"],
    ["a port in use there", ""],
  ];
  for (const [name, config] of cases) {
    await context.step(name, async () => {
      await using site = await startSite({ sshd: { config } });
      const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      using _four = taken;
      const { port } = taken.addr;
      const remote = ["-R", `127.0.0.1:${port}:h:1`];
      await assertRefused(
        site,
        remote,
        new RegExp(`the server refuses to listen on 127.0.0.1:${port}`),
      );
    });
  }
});

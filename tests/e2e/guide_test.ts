/**
 * Every command of docs/guide.md, and every ssh line of guides to tunnels, run
 * as they stand; only the user of the server is another.
 */
import assert from "node:assert/strict";
import { testWith } from "../support/requirements.ts";
import {
  GATEWAY,
  type PrivateNetwork,
  startPrivateNetwork,
} from "./private_network.ts";
import { testUser } from "../support/test_user.ts";
import { assertNothingLeft, type Status } from "./setup.ts";

const GUIDE = Deno.readTextFileSync(
  new URL("../../docs/guide.md", import.meta.url),
);

/** All commands of the guide. */
const LINES = blocksOf("sh").join("").split("\n").filter(Boolean);

/** What a person has to end with Ctrl-C says so. */
const UNTIL_CTRL_C = / # until Ctrl-C$/;

/** So does what asks on the terminal. */
const ASKING = / # asks for .*$/;

/** The fenced blocks of the guide in a language. */
function blocksOf(language: string): string[] {
  const fence = new RegExp("^```" + language + "\\n(.*?)^```$", "gms");
  return [...GUIDE.matchAll(fence)].map((match) => match[1]!);
}

/** The guides' users do not exist here. */
function asUser(line: string, { sshd }: PrivateNetwork): string {
  return line.replace(/\b(?:i2p|user)@/g, `${sshd.user}@`);
}

/** Runs a line of the guide that ends by itself. @returns what it said */
async function runLine(
  line: string,
  network: PrivateNetwork,
  input = "",
): Promise<string> {
  await using child = network.spawnLine(line);
  if (input) await child.write(input);
  await child.closeInput();
  const code = await child.exit;
  await child.drained;
  assert.equal(code, 0, `${line}: exit ${code}\n${child.output.text}`);
  return child.stdout.text;
}

/** Starts a line, waits until it is up, calls `use`, ends it with a signal. */
async function holdLine(
  line: string,
  network: PrivateNetwork,
  { signal, code }: { signal: Deno.Signal; code: number },
  use: (said: string) => Promise<void>,
): Promise<void> {
  await using child = network.spawnLine(line);
  await child.stdout.waitFor(/ is up/);
  await use(child.stdout.text);
  child.signal(signal);
  assert.equal(await child.exit, code, child.output.text);
}

const CTRL_C = { signal: "SIGINT", code: 130 } as const;

/** Gets a page through every forward of what a start said is up. */
async function checkForwards(
  said: string,
  network: PrivateNetwork,
): Promise<string[]> {
  const [, name] = /^(\S+) is up/m.exec(said)!;
  const { stdout } = await network.run(
    ...["near", "i2ptun", "profile", "status", name!, "--json"] as const,
  );
  const [status]: Status[] = JSON.parse(stdout).profiles;
  for (const { kind, listen, target } of status!.forwards) {
    assert(listen.length > 0);
    const port = Number(/\d+$/.exec(target ?? "7657")![0]);
    for (const address of listen) {
      if (kind === "dynamic") {
        const proxies = [["--socks5-hostname", address], ["--proxy", address]];
        for (const proxy of proxies) {
          const page = await network.fetch("near", URL_BEYOND, ...proxy);
          assert.equal(page, network.page("far", 7657));
        }
        continue;
      }
      const [from, to] = kind === "local"
        ? ["near", "far"] as const
        : ["far", "near"] as const;
      const page = await network.fetch(from, `http://${address}/`);
      assert.equal(page, network.page(to, port), `${kind} ${address}`);
    }
  }
  return status!.forwards.map(({ kind }) => kind);
}

/** The console, as the server itself sees it. */
const URL_BEYOND = "http://localhost:7657/";

testWith(["remote-host", "curl"], "every command of the guide", async () => {
  await using network = await startPrivateNetwork();
  await using _far = await network.servePages("far", [7657, 7658, 4444]);
  await using _near = await network.servePages("near", [8000]);
  const lines = LINES.filter((line) => !ASKING.test(line));
  assert(lines.length > 30);
  const kinds: string[] = [];
  for (const written of lines) {
    assert.match(written, /^i2ptun /);
    const line = asUser(written, network);
    if (UNTIL_CTRL_C.test(line)) {
      await holdLine(line, network, CTRL_C, async (said) => {
        kinds.push(...await checkForwards(said, network));
      });
      continue;
    }
    const said = await runLine(line, network);
    if (/^i2ptun (profile start|ssh) /.test(line)) {
      kinds.push(...await checkForwards(said, network));
    }
  }
  assert.deepEqual([...new Set(kinds)].sort(), ["dynamic", "local", "remote"]);
  assert.match(network.jump.log(), /Accepted publickey/);
  // whoever has followed the guide to its end has stopped everything
  await assertNothingLeft(network.sandbox);
});

testWith(
  ["remote-host", "test-user"],
  "the guide's way from a password to a key",
  async () => {
    await using user = await testUser();
    const config = "AuthorizedKeysFile .ssh/authorized_keys";
    await using network = await startPrivateNetwork(config);
    const { sandbox } = network;
    for (const file of ["id_ed25519", "id_ed25519.pub"]) {
      await Deno.remove(`${sandbox.home}/.ssh/${file}`);
    }
    const [add] = /^i2ptun profile add home .*$/m.exec(GUIDE)!;
    await runLine(add.replace("i2p@", `${user.name}@`), network);
    const secrets = { passphrase: "", password: user.password };
    const lines = LINES.filter((line) => ASKING.test(line));
    assert.equal(lines.length, 2);
    for (const line of lines) {
      const [, secret] = / # asks for \w+ (\w+)$/.exec(line)!;
      const input = secrets[secret as keyof typeof secrets];
      const option = input ? "--password-stdin" : "--no-passphrase";
      const command = line.replace(ASKING, ` ${option}`);
      await runLine(command, network, input && `${input}\n`);
    }
    // nobody is asked any more
    await runLine("i2ptun profile start home", network);
    await runLine("i2ptun profile stop home", network);
    await assertNothingLeft(sandbox);
  },
);

testWith(
  ["remote-host", "curl"],
  "the guide's unit for systemd: what it runs, and how it ends",
  async () => {
    const [unit] = blocksOf("ini");
    const [, command] = /^ExecStart=\/usr\/local\/bin\/(.*)$/m.exec(unit!)!;
    await using network = await startPrivateNetwork();
    await using _far = await network.servePages("far", [7657]);
    const [add] = /^i2ptun profile add home .*$/m.exec(GUIDE)!;
    await runLine(asUser(add, network), network);
    const ended = { signal: "SIGTERM", code: 0 } as const;
    await holdLine(command!, network, ended, async (said) => {
      await checkForwards(said, network);
    });
    await assertNothingLeft(network.sandbox);
  },
);

testWith(["remote-host"], "the guide's lines for profiles.yaml", async () => {
  await using network = await startPrivateNetwork();
  const [add] = /^i2ptun profile add home .*$/m.exec(GUIDE)!;
  await runLine(add, network);
  const { profiles } = network.sandbox;
  const [lines] = blocksOf("yaml");
  await Deno.writeTextFile(profiles, `    ${lines}`, { append: true });
  const shown = JSON.parse(
    await runLine("i2ptun profile show home --as json", network),
  );
  assert.deepEqual(shown.keepalive, { intervalMs: 5000, count: 3 });
});

testWith(
  ["remote-host", "curl", "ss"],
  "what the guide says that errors say",
  async () => {
    await using network = await startPrivateNetwork();
    const { sandbox, sshd } = network;
    const ssh = async (...args: string[]) => {
      const { stderr } = await network.run("near", "i2ptun", "ssh", ...args);
      return stderr;
    };
    const to = `${sshd.user}@20.228.143.58`;
    const console = ["-L", "7657:127.0.0.1:7657"];
    const said: Record<string, string> = {};
    {
      await using _taken = await network.servePages("near", [7657]);
      said["port 7657 is already in use"] = await ssh(...console, to);
      await using _there = await network.servePages("far", [9000]);
      const refused = await ssh("-R", "9000:127.0.0.1:8000", to);
      said["the server refuses to listen"] = refused;
    }
    said["refused the connection"] = await ssh(...console, `${to}:2222`);
    said["was refused"] = await ssh(...console, "-F", "none", "nobody@" + to);

    await runLine(`i2ptun ssh -f ${console.join(" ")} ${to}`, network);
    await assert.rejects(network.fetch("near", "http://127.0.0.1:7657/"));
    const log = await runLine("i2ptun profile logs 20.228.143.58", network);
    said["nothing answers there (Connection refused)"] = log;
    await runLine("i2ptun profile stop 20.228.143.58", network);
    await assertNothingLeft(sandbox);

    for (const [quoted, text] of Object.entries(said)) {
      assert(GUIDE.includes(`\`${quoted}\``), quoted);
      assert(text.includes(quoted), `${quoted}\n${text}`);
    }
  },
);

/** Where which page of the other side is, while a line runs. */
interface Expected {
  /** Seen by the user. */
  near?: Record<string, number>;
  /** Seen on the server. */
  far?: Record<string, number>;
  /** curl's options for `near`. */
  proxy?: string[];
}

const CONSOLE = { near: { "127.0.0.1:7657": 7657 } };

/** As guides have them. */
const SSH_LINES: [line: string, Expected][] = [
  ["ssh -L 7657:127.0.0.1:7657 i2p@20.228.143.58", CONSOLE],
  ["ssh -f -N -L 7657:127.0.0.1:7657 i2p@20.228.143.58", CONSOLE],
  ["ssh -L 7657:127.0.0.1:7657 user@remote-server", CONSOLE],
  [
    "ssh -L 7657:127.0.0.1:7657 -L 7658:127.0.0.1:7658 user@remote-server",
    { near: { "127.0.0.1:7657": 7657, "127.0.0.1:7658": 7658 } },
  ],
  [
    "ssh -L 8080:127.0.0.1:7657 user@remote-server",
    { near: { "127.0.0.1:8080": 7657 } },
  ],
  [
    "ssh -D 8080 user@remote-server",
    {
      near: { "127.0.0.1:7657": 7657 },
      proxy: ["--socks5", "127.0.0.1:8080"],
    },
  ],
  [
    "ssh -R 7657:127.0.0.1:7657 user@remote-server",
    { far: { "127.0.0.1:7657": 7657 } },
  ],
  [
    "ssh -J jumphost.example.com -L 7657:127.0.0.1:7657 user@final-server",
    CONSOLE,
  ],
  [
    "/usr/bin/ssh -NT -o ServerAliveInterval=60 -o ExitOnForwardFailure=yes -L 7657:127.0.0.1:7657 i2p@20.228.143.58",
    CONSOLE,
  ],
  [
    `ssh -fTNL ${GATEWAY}:4444:127.0.0.1:4444 -L ${GATEWAY}:7657:127.0.0.1:7657 i2p@20.228.143.58`,
    { near: { [`${GATEWAY}:4444`]: 4444, [`${GATEWAY}:7657`]: 7657 } },
  ],
  [
    "ssh -fTNL 4444:127.0.0.1:4444 -L 7657:127.0.0.1:7657 i2p@20.228.143.58",
    { near: { "127.0.0.1:4444": 4444, "127.0.0.1:7657": 7657 } },
  ],
];

testWith(["remote-host", "curl"], "ssh lines of guides", async (context) => {
  await using network = await startPrivateNetwork();
  for (const [written, expected] of SSH_LINES) {
    await context.step(written, async () => {
      const line = asUser(written, network)
        .replace(/^(?:\/usr\/bin\/)?ssh /, "i2ptun ssh ");
      await using _pages = expected.far
        ? await network.servePages("near", [7657])
        : await network.servePages("far", [7657, 7658, 4444]);
      const { near = {}, far = {}, proxy = [] } = expected;
      const check = async () => {
        for (const [address, port] of Object.entries(near)) {
          const url = `http://${address}/`;
          const page = await network.fetch("near", url, ...proxy);
          assert.equal(page, network.page("far", port));
        }
        for (const [address, port] of Object.entries(far)) {
          const page = await network.fetch("far", `http://${address}/`);
          assert.equal(page, network.page("near", port));
        }
      };
      if (!/ -f/.test(line)) {
        return await holdLine(line, network, CTRL_C, check);
      }
      const said = await runLine(line, network);
      await check();
      const [, name] = /^(\S+) is up/m.exec(said)!;
      assert.equal(name, "20.228.143.58");
      await runLine(`i2ptun profile stop ${name}`, network);
    });
  }
  assert.match(network.jump.log(), /Accepted publickey/);
  await context.step("a command on the server is ssh's", async () => {
    const { code, stderr } = await network.run(
      ...["near", "i2ptun", "ssh"] as const,
      ...["user@remote-server", "systemctl status i2p"],
    );
    assert.equal(code, 2);
    assert.match(stderr, /runs no command on the server: systemctl status i2p/);
  });
  await assertNothingLeft(network.sandbox);
});

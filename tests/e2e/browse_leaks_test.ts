/**
 * Real browsers, started by `browse`, and a page that tries to get past the
 * proxy. Their machine has a way out, with a name server and someone who listens
 * at the end of it, and nothing may arrive there.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { Child } from "../support/child.ts";
import { findProgram, testWith } from "../support/requirements.ts";
import { execute } from "../support/scratch.ts";
import { Transcript } from "../support/transcript.ts";
import { CONSOLE_PORT, DNS_SERVER, LOCAL_PORT, TRAP } from "./outside_world.ts";
import {
  type PrivateNetwork,
  SERVER,
  type Side,
  startPrivateNetwork,
} from "./private_network.ts";

/** The programs, and how they run without a screen, as root. */
const BROWSERS = {
  firefox: ["firefox-esr", "--headless"],
  chromium: [
    "chromium",
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--password-store=basic",
  ],
} as const;

type Name = keyof typeof BROWSERS;

/** A private network with an outside world. */
interface World extends AsyncDisposable {
  network: PrivateNetwork;
  /** What reached anybody, or left the user's machine. */
  heard: Transcript;
  /** Starts servers of outside_world.ts. */
  start(side: Side, ...servers: string[]): Promise<Child>;
}

async function startWorld(browser: Name): Promise<World> {
  await using stack = new AsyncDisposableStack();
  const network = stack.use(await startPrivateNetwork());
  const { sandbox } = network;
  const children = stack.use(new AsyncDisposableStack());
  const heard = new Transcript("what was heard");
  const run = async (side: Side, command: string, ...args: string[]) => {
    const namespace = await netns(side);
    const child = children.use(
      new Child("ip", ["netns", "exec", namespace, command, ...args], {
        log: heard,
        env: sandbox.env,
      }),
    );
    await child.waitFor(/^ready$/m);
    return child;
  };
  const netns = async (side: Side) =>
    (await network.run(side, "ip", "netns", "identify")).stdout.trim();
  const ip = async (side: Side, ...args: string[]) =>
    await execute("ip", ["-n", await netns(side), ...args]);

  for (const address of [TRAP, DNS_SERVER]) {
    await ip("far", "addr", "add", `${address}/24`, "dev", "eth0");
  }
  await ip("near", "route", "add", "default", "via", SERVER);
  // ip-netns(8): what is there stands for /etc in the namespace
  const etc = `/etc/netns/${await netns("near")}`;
  await Deno.mkdir(etc, { recursive: true });
  stack.defer(() => Deno.remove(etc, { recursive: true }));
  await Deno.writeTextFile(
    `${etc}/resolv.conf`,
    `nameserver ${DNS_SERVER}\n`,
  );

  const script = fileURLToPath(new URL("outside_world.ts", import.meta.url));
  const start = (side: Side, ...servers: string[]) =>
    run(side, Deno.execPath(), "run", "-q", "--allow-net", script, ...servers);
  await start(
    ...["far", `trap:${TRAP}`, `dns:${DNS_SERVER}`] as const,
    ...["proxy:4444", "socks:4447", `console:${CONSOLE_PORT}`],
  );
  await start("near", `local:${LOCAL_PORT}`);
  const sniffer = fileURLToPath(new URL("sniff.py", import.meta.url));
  await run("near", "python3", sniffer, "eth0", SERVER);

  const [program, ...headless] = BROWSERS[browser];
  await Deno.writeTextFile(
    `${sandbox.home}/bin/${browser}`,
    `#!/bin/sh\nexec ${findProgram(program)} ${headless.join(" ")} "$@"\n`,
    { mode: 0o755 },
  );
  const kept = stack.move();
  return {
    network,
    heard,
    start,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** What was heard of a kind, such as `dns`, without what comes twice. */
function heardOf({ heard }: World, ...kinds: string[]): string[] {
  const lines = heard.text.split("\n").filter((line) =>
    kinds.includes(line.split(" ")[0]!)
  );
  return [...new Set(lines)].sort();
}

/** What the page asks for, as the proxy is to hear it. */
const ASKED = {
  HTTP: [
    "GET http://image.leak.example/",
    "GET http://fetch.leak.example/",
    "CONNECT tls.leak.example:443",
    "CONNECT socket.leak.example:80",
    `GET http://${TRAP}/fetch`,
    `CONNECT ${TRAP}:443`,
    `GET http://127.0.0.1:${LOCAL_PORT}/fetch`,
    `GET http://localhost:${LOCAL_PORT}/fetch`,
    `GET http://[::1]:${LOCAL_PORT}/fetch`,
    `GET http://127.0.0.1:${LOCAL_PORT}/next`,
    // no address that WebRTC could have told a page
    "GET http://leaks.i2p/candidates?",
  ],
  SOCKS: [
    "SOCKS leaks.i2p:80",
    "SOCKS image.leak.example:80",
    "SOCKS fetch.leak.example:80",
    "SOCKS tls.leak.example:443",
    "SOCKS socket.leak.example:80",
    `SOCKS ${TRAP}:443`,
    `SOCKS 127.0.0.1:${LOCAL_PORT}`,
    "path /fetch",
    "path /candidates?",
  ],
};

/**
 * The page once more, from where the console would be: with the proxy's port
 * closed, that is all a browser can reach.
 */
async function whenTunnelIsDown(
  { network, heard, start }: World,
  program: string,
  args: string[],
): Promise<void> {
  await using _console = await start("near", `console:${CONSOLE_PORT}`);
  const url = `http://127.0.0.1:${CONSOLE_PORT}/`;
  await using child = network.spawn("near", program, ...args, url);
  await heard.waitFor(/^console \/candidates\?$/m, { timeoutMs: 60_000 });
  child.signal("SIGTERM");
  await child.exit;
}

for (const browser of Object.keys(BROWSERS) as Name[]) {
  const requirements = [
    "remote-host",
    "python3",
    BROWSERS[browser][0],
  ] as const;

  for (const proxy of ["HTTP", "SOCKS"] as const) {
    testWith(
      [...requirements],
      `nothing from ${browser} gets past the ${proxy} proxy`,
      async () => {
        await using world = await startWorld(browser);
        const { network, heard } = world;
        const i2ptun = async (...args: string[]) => {
          const result = await network.run("near", "i2ptun", ...args);
          assert.equal(result.code, 0, result.stderr);
          return result.stdout;
        };
        const port = { HTTP: 4444, SOCKS: 4447 }[proxy];
        const start = () =>
          i2ptun(
            ...["ssh", "-f", "-L", `${port}:127.0.0.1:${port}`],
            ...["-L", `${CONSOLE_PORT}:127.0.0.1:${CONSOLE_PORT}`],
            "remote-server",
          );
        const browse = (...args: string[]) =>
          i2ptun("browse", "remote-server", ...args, "--browser", browser);
        const past = ["dns", "tcp", "udp", "packet", "local"];

        await start();
        const shown = await browse("--print", "--json");
        const [program, ...args]: string[] = JSON.parse(shown).command;
        await i2ptun("profile", "stop", "remote-server");
        await whenTunnelIsDown(world, program!, args.slice(0, -1));
        assert.deepEqual(heardOf(world, ...past, "proxy"), []);

        await start();
        await browse("http://leaks.i2p/");
        await heard.waitFor(/^console \/done$/m, { timeoutMs: 60_000 });
        assert.deepEqual(heardOf(world, ...past), []);
        const asked = heardOf(world, "proxy");
        for (const target of ASKED[proxy]) {
          assert(asked.includes(`proxy ${target}`), `${target} in\n${asked}`);
        }
        // the console was heard of, and is not the proxy's business
        assert(!asked.some((line) => line.includes(`:${CONSOLE_PORT}`)));
      },
    );
  }

  testWith(
    [...requirements],
    `the same page gets everywhere from a ${browser} as it is`,
    async () => {
      await using world = await startWorld(browser);
      const { network, heard } = world;
      const folder = `${network.sandbox.home}/browser`;
      await Deno.mkdir(folder);
      await using _browser = network.spawn(
        "near",
        browser,
        ...{
          firefox: ["--profile", folder],
          chromium: [`--user-data-dir=${folder}`, "--no-first-run"],
        }[browser],
        "http://leaks.example/",
      );
      await heard.waitFor(/^local \/next$/m, { timeoutMs: 60_000 });
      const lines = heardOf(world, "dns", "tcp", "udp", "packet");
      for (
        const line of [
          "dns image.leak.example",
          "dns dns-prefetch.leak.example",
          "dns socket.leak.example",
          "dns stun.leak.example",
          "tcp 80 /fetch",
          "udp 3478",
          `packet udp ${DNS_SERVER} 53`,
        ]
      ) {
        assert(lines.includes(line), `${line} in\n${lines}`);
      }
    },
  );
}

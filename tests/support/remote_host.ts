/**
 * A machine far away, as a network namespace (ip-netns(8)) with nothing but a
 * link to this one: no default route, so nothing in it reaches the internet.
 *
 * @module
 */
import { Child } from "./child.ts";
import { killHard } from "./processes.ts";
import {
  execute,
  makeScratchDir,
  namespacePids,
  removeDir,
  scratchName,
  sweep,
} from "./scratch.ts";
import { type Sshd, type SshdOptions, startSshd } from "./sshd.ts";

/** What {@link startRemoteHost} is told. */
export interface RemoteHostOptions {
  /**
   * Run a real i2pd in it: web console at its 127.0.0.1:7070, HTTP proxy at
   * 127.0.0.1:4444, SOCKS proxy at 4447, SAM at 7656, I2CP at 7654, I2PControl
   * at 7650, BOB at 2827. It knows no other router.
   */
  i2pd?: boolean;
  /** For its SSH server, at port 22 of `address` unless another port is given. */
  sshd?: Omit<SshdOptions, "host" | "netns">;
}

/**
 * Makes the namespace and starts its servers. Needs `remote-host`, or
 * `remote-host-with-i2pd`, of requirements.ts.
 *
 * @returns when everything in it answers
 */
export async function startRemoteHost(
  options: RemoteHostOptions = {},
): Promise<RemoteHost> {
  await sweep();
  const namespace = scratchName();
  await execute("ip", ["netns", "add", namespace]);
  const cleanUp = new AsyncDisposableStack();
  cleanUp.defer(async () => {
    killHard(await namespacePids(namespace));
    await execute("ip", ["netns", "del", namespace]);
  });
  try {
    const { link, address } = await makeLink(namespace);
    // With the namespace it would go too, but only some time later.
    cleanUp.defer(async () => void await execute("ip", ["link", "del", link]));
    const sshd = cleanUp.use(
      await startSshd({
        port: 22,
        ...options.sshd,
        host: address,
        netns: namespace,
      }),
    );
    if (options.i2pd) await startI2pd(namespace, cleanUp);
    return new RemoteHost(namespace, address, sshd, cleanUp);
  } catch (error) {
    await cleanUp.disposeAsync();
    throw error;
  }
}

/** A host made by {@link startRemoteHost}; disposing of it removes all of it. */
export class RemoteHost implements AsyncDisposable {
  readonly #cleanUp: AsyncDisposableStack;

  /** Use {@link startRemoteHost}. */
  constructor(
    readonly namespace: string,
    /** Its IPv4 address, reachable from here while the link is there. */
    readonly address: string,
    readonly sshd: Sshd,
    cleanUp: AsyncDisposableStack,
  ) {
    this.#cleanUp = cleanUp;
  }

  /** From now on whatever is sent in either direction is lost without a trace. */
  async cutLink(): Promise<void> {
    await this.exec("ip", "link", "set", FAR_END, "down");
  }

  /** The opposite of {@link cutLink}; what TCP sends again gets through. */
  async restoreLink(): Promise<void> {
    await this.exec("ip", "link", "set", FAR_END, "up");
  }

  /** Runs a program there. @returns its standard output. @throws if it fails. */
  exec(command: string, ...args: string[]): Promise<string> {
    return execute("ip", ["netns", "exec", this.namespace, command, ...args]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanUp.disposeAsync();
  }
}

/** The link's name in the namespace. */
const FAR_END = "eth0";
const NEAR_MAC = "02:00:0a:e7:00:01";
const FAR_MAC = "02:00:0a:e7:00:02";

/** A pair of interfaces with 10.231.N.1 here and 10.231.N.2 there. */
async function makeLink(
  namespace: string,
): Promise<{ link: string; address: string }> {
  const ip = (...args: string[]) => execute("ip", args);
  const first = Math.floor(Math.random() * 256);
  for (let i = 0; i < 256; i++) {
    const n = (first + i) % 256;
    // The name claims the subnet: two runs cannot both make it.
    const link = `i2ptun-${n}`;
    try {
      await execute(
        "ip",
        `link add ${link} address ${NEAR_MAC} type veth peer name ${FAR_END} address ${FAR_MAC} netns ${namespace}`
          .split(" "),
      );
    } catch (error) {
      if (String(error).includes("File exists")) continue;
      throw error;
    }
    const address = `10.231.${n}.2`;
    await ip("addr", "add", `10.231.${n}.1/30`, "dev", link);
    await ip("link", "set", link, "up");
    await ip("-n", namespace, "addr", "add", `${address}/30`, "dev", FAR_END);
    await ip("-n", namespace, "link", "set", FAR_END, "up");
    await ip("-n", namespace, "link", "set", "lo", "up");
    // Fixed neighbours, or a cut link would show as "no route to host" when
    // ARP gets no answer; across the internet there is only silence.
    await neighbour(["-n", namespace], `10.231.${n}.1`, NEAR_MAC, FAR_END);
    await neighbour([], address, FAR_MAC, link);
    return { link, address };
  }
  throw new Error("all subnets of 10.231.0.0/16 are taken by links i2ptun-N");
}

async function neighbour(
  where: string[],
  address: string,
  mac: string,
  dev: string,
): Promise<void> {
  await execute("ip", [
    ...where,
    ..."neigh replace".split(" "),
    address,
    "lladdr",
    mac,
    "nud",
    "permanent",
    "dev",
    dev,
  ]);
}

/** Settings that keep i2pd to itself. */
const I2PD_CONFIG = `
ipv4 = true
ipv6 = false
nat = false
floodfill = false
notransit = true
[http]
address = 127.0.0.1
port = 7070
[httpproxy]
address = 127.0.0.1
port = 4444
[socksproxy]
address = 127.0.0.1
port = 4447
[sam]
enabled = true
address = 127.0.0.1
port = 7656
[i2cp]
enabled = true
[i2pcontrol]
enabled = true
[bob]
enabled = true
[reseed]
# It asks anyway when it knows none; there is nobody at this address.
threshold = 0
urls = https://127.0.0.1:1/
`;

async function startI2pd(
  namespace: string,
  cleanUp: AsyncDisposableStack,
): Promise<void> {
  const dir = await makeScratchDir();
  cleanUp.defer(() => removeDir(dir));
  await Deno.writeTextFile(`${dir}/i2pd.conf`, I2PD_CONFIG);
  await Deno.writeTextFile(`${dir}/tunnels.conf`, "");
  await Deno.mkdir(`${dir}/tunnels.d`);
  const i2pd = cleanUp.use(
    new Child("ip", [
      ...["netns", "exec", namespace, "i2pd"],
      `--datadir=${dir}`,
      `--conf=${dir}/i2pd.conf`,
      `--tunconf=${dir}/tunnels.conf`,
      `--tunnelsdir=${dir}/tunnels.d`,
      "--log=stdout",
    ]),
  );
  for (const port of [7070, 4444]) {
    const request = `${dir}/request_${port}`;
    await Deno.writeTextFile(
      request,
      `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`,
    );
    await waitForAnswer(namespace, port, request, i2pd);
  }
}

/** Asks over HTTP until there is an answer: i2pd does not say when it is ready. */
async function waitForAnswer(
  namespace: string,
  port: number,
  request: string,
  server: Child,
): Promise<void> {
  // `cat`, because i2pd never answers a request that comes in pieces.
  const ask = `exec 3<>/dev/tcp/127.0.0.1/${port} && cat ${request} >&3 &&
    head -c 5 <&3`;
  const deadline = Date.now() + 30_000;
  let last: unknown;
  while (server.running && Date.now() < deadline) {
    try {
      const args = ["netns", "exec", namespace, "timeout", "5", "bash", "-c"];
      if (await execute("ip", [...args, ask]) === "HTTP/") return;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(
    `i2pd does not answer at port ${port}: ${last}\n${server.output.text}`,
  );
}

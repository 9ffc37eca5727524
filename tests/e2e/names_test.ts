/**
 * What a proxy's client visits, nobody near it learns: its machine has a name
 * server, and that is asked for nothing.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { Child } from "../support/child.ts";
import { testWith } from "../support/requirements.ts";
import { assertNothingLeft, succeed } from "./setup.ts";
import { startPrivateNetwork } from "./private_network.ts";

const NAME_SERVER = "127.0.0.53";

testWith(
  ["remote-host", "curl"],
  "a dynamic forward looks no name up on this machine",
  async () => {
    await using stack = new AsyncDisposableStack();
    const network = stack.use(await startPrivateNetwork());
    const { sandbox, sshd } = network;
    const { stdout } = await network.run("near", "ip", "netns", "identify");
    const namespace = stdout.trim();
    // ip-netns(8): what is there stands for /etc in the namespace
    const etc = `/etc/netns/${namespace}`;
    await Deno.mkdir(etc, { recursive: true });
    stack.defer(() => Deno.remove(etc, { recursive: true }));
    await Deno.writeTextFile(
      `${etc}/resolv.conf`,
      `nameserver ${NAME_SERVER}\n`,
    );
    const script = fileURLToPath(new URL("outside_world.ts", import.meta.url));
    const nameServer = stack.use(
      new Child("ip", [
        ...["netns", "exec", namespace, Deno.execPath(), "run", "-q"],
        ...["--allow-net", script, `dns:${NAME_SERVER}`],
      ]),
    );
    await nameServer.waitFor(/^ready$/m);

    const started = await network.run(
      ...["near", "i2ptun", "ssh", "-f", "-D", "1080"] as const,
      `${sshd.user}@remote-server`,
    );
    assert.equal(started.code, 0, started.stderr);
    const languages = [
      ["--socks5-hostname", "127.0.0.1:1080"],
      ["--socks4a", "127.0.0.1:1080"],
      ["--proxy", "127.0.0.1:1080"],
      ["--proxytunnel", "--proxy", "127.0.0.1:1080"],
    ];
    for (const [i, language] of languages.entries()) {
      const url = `http://visited${i}.i2p/`;
      const curl = ["curl", "-sS", "--max-time", "15", "--fail"] as const;
      const { code } = await network.run("near", ...curl, ...language, url);
      assert.notEqual(code, 0, "nobody has this name");
    }
    const name = "remote-server";
    const log = await succeed(sandbox, ["profile", "logs", name]);
    for (const i of languages.keys()) {
      assert(log.includes(`visited${i}.i2p:80`), log);
    }
    // without the proxy it would be known
    await network.run("near", "curl", "-sS", "http://told.i2p/");
    await nameServer.waitFor(/^dns told\.i2p$/m);
    assert.doesNotMatch(nameServer.stdout.text, /visited/);
    await succeed(sandbox, ["profile", "stop", name]);
    await assertNothingLeft(sandbox);
  },
);

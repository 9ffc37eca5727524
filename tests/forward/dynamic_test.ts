import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { Socket } from "../../src/forward/socket.ts";
import { startRemoteHost } from "../support/remote_host.ts";
import {
  curl,
  dialTo,
  echo,
  portOf,
  random,
  readAll,
  readExactly,
  sha256,
  startLink,
  startProgram,
  testLink,
  until,
} from "./setup.ts";
import { DYNAMIC, SOCKS5_ANSWERS, socks5Connect } from "./forwards.ts";
import { startStubForward } from "./stub_server.ts";

/** How curl uses each of the proxy's languages, with names left to it. */
const LANGUAGES: Record<string, string[]> = {
  "SOCKS 5": ["--socks5-hostname"],
  "SOCKS 4a": ["--socks4a"],
  "HTTP CONNECT": ["--proxytunnel", "--proxy"],
  "HTTP": ["--proxy"],
};

/** Answers a request with the request. */
function startMirror(at?: string) {
  return startProgram((socket) => {
    socket.once("data", (request) => {
      socket.end(
        `HTTP/1.1 200 OK\r\nContent-Length: ${request.length}\r\n\r\n${request}`,
      );
    });
  }, at);
}

testLink(["sshd"], "curl gets a page in every language", async () => {
  await using link = await startLink();
  await using mirror = await startMirror();
  const proxy = `127.0.0.1:${portOf(await link.open(DYNAMIC))}`;
  const languages = { ...LANGUAGES, "SOCKS 4": ["--socks4"] };
  for (const [language, options] of Object.entries(languages)) {
    const url = `http://localhost:${mirror.port}/a?b`;
    const { stdout, stderr } = await curl(...options, proxy, url);
    assert.match(stdout, /^GET \/a\?b HTTP\/1\.1\r\n/, language + stderr);
    const isRewritten = language === "HTTP";
    assert.equal(/^Connection: close\r$/m.test(stdout), isRewritten);
    assert.doesNotMatch(stdout, /^Proxy-/m);
  }
  assert.deepEqual(link.log, []);
});

testLink(["sshd"], "IPv6 targets, as an address and in brackets", async () => {
  await using link = await startLink();
  await using mirror = await startMirror("::1");
  const proxy = `127.0.0.1:${portOf(await link.open(DYNAMIC))}`;
  for (const [language, options] of Object.entries(LANGUAGES)) {
    const url = `http://[::1]:${mirror.port}/`;
    const { stdout, stderr } = await curl(...options, proxy, url);
    // SOCKS 4a can say it only as a name
    assert.match(stdout, /^GET \/ HTTP/, language + stderr);
  }
});

testLink(["sshd"], "each reason has its code, and is in the log", async () => {
  await using link = await startLink({
    sshd: { config: "PermitOpen 127.0.0.1:* nowhere.i2p:*" },
  });
  const proxy = `127.0.0.1:${portOf(await link.open(DYNAMIC))}`;
  const cases = [
    ["127.0.0.1:1", 5, /127\.0\.0\.1:1: .*Connection refused/],
    ["nowhere.i2p:80", 4, /nowhere\.i2p:80: .*not known|resolution/],
    ["forbidden.i2p:80", 2, /forbidden\.i2p:80: the server forbids it/],
  ] as const;
  for (const [target, code, said] of cases) {
    const url = `http://${target}/`;
    const five = await curl("--socks5-hostname", proxy, url);
    assert.match(five.stderr, new RegExp(`\\(${code}\\)\\s*$`), target);
    const four = await curl("--socks4a", proxy, url);
    assert.match(four.stderr, /\(91\)/, target);
    const tunnelled = await curl("--proxytunnel", "--proxy", proxy, url);
    assert.match(tunnelled.stderr, /response 502/, target);
    const plain = await curl("-w", "%{http_code}", "--proxy", proxy, url);
    assert.match(plain.stdout, said);
    assert.match(plain.stdout, /\n502$/);
    const logged = link.log.splice(0);
    assert.equal(logged.length, 4);
    for (const line of logged) assert.match(line, said);
  }
});

testLink(
  ["sshd"],
  "what it cannot do it says in the client's language",
  async () => {
    await using link = await startLink();
    const port = portOf(await link.open(DYNAMIC));
    const cases: [said: number[] | string, answer: RegExp][] = [
      [[5, 1, 2], /^05ff$/], // a password
      [[5, 1, 0, 5, 2, 0, 1, 1, 2, 3, 4, 0, 80], /^0500 ?0507/], // BIND
      [[5, 1, 0, 5, 3, 0, 1, 1, 2, 3, 4, 0, 80], /^05000507/], // UDP ASSOCIATE
      [[4, 2, 0, 80, 1, 2, 3, 4, 0], /^005b/], // BIND
      ["GET / HTTP/1.1\r\n\r\n", /^485454502f312e3120343030/], // HTTP/1.1 400
      ["\x16\x03\x01", /^$/], // TLS
    ];
    for (const [said, answer] of cases) {
      const client = await dialTo(port);
      client.write(typeof said === "string" ? said : Uint8Array.from(said));
      assert.match((await readAll(client)).toString("hex"), answer);
      client.end();
    }
    assert.equal(link.log.length, cases.length);
  },
);

testLink(
  ["sshd"],
  "what follows the handshake at once arrives, both ways, byte by byte too",
  async () => {
    await using link = await startLink();
    await using target = await startProgram(echo);
    const forward = await link.open(DYNAMIC);
    const data = random(200_000);
    const { port } = target;
    const socks4 = [4, 1, port >> 8, port & 255, 127, 0, 0, 1, 0];
    const connect = `CONNECT 127.0.0.1:${port} HTTP/1.1\r\n\r\n`;
    for (
      const [hello, answerLength] of [
        [Buffer.from(socks5Connect(port)), SOCKS5_ANSWERS],
        [Buffer.from(socks4), 8],
        [Buffer.from(connect), 39],
      ] as const
    ) {
      const client = await dialTo(portOf(forward));
      client.end(Buffer.concat([hello, data]));
      const answer = await readAll(client);
      assert.equal(sha256(answer.subarray(answerLength)), sha256(data));

      const slow = await dialTo(portOf(forward));
      for (const byte of hello) {
        slow.write(Uint8Array.of(byte));
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      slow.end("x");
      assert.equal(
        (await readAll(slow)).subarray(answerLength).toString(),
        "x",
      );
    }
    assert.deepEqual(link.log, []);
  },
);

testLink(
  ["sshd"],
  "a page's body passes, the client's next request does not",
  async () => {
    await using link = await startLink();
    // answers and, though asked to close, keeps the connection
    await using target = await startProgram((socket) => {
      socket.on("data", () => socket.write("HTTP/1.1 204 No Content\r\n\r\n"));
      socket.once("end", () => socket.end());
    });
    const forward = await link.open(DYNAMIC);
    const client = await dialTo(portOf(forward));
    const url = `http://127.0.0.1:${target.port}/`;
    const post = (body: string) =>
      `POST ${url} HTTP/1.1\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    client.write(post("first"));
    await readExactly(client, 27);
    const server = await target.accepted(0);
    const next = once(server, "data").then(String);
    client.write("GET http://other.i2p/ HTTP/1.1\r\nCookie: secret\r\n\r\n");
    client.end();
    const ended = once(server, "end").then(() => "its end");
    assert.equal(await Promise.race([next, ended]), "its end");
    await readAll(client);
  },
);

testLink(
  ["sshd"],
  "a page's request and answer are whole, however large",
  async () => {
    await using link = await startLink();
    const page = random(3_000_000);
    await using target = await startProgram((socket) => {
      let received = 0;
      socket.on("data", (data) => {
        received += data.length;
        if (received < page.length) return;
        socket.removeAllListeners("data");
        socket.resume();
        socket.end(Buffer.concat([
          Buffer.from(
            `HTTP/1.1 200 OK\r\nContent-Length: ${page.length}\r\n\r\n`,
          ),
          page,
        ]));
      });
    });
    const proxy = `127.0.0.1:${portOf(await link.open(DYNAMIC))}`;
    const url = `http://127.0.0.1:${target.port}/`;
    await Deno.writeFile(`${link.dir}/page`, page);
    for (const chunked of [[], ["-H", "Transfer-Encoding: chunked"]]) {
      const got = `${link.dir}/got`;
      const { stderr } = await curl(
        ...["--proxy", proxy, "-H", "Expect:", ...chunked, "-o", got],
        ...["--data-binary", `@${link.dir}/page`, url],
      );
      assert.equal(stderr, "");
      assert.equal(sha256(await Deno.readFile(got)), sha256(page));
    }
  },
);

testLink(
  [],
  "names go to the server exactly as the client gave them",
  async () => {
    await using stub = await startStubForward(
      DYNAMIC,
      (_accept, reject) => reject(),
    );
    // names that this machine could look up, too, must not be
    const names = ["some.i2p", "LocalHost", "xn--mnchen-3ya.i2p"];
    for (const options of Object.values(LANGUAGES)) {
      for (const name of names) {
        await curl(...options, stub.proxy, `http://${name}/`);
      }
    }
    assert.deepEqual(
      stub.asked.map(({ destIP, destPort }) => [destIP, destPort]),
      Object.keys(LANGUAGES).flatMap(() => names.map((name) => [name, 80])),
    );
  },
);

testLink([], "the server is told who the client is", async () => {
  await using stub = await startStubForward(
    DYNAMIC,
    (_accept, reject) => reject(),
  );
  const conn = await Deno.connect({ port: stub.port });
  const localPort = conn.localAddr.port;
  const client = new Socket(conn);
  client.end("CONNECT a.i2p:80 HTTP/1.1\r\n\r\n");
  await readAll(client);
  const [{ srcIP, srcPort } = {}] = stub.asked;
  assert.deepEqual([srcIP, srcPort], ["127.0.0.1", localPort]);
});

/** Time that passes when the test says so. */
function stoppedTime() {
  const sleepers: (() => void)[] = [];
  return {
    sleep: (_ms: number, signal: AbortSignal) =>
      new Promise<void>((resolve) => {
        sleepers.push(resolve);
        signal.addEventListener("abort", () => resolve());
      }),
    pass: () => sleepers.splice(0).forEach((wake) => wake()),
  };
}

testLink(
  [],
  "a target that does not answer in time is given up, and closed if it does later",
  async () => {
    const time = stoppedTime();
    let asked = Promise.withResolvers<void>();
    let closings = 0;
    let late: () => void = () => {};
    await using stub = await startStubForward(DYNAMIC, (accept) => {
      late = () => accept().on("close", () => closings++).resume();
      asked.resolve();
    }, time);
    const connect = "CONNECT a.i2p:80 HTTP/1.1\r\n\r\n";
    const socks = Uint8Array.from([5, 1, 0, 5, 1, 0, 3, 1, 97, 0, 80]);
    // HTTP/1.1 504
    const cases = [[connect, /^485454502f312e3120353034/], [
      socks,
      /^05000506/,
    ]];
    for (const [said, answer] of cases as [string | Uint8Array, RegExp][]) {
      const client = await dialTo(stub.port);
      client.end(said);
      await asked.promise;
      asked = Promise.withResolvers();
      time.pass();
      assert.match((await readAll(client)).toString("hex"), answer);
      late();
    }
    await until(() => closings === cases.length, "the channels are closed");
    assert.match(stub.log.join("\n"), /a\.i2p:80: .* within 10 s/);
  },
);

testLink(
  [],
  "a client that says nothing, or not enough, is let go in time",
  async () => {
    const time = stoppedTime();
    await using stub = await startStubForward(
      DYNAMIC,
      (_accept, reject) => reject(),
      time,
    );
    for (const said of ["", "\x05", "\x05\x01\0", "CONNECT a.i2p"]) {
      const client = await dialTo(stub.port);
      if (said) client.write(said);
      client.resume();
      await until(() => {
        time.pass();
        return client.readableEnded || client.destroyed;
      }, "it is let go");
      client.destroy();
    }
    assert.deepEqual([stub.asked, stub.log], [[], []]);
  },
);

testLink(
  ["remote-host"],
  "only the server looks names up",
  async () => {
    await using host = await startRemoteHost();
    const etc = `/etc/netns/${host.namespace}`; // ip-netns(8)
    await Deno.mkdir(etc, { recursive: true });
    try {
      await Deno.writeTextFile(
        `${etc}/hosts`,
        `${host.address} only-there.i2p\n`,
      );
      await host.sshd.restart();
      await using link = await startLink({ server: host.sshd });
      const proxy = `127.0.0.1:${portOf(await link.open(DYNAMIC))}`;
      // the server's own SSH port, at a name that only it knows
      for (
        const options of [["--socks5-hostname"], ["--proxytunnel", "--proxy"]]
      ) {
        const { stdout } = await curl(
          ...[...options, proxy, "--http0.9"],
          "http://only-there.i2p:22/",
        );
        assert.match(stdout, /^SSH-2\.0-OpenSSH/);
      }
    } finally {
      await Deno.remove(etc, { recursive: true });
    }
  },
);

/** Servers that are none, that break off anywhere, and that are too old. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { I2ptunError } from "../../src/errors.ts";
import { readGreeting } from "../../src/ssh/server_offer.ts";
import { startSshd } from "../support/sshd.ts";
import {
  logInAndOut,
  type LoginOptions,
  recorder,
  startScriptedServer,
  testLogin,
} from "./login.ts";

async function failure(options: LoginOptions): Promise<I2ptunError> {
  try {
    await logInAndOut(options);
  } catch (error) {
    assert(error instanceof I2ptunError, String(error));
    return error;
  }
  throw new Error("it logged in");
}

/** A TCP server that does this with every connection. */
async function startServer(serve: (client: Socket) => void) {
  const clients = new Set<Socket>();
  const server = createServer((client) => {
    clients.add(client);
    client.on("error", () => {});
    serve(client);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    host: "127.0.0.1",
    port: (server.address() as AddressInfo).port,
    [Symbol.dispose]() {
      for (const client of clients) client.destroy();
      server.close();
    },
  };
}

testLogin([], "what is no SSH server", async () => {
  for (
    const [said, message] of [
      ["", /^127\.0\.0\.1:\d+ closed the connection without a word$/],
      [
        "HTTP/1.1 400 Bad Request\r\n\r\n",
        /is not an SSH server \(it says "HTTP\/1\.1 400 Bad Request"\)$/,
      ],
      ["\x16\x03\x01\0\xff\n", /is not an SSH server/],
      [
        "Exceeded MaxStartups\r\n",
        /takes no more connections just now: Exceeded MaxStartups/,
      ],
      ["SSH-1.5-old\r\n", /127\.0\.0\.1:\d+ \(old\) broke off the handshake/],
      ["SSH-2.0-x\r\nnonsense nonsense nonsense nonsense", /\(x\) broke off/],
      ["x".repeat(100_000), /is not an SSH server/],
    ] as const
  ) {
    using server = await startServer((client) => client.end(said, "latin1"));
    const error = await failure(server);
    assert.equal(error.kind, "unreachable", error.message);
    assert.match(error.message, message);
    assert(error.remedy);
  }
});

/** How many bytes a server sends before its first encrypted one, and after. */
const CUTS = [0, 3, 15, 20, 60, 500, 900, 1000, 1100, 1300, 1400, 1500, 1550];

for (
  const [how, cut] of [
    ["closes", (client: Socket) => client.end()],
    ["resets", (client: Socket) => client.resetAndDestroy()],
    ["sends garbage", (client: Socket) => client.write("\xff".repeat(5000))],
    ["falls silent", () => {}],
  ] as const
) {
  testLogin([], `a server that ${how} anywhere in the handshake`, async () => {
    await using real = await startScriptedServer((attempt) =>
      attempt.reject(["publickey"])
    );
    const attempts = CUTS.map(async (bytes) => {
      using server = await startServer((client) => {
        const upstream = connect(real.port, real.host);
        client.on("close", () => upstream.destroy());
        client.pipe(upstream);
        let left = bytes;
        const done = () => {
          left = -1;
          client.unpipe(upstream);
          cut(client);
        };
        if (left === 0) return done();
        upstream.on("data", (data) => {
          if (left < 0) return;
          client.write(data.subarray(0, left));
          left -= data.length;
          if (left <= 0) done();
        });
      });
      return await failure({ ...server, connectTimeoutMs: 1000 });
    });
    for (const { kind, message } of await Promise.all(attempts)) {
      assert.match(kind, /^(unreachable|login-refused)$/, message);
      if (how === "falls silent" && kind === "unreachable") {
        assert.match(message, /did not answer within 1 s/);
      }
    }
  });
}

testLogin(["sshd"], "an old server is told what it lacks", async () => {
  const cases: [config: string, message: RegExp, remedy: RegExp][] = [
    [
      "KexAlgorithms diffie-hellman-group1-sha1,diffie-hellman-group14-sha1",
      /offers only KexAlgorithms diffie-hellman-group1-sha1,diffie-hellman-group14-sha1, none of which i2ptun uses by itself$/,
      /"Host 127\.0\.0\.1": KexAlgorithms \+diffie-hellman-group14-sha1$/,
    ],
    [
      "Ciphers aes128-cbc,3des-cbc",
      /offers only Ciphers aes128-cbc,3des-cbc,/,
      /Ciphers \+aes128-cbc$/,
    ],
    ["Ciphers aes256-cbc", /Ciphers aes256-cbc,/, /Ciphers \+aes256-cbc$/],
    ["MACs hmac-sha1\nCiphers aes128-ctr", /MACs hmac-sha1,/, /\+hmac-sha1$/],
    [
      "MACs hmac-md5\nCiphers 3des-cbc",
      /Ciphers 3des-cbc and MACs hmac-md5,/,
      /Ciphers \+3des-cbc and MACs \+hmac-md5$/,
    ],
    [
      "KexAlgorithms diffie-hellman-group-exchange-sha1",
      /KexAlgorithms diffie-hellman-group-exchange-sha1,/,
      /\+diffie-hellman-group-exchange-sha1$/,
    ],
    [
      "KexAlgorithms ecdh-sha2-nistp521",
      /none of which i2ptun can use$/,
      /^update the SSH server$/,
    ],
  ];
  for (const [config, message, remedy] of cases) {
    await using sshd = await startSshd({ config });
    const { host, port } = sshd;
    const error = await failure({ host, port });
    assert.equal(error.kind, "unreachable");
    assert.match(error.message, message);
    assert.match(error.message, /\(OpenSSH_/);
    assert.match(error.remedy!, remedy);
    // and what it says to allow does help
    const lines = error.remedy!.split('": ')[1];
    if (lines === undefined) continue;
    const algorithms = Object.fromEntries(
      lines.split(" and ").map((line) => {
        const [keyword, list] = line.split(" ") as [string, string];
        const name = keyword === "MACs"
          ? "macs"
          : keyword[0]!.toLowerCase() + keyword.slice(1);
        return [name, list];
      }),
    );
    const allowed = await failure({ host, port, user: "nobody", algorithms });
    assert.equal(allowed.kind, "login-refused", allowed.message);
  }
});

testLogin(["sshd"], "an RSA host key that signs with SHA-1 only", async () => {
  await using sshd = await startSshd({
    hostKeyTypes: ["rsa"],
    config: "HostKeyAlgorithms ssh-rsa",
  });
  const { host, port } = sshd;
  const error = await failure({ host, port });
  assert.match(error.message, /offers only HostKeyAlgorithms ssh-rsa,/);
  const algorithms = { hostKeyAlgorithms: "+ssh-rsa" };
  const allowed = await failure({ host, port, algorithms });
  assert.equal(allowed.kind, "login-refused");
});

testLogin(
  [],
  "banners, and what a server may say before its version",
  async () => {
    await using real = await startScriptedServer(
      (attempt) => attempt.accept(),
      { banner: "Mind\nthe gap" },
    );
    const { lines, log } = recorder();
    await logInAndOut({ ...real, log });
    assert(lines.some((line) => /info: \S+: Mind\nthe gap$/.test(line)));
    using server = await startServer((client) => {
      client.write("Welcome.\r\nSSH keys only, please.\r\n");
      const upstream = connect(real.port, real.host);
      client.pipe(upstream).pipe(client);
      client.on("close", () => upstream.destroy());
    });
    await logInAndOut(server);
  },
);

Deno.test("a greeting that comes byte by byte, and one that is none", () => {
  const said = new TextEncoder().encode("hello\r\nSSH-2.0-x y z\r\n");
  const names = ["kex", "key", "a,b", "c", "mac", "mac2", "", "", "", ""];
  const lists = names.flatMap((name) => [
    ...[0, 0, 0, name.length],
    ...new TextEncoder().encode(name),
  ]);
  const payload = [20, ...new Array(16).fill(7), ...lists, 0, 0, 0, 0, 0];
  const packet = [0, 0, 0, payload.length + 1 + 4, 4, ...payload, 0, 0, 0, 0];
  const bytes = Uint8Array.of(...said, ...packet);
  for (let i = 0; i < bytes.length; i++) {
    const { software, offer } = readGreeting(bytes.subarray(0, i));
    assert.equal(software, i < said.length ? undefined : "x y z");
    assert.equal(offer, undefined);
  }
  assert.deepEqual(readGreeting(bytes), {
    said: "hello",
    protocol: undefined,
    software: "x y z",
    offer: {
      kex: ["kex"],
      serverHostKey: ["key"],
      cipher: ["a", "b"],
      hmac: ["mac"],
    },
  });
});

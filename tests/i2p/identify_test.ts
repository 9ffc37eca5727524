import assert from "node:assert/strict";
import type { Duplex } from "node:stream";
import { I2ptunError } from "../../src/errors.ts";
import { connectTcp } from "../../src/forward/socket.ts";
import {
  describe,
  discoverServices,
  isService,
} from "../../src/i2p/discover.ts";
import { identify, identifyAll } from "../../src/i2p/identify.ts";
import { recognise } from "../../src/i2p/recognise.ts";
import type { ServiceName } from "../../src/i2p/services.ts";
import { testWith } from "../support/requirements.ts";
import { execute, makeScratchDir, removeDir } from "../support/scratch.ts";
import { type Canned, serveHere } from "./canned.ts";
import {
  javaConnectProxy,
  javaConsole,
  javaHttpProxy,
  javaLocked,
  javaRedirect,
} from "./java_router.ts";

const never = new AbortController().signal;

const open = ({ host, port }: { host: string; port: number }) =>
  connectTcp([host], port, never) as Promise<Duplex>;

/** What is said of a server by one who hopes for this service. */
async function whatIs(service: ServiceName, port: number, patienceMs = 300) {
  const place = { host: "127.0.0.1", port };
  const options = { open, place, service, signal: never, patienceMs };
  const identity = await identify(options);
  return { ...identity, state: isService(service, identity) };
}

Deno.test("every service is known by what it says", async () => {
  const cases: [ServiceName, Canned, what: string, version?: string][] = [
    [
      "console",
      { answer: javaConsole("2.6.0") },
      "I2P router console (Java) 2.6.0",
      "2.6.0",
    ],
    [
      "console",
      { answer: javaConsole("2.10.0-3", "de") },
      "I2P router console (Java) 2.10.0-3",
      "2.10.0-3",
    ],
    [
      "console",
      { answer: javaLocked },
      "I2P router console (Java, asks for a password)",
    ],
    [
      "i2pd-console",
      {
        answer:
          'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="WebAdmin"\r\n\r\n',
      },
      "i2pd webconsole (asks for a password)",
    ],
    ["http-proxy", { answer: javaHttpProxy }, "HTTP proxy of I2P (Java)"],
    ["https-proxy", { answer: javaConnectProxy }, "HTTPS proxy of I2P (Java)"],
    ["socks-proxy", { answer: "\x05\x00" }, "SOCKS 5 proxy"],
    [
      "sam",
      { answer: "HELLO REPLY RESULT=OK VERSION=3.3\n" },
      "SAM bridge 3.3",
      "3.3",
    ],
    ["sam", { answer: "HELLO REPLY RESULT=NOVERSION\n" }, "SAM bridge"],
    [
      "bob",
      { first: "BOB 00.00.10\nOK\n" },
      "BOB bridge 00.00.10",
      "00.00.10",
    ],
    [
      "i2cp",
      { answer: "\0\0\0\x0f\x21\0\0\x01\xa2\x01W[\x08\x060.9.62" },
      "I2CP 0.9.62",
      "0.9.62",
    ],
    ["irc", { first: ":irc.i2p NOTICE AUTH :*** hi\r\n" }, "IRC server"],
    ["smtp", { first: "220 smtp.postman.i2p ESMTP\r\n" }, "mail server (SMTP)"],
    ["pop3", { first: "+OK ready\r\n" }, "mail server (POP3)"],
    [
      "site",
      {
        answer:
          "HTTP/1.1 200 OK\r\nServer: Jetty(9.4.48)\r\n\r\n<title>mine</title>",
      },
      "a web server (Jetty(9.4.48))",
    ],
  ];
  await Promise.all(cases.map(async ([service, canned, what, version]) => {
    using server = serveHere(canned);
    const found = await whatIs(service, server.port);
    assert.equal(found.what, what);
    assert.equal(found.version, version, what);
    assert.equal(found.state, "found", what);
  }));
});

Deno.test("the port says nothing of what is there", async () => {
  const cases: [ServiceName, Canned, what: RegExp][] = [
    ["console", { answer: javaHttpProxy }, /^HTTP proxy of I2P/],
    ["console", { answer: "HELLO REPLY RESULT=OK VERSION=3.3\n" }, /^SAM/],
    ["console", { first: "SSH-2.0-OpenSSH_9.2p1\r\n" }, /^an SSH server$/],
    ["http-proxy", { answer: javaConsole("2.6.0") }, /^I2P router console/],
    [
      "http-proxy",
      { answer: "HTTP/1.1 404 Not Found\r\nServer: squid/5.7\r\n\r\n" },
      /^a web server \(squid\/5\.7\)$/,
    ],
    ["sam", { answer: "HTTP/1.1 200 OK\r\n\r\n<title>x</title>" }, /"x"/],
    ["sam", { first: "ahoy\r\n" }, /not known here \(it says "ahoy"\)$/],
    ["bob", { answer: "\x15\x03\x03\0\x02\x02\x46" }, /^a TLS server/],
    ["i2cp", { first: "220 x FTP server\r\n" }, /^a file server \(FTP\)$/],
  ];
  await Promise.all(cases.map(async ([service, canned, what]) => {
    using server = serveHere(canned);
    const found = await whatIs(service, server.port);
    assert.match(found.what, what);
    assert.equal(found.state, "other", found.what);
  }));
});

Deno.test("a console that minds which name it is called by", async () => {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) =>
      request.headers.get("host") === "proxy.i2p"
        ? new Response("host mismatch", { status: 403 })
        : new Response(javaConsole("2.6.0").split("\r\n\r\n")[1]),
  );
  try {
    const found = await whatIs("http-proxy", server.addr.port);
    assert.equal(found.what, "I2P router console (Java) 2.6.0");
    assert.equal(found.state, "other");
  } finally {
    await server.shutdown();
  }
});

Deno.test("without TLS where it should be", async () => {
  using server = serveHere({ answer: javaConsole("2.6.0") });
  const found = await whatIs("console-ssl", server.port);
  assert.match(describe(found, "console-ssl"), /2\.6\.0, but without TLS$/);
  assert.equal(found.state, "other");
});

Deno.test("what says nothing is not known", async () => {
  for (const service of ["irc", "console", "console-ssl"] as const) {
    using silent = serveHere({});
    const found = await whatIs(service, silent.port, 100);
    assert.equal(found.what, "accepts connections and says nothing");
    assert.equal(found.state, "unclear");
    using closing = serveHere({ answer: "" });
    const closed = await whatIs(service, closing.port, 100);
    assert.equal(closed.state, "unclear", closed.what);
  }
});

Deno.test("the first page is followed to where it has moved", async () => {
  const asked: string[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    ({ url }) => {
      asked.push(new URL(url).pathname);
      const [head, body] =
        (asked.length > 1 ? javaConsole("2.6.0") : javaRedirect)
          .split("\r\n\r\n");
      const location = /Location: (.*)/.exec(head!)?.[1];
      return location
        ? new Response(null, { status: 302, headers: { location } })
        : new Response(body);
    },
  );
  try {
    const found = await whatIs("console", server.addr.port);
    assert.equal(found.version, "2.6.0");
    assert.deepEqual(asked, ["/", "/home"]);
  } finally {
    await server.shutdown();
  }
});

testWith(
  ["openssl"],
  "a console over TLS, with a certificate of its own",
  async () => {
    const dir = await makeScratchDir();
    try {
      await execute("openssl", [
        ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"],
        ...["-subj", "/CN=localhost", "-keyout", `${dir}/key`],
        ...["-out", `${dir}/cert`],
      ]);
      const [, page = ""] = javaConsole("2.6.0").split("\r\n\r\n");
      const server = Deno.serve({
        hostname: "127.0.0.1",
        port: 0,
        onListen: () => {},
        key: await Deno.readTextFile(`${dir}/key`),
        cert: await Deno.readTextFile(`${dir}/cert`),
      }, () => new Response(page));
      const { port } = server.addr;
      const found = await whatIs("console-ssl", port, 3000);
      assert.equal(found.what, "I2P router console (Java) 2.6.0");
      assert.equal(found.state, "found");
      // a browser that is sent there without TLS would not get the page
      const plain = await whatIs("console", port, 1000);
      assert.equal(describe(plain, "console"), `${found.what}, but over TLS`);
      assert.equal(plain.state, "other");
      await server.shutdown();
    } finally {
      await removeDir(dir);
    }
  },
);

Deno.test("the clock of the server", () => {
  const text = "HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 03:39:31 GMT\r\n\r\n";
  const { date } = recognise({ text, ended: true, tls: false });
  assert.equal(date?.toISOString(), "2026-11-22T03:39:31.000Z");
});

Deno.test("ports that the server keeps shut, and those that it forbids", async () => {
  const refuse = (reason: number) => () =>
    Promise.reject(
      new I2ptunError("forward", "no", {
        cause: Object.assign(new Error("(SSH) Channel open failure"), {
          reason,
        }),
      }),
    );
  const states = async (reason: number) =>
    new Set(
      (await discoverServices(refuse(reason), never)).map((each) => each.state),
    );
  assert.deepEqual(await states(2), new Set(["closed"]));
  assert.deepEqual(await states(1), new Set(["forbidden"]));
  const lost = () => Promise.reject(new I2ptunError("unreachable", "lost"));
  await assert.rejects(discoverServices(lost, never), /lost/);
});

Deno.test("tunnels that say nothing are not waited for", async () => {
  using console = serveHere({ answer: javaConsole("2.6.0") });
  using silent = serveHere({});
  using mail = serveHere({ first: "220 smtp.postman.i2p ESMTP\r\n" });
  const ask = (service: ServiceName, { port }: { port: number }) => ({
    service,
    place: { host: "127.0.0.1", port },
  });
  const asked = [
    ask("irc", silent),
    ask("console", console),
    ask("smtp", mail),
    ask("pop3", silent),
  ];
  const begun = performance.now();
  const options = { open, signal: never, lastWordMs: 100 };
  const told = await Promise.all(identifyAll(asked, options));
  assert(performance.now() - begun < 2000);
  assert.deepEqual(told.map(({ kind }) => kind), [
    ...["silent", "java-console", "smtp", "silent"],
  ]);
});

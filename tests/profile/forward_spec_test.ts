import assert from "node:assert/strict";
import fc from "fast-check";
import type { ForwardKind } from "../../src/forward/address.ts";
import { I2ptunError } from "../../src/errors.ts";
import {
  formatForward,
  formatListen,
  parseForward,
  parseListen,
  type UnnamedForward,
} from "../../src/profile/forward_spec.ts";

const tcp = (bind: string | undefined, port: number) =>
  ({ kind: "tcp", bind, port }) as const;
const to = (host: string, port: number) =>
  ({ kind: "tcp", host, port }) as const;
const unix = (path: string) => ({ kind: "unix", path }) as const;

const LOCAL = [
  ["8080:127.0.0.1:7657", tcp(undefined, 8080), to("127.0.0.1", 7657)],
  ["localhost:8080:h:80", tcp("localhost", 8080), to("h", 80)],
  [":8080:h:80", tcp("", 8080), to("h", 80)],
  ["*:8080:h:80", tcp("*", 8080), to("h", 80)],
  ["[::1]:8080:[2001:db8::2]:80", tcp("::1", 8080), to("2001:db8::2", 80)],
  ["8080:/run/a.sock", tcp(undefined, 8080), unix("/run/a.sock")],
  ["b:8080:/run/a.sock", tcp("b", 8080), unix("/run/a.sock")],
  ["/run/b.sock:h:80", unix("/run/b.sock"), to("h", 80)],
  ["/run/b.sock:/run/a.sock", unix("/run/b.sock"), unix("/run/a.sock")],
  ["~/b.sock:./a.sock", unix("~/b.sock"), unix("./a.sock")],
  ["/a\\:b:h:80", unix("/a:b"), to("h", 80)],
  ["[/a:b]:h:80", unix("/a:b"), to("h", 80)],
  ["8080:/100%%", tcp(undefined, 8080), unix("/100%")],
  [" 8080:h:080", tcp(undefined, 8080), to("h", 80)],
] as const;

Deno.test("every form of -L, and the same of -R", () => {
  for (const [text, listen, target] of LOCAL) {
    assert.deepEqual(parseForward("local", text), {
      kind: "local",
      listen,
      target,
    });
    assert.deepEqual(parseForward("remote", text), {
      kind: "remote",
      listen,
      target,
    });
  }
});

Deno.test("-R with port 0, and without a target", () => {
  const remote = (text: string) => parseForward("remote", text);
  assert.deepEqual(remote("0:h:80").listen, tcp(undefined, 0));
  assert.deepEqual(remote("[::1]:0").listen, tcp("::1", 0));
  assert.deepEqual(remote(":1080"), {
    kind: "remote",
    listen: tcp("", 1080),
    target: undefined,
  });
});

Deno.test("every form of -D", () => {
  const listen = (text: string) => parseForward("dynamic", text).listen;
  assert.deepEqual(listen("1080"), tcp(undefined, 1080));
  assert.deepEqual(listen(":1080"), tcp("", 1080));
  assert.deepEqual(listen("*:1080"), tcp("*", 1080));
  assert.deepEqual(listen("[fe80::1%eth0]:1080"), tcp("fe80::1%eth0", 1080));
});

Deno.test("what is wrong is named", () => {
  const wrong: [ForwardKind, string, RegExp][] = [
    ["local", "", /host or port is missing/],
    ["local", "8080", /target's host or port is missing/],
    ["local", "8080:h", /target's host or port is missing/],
    ["local", "8080:h:", /a port is missing/],
    ["local", "8080::80", /the host is missing/],
    ["local", "8080:h:99999", /port 99999 is more than 65535/],
    ["local", "8080:h:0", /port 0/],
    ["local", "0:h:80", /port 0/],
    ["local", "8080:h:http", /port "http" is not a number.*services/],
    ["local", "8080:h:+80", /port "\+80" is not a number/],
    ["local", "8080:h:80:", /a port is missing|not a number/],
    ["local", "::1:8080:h:80", /IPv6 address must be in brackets/],
    ["local", "[::1:8080:h:80", /needs its "\]"/],
    ["local", "[::1]8080:h:80", /needs its "\]"/],
    ["local", "127.0.0.1/8080/h/80", /slashes; write 127\.0\.0\.1:8080:h:80/],
    ["local", "8080/h/80", /slashes; write 8080:h:80/],
    ["local", "/a", /target's host or port is missing/],
    ["local", "8080:a b:80", /"a b" is not a host/],
    ["local", "a/b:8080:h:80", /"a\/b" is not a bind address/],
    ["local", "${HOME}/a:h:80", /\$\{HOME\} is not filled in/],
    ["local", "8080:/run/%u.sock", /%u is not filled in/],
    ["local", `/${"a".repeat(107)}:h:80`, /longer than 107 bytes/],
    ["local", "8080:/a\\", /lone backslash/],
    ["remote", "/a", /target's host or port is missing/],
    ["remote", "70000", /port 70000/],
    ["dynamic", "0", /port 0/],
    ["dynamic", "/a", /SOCKS proxy listens on a port/],
    ["dynamic", "1080:h:80", /no target/],
    ["dynamic", "", /a port is missing/],
  ];
  for (const [kind, text, message] of wrong) {
    assert.throws(() => parseForward(kind, text), (thrown) => {
      assert(thrown instanceof I2ptunError);
      assert.equal(thrown.kind, "usage");
      assert.match(thrown.message, message, `${kind} ${text}`);
      assert(thrown.message.includes(`"${text}"`) && thrown.remedy);
      return true;
    });
  }
});

const port = (lowest: number) => fc.integer({ min: lowest, max: 65535 });
const host = fc.oneof(
  fc.stringMatching(/^[a-z0-9][a-z0-9.-]{0,20}$/),
  fc.ipV4(),
  fc.ipV6().filter((ip) => ip.includes(":")),
);
const socket = fc.stringMatching(/^[ -~]{0,30}$/)
  .map((text) => `/${text}`)
  .map((text) => text.replaceAll("${", "$"))
  .chain((path) => fc.constantFrom(path, `~${path}`, `[ ${path}`, `.${path}`))
  .map(unix);
const bind = fc.option(fc.oneof(host, fc.constantFrom("", "*", "localhost")), {
  nil: undefined,
});
const listenTcp = (lowest: number) =>
  fc.tuple(bind, port(lowest)).map(([bind, port]) => tcp(bind, port));
const target = fc.oneof(
  fc.tuple(host, port(1)).map(([host, port]) => to(host, port)),
  socket,
);

const plain = { noNullPrototype: true } as const;

/** Any forward but a remote SOCKS proxy on a socket, which there is not. */
const anyForward: fc.Arbitrary<UnnamedForward> = fc.oneof(
  fc.record({
    kind: fc.constant("local" as const),
    listen: fc.oneof(listenTcp(1), socket),
    target,
  }, plain),
  fc.record({
    kind: fc.constant("remote" as const),
    listen: fc.oneof(listenTcp(0), socket),
    target,
  }, plain),
  fc.record({
    kind: fc.constant("remote" as const),
    listen: listenTcp(0),
    target: fc.constant(undefined),
  }, plain),
  fc.record(
    { kind: fc.constant("dynamic" as const), listen: listenTcp(1) },
    plain,
  ),
);

Deno.test("what is formatted is parsed back", () => {
  fc.assert(fc.property(anyForward, (forward) => {
    assert.deepEqual(
      parseForward(forward.kind, formatForward(forward)),
      forward,
    );
    if (forward.kind === "local") {
      assert.deepEqual(
        parseListen(formatListen(forward.listen)),
        forward.listen,
      );
    }
  }));
});

Deno.test("parsing never throws anything but a usage error", () => {
  const soup = fc.string({
    unit: fc.constantFrom(..."[]:/\\ *@%-0189ah\u0000ä$".split("")),
  });
  fc.assert(fc.property(
    fc.constantFrom<ForwardKind>("local", "remote", "dynamic"),
    soup,
    (kind, text) => {
      try {
        const forward = parseForward(kind, text);
        assert.deepEqual(parseForward(kind, formatForward(forward)), forward);
      } catch (thrown) {
        assert(thrown instanceof I2ptunError && thrown.kind === "usage");
      }
    },
  ));
});

const ssh = await new Deno.Command("ssh", { args: ["-V"], stderr: "null" })
  .output().then(({ success }) => success, () => false);

Deno.test({
  name: "ssh reads what is formatted the same way",
  ignore: !ssh,
  async fn() {
    for (const forward of fc.sample(anyForward, 40)) {
      const text = formatForward(forward);
      const flag = { local: "-L", remote: "-R", dynamic: "-D" }[forward.kind];
      const { stdout, stderr } = await new Deno.Command("ssh", {
        args: ["-G", "-F", "none", flag, text, "host"],
      }).output();
      const shown = new TextDecoder().decode(stdout).split("\n")
        .find((line) => line.startsWith(`${forward.kind}forward `));
      assert(shown, `${flag} ${text}: ${new TextDecoder().decode(stderr)}`);
      assert.equal(
        shown.slice(forward.kind.length + "forward ".length),
        asSshShows(forward),
        `${flag} ${text}`,
      );
    }
  },
});

function asSshShows(forward: UnnamedForward): string {
  const { listen } = forward;
  const bound = listen.kind === "unix"
    ? listen.path
    : listen.bind === undefined
    ? `${listen.port}`
    : `[${listen.bind}]:${listen.port}`;
  if (forward.kind === "dynamic") return bound;
  const { target } = forward;
  if (target === undefined) return `${bound} [socks]:0`;
  return target.kind === "unix"
    ? `${bound} ${target.path}`
    : `${bound} [${target.host}]:${target.port}`;
}

/**
 * What a browser could get in touch with, as a program in a network namespace.
 * It says on standard output, a line each, whatever reaches it: `dns NAME`,
 * `tcp PORT PATH`, `udp PORT`, `local PATH`, `console PATH`, `proxy METHOD
 * TARGET` (`proxy SOCKS HOST:PORT`).
 *
 * Arguments: `trap:ADDRESS`, `dns:ADDRESS`, `local:PORT`, `console:PORT`,
 * `proxy:PORT`, `socks:PORT`.
 *
 * @module
 */

/** Every name leads here, and so does the page. */
export const TRAP = "20.228.143.99";
export const DNS_SERVER = "20.228.143.53";
/** At which another program of the user's machine listens. */
export const LOCAL_PORT = 9999;
export const CONSOLE_PORT = 7657;

/** Tries all that a page can to get past a proxy, then goes to the next page. */
const PAGE = `<!DOCTYPE html>
<link rel="dns-prefetch" href="http://dns-prefetch.leak.example/">
<link rel="preconnect" href="http://preconnect.leak.example/">
<link rel="prefetch" href="http://prefetch.leak.example/">
<img src="http://image.leak.example/">
<img src="http://${TRAP}/image">
<iframe src="http://frame.leak.example/frame"></iframe>
<script>
const quietly = (promise) => promise.catch(() => {});
const ended = (target, ...names) => new Promise((resolve) => {
  for (const name of names) target.addEventListener(name, resolve);
});
const soon = (promise) => Promise.race([
  promise, new Promise((resolve) => setTimeout(resolve, 3000))]);
const get = (url) => quietly(fetch(url, { mode: "no-cors" }));
const socket = (url) => {
  try { return ended(new WebSocket(url), "close", "error", "open"); } catch {}
};
const rtc = async (...urls) => {
  if (!self.RTCPeerConnection) return;
  const peer = new RTCPeerConnection({ iceServers: [
    { urls }, { urls: "turn:${TRAP}:3478?transport=udp", username: "a", credential: "b" }] });
  const gathered = new Promise((resolve) => {
    peer.onicecandidate = ({ candidate }) => {
      if (candidate) candidates.push(candidate.candidate); else resolve();
    };
  });
  peer.createDataChannel("x");
  await peer.setLocalDescription(await peer.createOffer());
  await gathered;
};
const candidates = [];
addEventListener("load", async () => {
  await Promise.all([
    get("http://fetch.leak.example/"), get("https://tls.leak.example/"),
    get("http://${TRAP}/fetch"), get("https://${TRAP}/"), get("http://${TRAP}:8080/"),
    get("http://127.0.0.1:${LOCAL_PORT}/fetch"), get("http://localhost:${LOCAL_PORT}/fetch"),
    get("http://[::1]:${LOCAL_PORT}/fetch"), get("http://0.0.0.0:${LOCAL_PORT}/fetch"),
    socket("ws://socket.leak.example/"), socket("ws://${TRAP}:8080/"),
    socket("ws://127.0.0.1:${LOCAL_PORT}/socket"),
    rtc("stun:${TRAP}:3478", "stun:stun.leak.example:3478"),
  ].map((each) => soon(Promise.resolve(each))));
  await get("/candidates?" + encodeURIComponent(candidates.join(" | ")));
  location.href = "http://127.0.0.1:${LOCAL_PORT}/next";
});
</script>`;

/** As {@link PAGE}, in what browsers take for a page of this machine. */
const NEXT_PAGE = `<!DOCTYPE html><script>
(async () => {
  if (self.WebTransport) try {
    await Promise.race([new WebTransport("https://${TRAP}/").ready,
      new Promise((resolve) => setTimeout(resolve, 1000))]);
  } catch {}
  location.href = "http://127.0.0.1:${CONSOLE_PORT}/done";
})();
</script>`;

const say = (line: string) => console.log(line);

/** What a request, by its method and target, is answered with. */
type Answer = (method: string, target: string) => string | undefined;

async function serve(
  address: { hostname: string; port: number },
  take: (connection: Deno.Conn) => Promise<void>,
): Promise<void> {
  for await (const connection of Deno.listen(address)) {
    take(connection).catch(() => {}).finally(() => connection.close());
  }
}

/** HTTP/1.1, one request a connection. */
function http(answer: Answer): (connection: Deno.Conn) => Promise<void> {
  return async (connection) => {
    const text = new TextDecoder("latin1").decode(await read(connection));
    const [, method = "", target = ""] = /^([A-Z]+) (\S+) /.exec(text) ?? [];
    const page = answer(method, target);
    const body = new TextEncoder().encode(page ?? "");
    const head = page === undefined ? "502 Bad Gateway" : "200 OK";
    await connection.write(
      new TextEncoder().encode(
        `HTTP/1.1 ${head}\r\nContent-Type: text/html\r\n` +
          `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n`,
      ),
    );
    await connection.write(body);
  };
}

/** RFC 1928; whatever host is wanted, {@link pageAt} is what is there. */
async function socks(connection: Deno.Conn): Promise<void> {
  await read(connection);
  await connection.write(Uint8Array.of(5, 0));
  const request = await read(connection);
  const kind = request[3]!;
  const end = request.length - 2;
  const host = kind === 3
    ? new TextDecoder().decode(request.subarray(5, end))
    : request.subarray(4, end).join(".");
  const port = request[end]! * 256 + request[end + 1]!;
  say(`proxy SOCKS ${host}:${port}`);
  await connection.write(Uint8Array.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0));
  await http((_method, target) => {
    say(`proxy path ${target}`);
    return pageAt(target);
  })(connection);
}

async function read(connection: Deno.Conn): Promise<Uint8Array> {
  const bytes = new Uint8Array(16_384);
  return bytes.subarray(0, await connection.read(bytes) ?? 0);
}

function pageAt(target: string): string | undefined {
  const { pathname } = new URL(target, "http://x");
  return { "/": PAGE, "/next": NEXT_PAGE }[pathname];
}

function trap(hostname: string): void {
  for (const port of [80, 443, 8080, 3478]) {
    serve(
      { hostname, port },
      http((_method, target) => {
        say(`tcp ${port} ${target}`);
        return port === 80 ? pageAt(target) : undefined;
      }),
    );
  }
  for (const port of [443, 3478]) {
    hear(hostname, port, () => void say(`udp ${port}`));
  }
}

async function hear(
  hostname: string,
  port: number,
  answer: (packet: Uint8Array) => Uint8Array | void,
): Promise<void> {
  const socket = Deno.listenDatagram({ transport: "udp", hostname, port });
  for await (const [packet, from] of socket) {
    const reply = answer(packet);
    if (reply) await socket.send(reply, from);
  }
}

/** RFC 1035, 4.1: a header of 12 bytes, then the question. */
function answerDns(query: Uint8Array<ArrayBuffer>): Uint8Array {
  const labels: string[] = [];
  let at = 12;
  for (let length; (length = query[at]!) > 0; at += length + 1) {
    labels.push(
      new TextDecoder().decode(query.subarray(at + 1, at + 1 + length)),
    );
  }
  say(`dns ${labels.join(".")}`);
  const isA = query[at + 2] === 1;
  const question = query.subarray(12, at + 5);
  return Uint8Array.of(
    ...query.subarray(0, 2),
    // an answer, without an error; one question, and an answer to it if for A
    ...[0x81, 0x80, 0, 1, 0, isA ? 1 : 0, 0, 0, 0, 0],
    ...question,
    // the name of the question, A, IN, for a second, four bytes
    ...(isA ? [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4] : []),
    ...(isA ? TRAP.split(".").map(Number) : []),
  );
}

/** What each argument starts, by what is before its colon. */
const SERVERS: Record<string, (where: string) => void> = {
  trap,
  dns: (where) =>
    void hear(where, 53, (packet) => answerDns(new Uint8Array(packet))),
  local: (where) =>
    everywhere(where, (target) => {
      say(`local ${target}`);
      return pageAt(target);
    }),
  console: (where) =>
    everywhere(where, (target) => {
      say(`console ${target}`);
      return pageAt(target) ?? "the console";
    }),
  proxy: (where) =>
    void serve(
      { hostname: "127.0.0.1", port: Number(where) },
      http((method, target) => {
        say(`proxy ${method} ${target}`);
        return method === "GET" ? pageAt(target) : undefined;
      }),
    ),
  socks: (where) =>
    void serve({ hostname: "127.0.0.1", port: Number(where) }, socks),
};

/** Serves at all of the loopback. */
function everywhere(
  port: string,
  answer: (target: string) => string | undefined,
) {
  for (const hostname of ["127.0.0.1", "::1"]) {
    serve(
      { hostname, port: Number(port) },
      http((_method, target) => answer(target)),
    );
  }
}

if (import.meta.main) {
  for (const argument of Deno.args) {
    const [what, where] = argument.split(":") as [string, string];
    SERVERS[what]!(where);
  }
  say("ready");
}

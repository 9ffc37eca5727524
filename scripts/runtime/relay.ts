/**
 * What relay.c does, with nothing but Deno: the least that a program in it costs
 * between two sockets.
 *
 *     deno run -A relay.ts PORT TO
 */
const [port, to] = Deno.args.map(Number);

async function pass(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(65536);
  for (;;) {
    const length = await from.read(buffer);
    if (length === null) Deno.exit();
    await to.write(buffer.subarray(0, length));
  }
}

const hostname = "127.0.0.1";
using listener = Deno.listen({ hostname, port: port! });
console.log("listening");
const near = await listener.accept();
const far = await Deno.connect({ hostname, port: to! });
near.setNoDelay(true);
far.setNoDelay(true);
await Promise.all([pass(near, far), pass(far, near)]);

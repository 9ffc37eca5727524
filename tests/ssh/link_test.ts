import assert from "node:assert/strict";
import { once } from "node:events";
import { Link } from "../../src/ssh/link.ts";
import { PromptAck } from "../../src/ssh/prompt_ack.ts";

/** Writes down what it is told. */
class Recorder extends PromptAck {
  readonly told: string[] = [];
  constructor() {
    super(() => false, () => {});
  }
  override received() {
    this.told.push("received");
  }
  override sent() {
    this.told.push("sent");
  }
  override stop() {
    this.told.push("over");
  }
}

Deno.test("a link tells what comes and goes, before anything is done about it", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepting = listener.accept();
  const link = new Link(
    await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port }),
  );
  using peer = await accepting;
  const { told } = link.promptAck = new Recorder();
  link.on("data", (bytes) => link.send(bytes));
  await peer.write(new Uint8Array(5));
  assert.equal(await peer.read(new Uint8Array(10)), 5);
  assert.deepEqual(told.splice(0), ["received", "sent"]);

  // however much it is
  const much = new Uint8Array(64 * 1024);
  const writing = peer.write(much);
  for (let length = 0; length < much.length;) {
    length += (await peer.read(new Uint8Array(much.length)))!;
  }
  assert.equal(await writing, much.length);
  assert.deepEqual(told.splice(0).slice(0, 2), ["received", "sent"]);
  link.destroy();
  await once(link, "close");
  assert.deepEqual(told, ["over"]);
});

import assert from "node:assert/strict";
import { join } from "node:path";
import type { ListenAddress } from "../../src/forward/address.ts";
import { explain, openListener } from "../../src/forward/listener.ts";
import { freePort } from "../support/ports.ts";
import { testWith } from "../support/requirements.ts";
import { makeScratchDir, removeDir } from "../support/scratch.ts";

const portOwner = () => Promise.resolve({ name: "javaw.exe (pid 4242)" });

Deno.test("a program that the system would let us hide is in the way", async () => {
  const port = freePort();
  const asked: string[] = [];
  await assert.rejects(
    openListener({
      name: "console",
      listen: { kind: "tcp", bind: undefined, port },
      onConnection: () => {},
      portOwner,
      isTaken: (host, port) => {
        asked.push(`${host} ${port}`);
        return Promise.resolve(host === "127.0.0.1");
      },
    }),
    new RegExp(`port ${port} is already in use by javaw\\.exe \\(pid 4242\\)`),
  );
  assert.deepEqual(asked, [`127.0.0.1 ${port}`, `::1 ${port}`]);
});

testWith(
  ["linux"],
  "a Unix socket that nobody listens at is no hindrance",
  async () => {
    const scratch = await makeScratchDir();
    const path = join(scratch, "s");
    const open = (onConnection: (conn: Deno.Conn) => void) =>
      openListener({
        name: "console",
        listen: { kind: "unix", path },
        onConnection,
        portOwner,
      });
    // its own name it would take with it
    const killed = Deno.listen({ transport: "unix", path: `${path}.first` });
    await Deno.rename(`${path}.first`, path);
    killed.close();

    const { promise, resolve } = Promise.withResolvers<Deno.Conn>();
    const listener = await open(resolve);
    // one that is used is left alone, and so is what is no socket
    await assert.rejects(open(() => {}), /cannot listen at .* in use/);
    (await promise).close();
    await listener.close();
    await Deno.writeTextFile(path, "mine");
    await assert.rejects(open(() => {}), /cannot listen at .* in use/);
    assert.equal(await Deno.readTextFile(path), "mine");
    await removeDir(scratch);
  },
);

Deno.test("what cannot be listened at is explained for each system", async () => {
  const why = (system: "linux" | "windows", listen: ListenAddress) =>
    explain(
      Object.assign(new Error("no"), { code: "EACCES" }),
      { name: "console", listen, portOwner, system },
    );
  const tcp = { kind: "tcp", bind: undefined, port: 700 } as const;
  assert.match((await why("linux", tcp)).remedy!, /below 1024/);
  assert.match((await why("windows", tcp)).remedy!, /excludedportrange/);
  const unix = { kind: "unix", path: "/s" } as const;
  assert.match((await why("linux", unix)).message, /cannot listen at \/s: no/);
  assert.match(
    (await why("windows", unix)).message,
    /console: Windows has no Unix sockets/,
  );
});

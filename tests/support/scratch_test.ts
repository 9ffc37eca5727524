import assert from "node:assert/strict";
import { Child } from "./child.ts";
import { listProcesses, searchProcesses } from "./processes.ts";
import { testWith } from "./requirements.ts";
import { makeScratchDir, removeDir, sweepNow } from "./scratch.ts";

testWith(
  ["remote-host", "test-user", "tmux"],
  "what a killed run leaves behind is swept away, and nothing else",
  async () => {
    const own = await makeScratchDir();
    const support = (file: string) => new URL(file, import.meta.url).href;
    const script = `
      import { startRemoteHost } from "${support("./remote_host.ts")}";
      import { testUser } from "${support("./test_user.ts")}";
      import { startTerminal } from "${support("./terminal.ts")}";
      const host = await startRemoteHost();
      const user = await testUser();
      await startTerminal({ command: ["sleep", "1000"], env: Deno.env.toObject() });
      console.log("up " + host.namespace + " " + user.name);
      await new Promise((resolve) => setTimeout(resolve, 600_000));
    `;
    const file = `${own}/killed_run.ts`;
    await Deno.writeTextFile(file, script);
    const args = ["run", "-q", "--no-prompt", "-A", "--no-config", file];
    await using run = new Child(Deno.execPath(), args);
    const [, namespace, user] = await run.waitFor(/^up (\S+) (\S+)$/m);
    const traces = () => leftBy(run.pid);

    assert.deepEqual(await traces(), {
      servers: ["sshd", "tmux"],
      names: [namespace, user],
      folders: 3,
    });
    await sweepNow();
    assert.equal((await traces()).folders, 3, "swept while its owner lives");

    run.signal("SIGKILL");
    await run.exit;
    await sweepNow();
    assert.deepEqual(await traces(), { servers: [], names: [], folders: 0 });
    assert((await Deno.stat(own)).isDirectory);
    await removeDir(own);
  },
);

/** What there is on the machine that carries the owner's id. */
async function leftBy(owner: number) {
  const mark = `i2ptun-t-${owner}-`;
  const names = async (dir: string) =>
    (await Array.fromAsync(Deno.readDir(dir))).map(({ name }) => name)
      .filter((name) => name.startsWith(mark));
  const marked = new Set(searchProcesses("cmdline", mark).map((p) => p.pid));
  const processes = listProcesses().filter(({ pid }) => marked.has(pid));
  const users = (await Deno.readTextFile("/etc/passwd")).split("\n")
    .map((line) => line.split(":")[0]!).filter((name) => name.startsWith(mark));
  return {
    servers: ["sshd", "tmux"].filter((server) =>
      processes.some(({ name }) => name.startsWith(server))
    ),
    names: [...await names("/run/netns"), ...users],
    folders: (await names(Deno.env.get("TMPDIR") ?? "/tmp")).length,
  };
}

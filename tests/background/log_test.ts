import assert from "node:assert/strict";
import { join } from "node:path";
import { formatLine, openLog } from "../../src/background/log.ts";
import { makeScratchDir, removeDir } from "../support/scratch.ts";

/** A log keeps its file open for as long as the process lives. */
function testLog(name: string, fn: () => void | Promise<void>): void {
  Deno.test({ name, fn, sanitizeResources: false });
}

testLog("an event is one line, whatever a server put into it", () => {
  const time = new Date("2026-11-21T10:00:00Z");
  assert.equal(
    formatLine(time, "warning", "he said:\r\n\x1b[31mred\x07"),
    "2026-11-21T10:00:00.000Z warning he said: [31mred ",
  );
});

testLog("a log keeps within its limit and the newest lines", async () => {
  const scratch = await makeScratchDir();
  const path = join(scratch, "home.log");
  const log = openLog(path, "info");
  for (let i = 0; i < 5000; i++) log("info", `event ${i} ${"x".repeat(1000)}`);
  let total = 0;
  for (const { name } of Deno.readDirSync(scratch)) {
    total += Deno.statSync(join(scratch, name)).size;
  }
  assert.ok(total > 1_000_000 && total <= 4 * 1024 * 1024, `${total} bytes`);
  assert.match(Deno.readTextFileSync(path), /event 4999 /);
  await removeDir(scratch);
});

testLog("debug events are left out unless wanted", async () => {
  const scratch = await makeScratchDir();
  openLog(join(scratch, "a.log"), "info")("debug", "detail");
  openLog(join(scratch, "b.log"), "debug")("debug", "detail");
  assert.throws(() => Deno.statSync(join(scratch, "a.log")));
  assert.match(Deno.readTextFileSync(join(scratch, "b.log")), /detail/);
  await removeDir(scratch);
});

testLog(
  "a log that cannot be written throws nothing, and goes on later",
  async () => {
    const scratch = await makeScratchDir();
    const folder = join(scratch, "log");
    const log = openLog(join(folder, "home.log"), "info");
    log("info", "lost");
    Deno.mkdirSync(folder);
    log("info", "kept");
    const text = Deno.readTextFileSync(join(folder, "home.log"));
    assert.match(text, /kept/);
    assert.doesNotMatch(text, /lost/);
    await removeDir(scratch);
  },
);

testLog("old lines move to numbered files, all of them private", async () => {
  const scratch = await makeScratchDir();
  const path = join(scratch, "home.log");
  // as an earlier version, or someone with another umask, may have left it
  Deno.writeTextFileSync(path, `${"old\n".repeat(262_140)}`, { mode: 0o644 });
  const log = openLog(path, "info");
  log("info", `first ${"x".repeat(1000)}`);
  assert.match(Deno.readTextFileSync(`${path}.1`), /^old\n/);
  assert.match(Deno.readTextFileSync(path), /^\S+Z info {4}first x/);
  for (const { name } of Deno.readDirSync(scratch)) {
    if (Deno.build.os === "windows") break;
    assert.equal(Deno.statSync(join(scratch, name)).mode! & 0o777, 0o600, name);
  }
  await removeDir(scratch);
});

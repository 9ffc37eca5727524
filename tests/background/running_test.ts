import assert from "node:assert/strict";
import { join } from "node:path";
import { RunFolder } from "../../src/background/records.ts";
import { stopRunning } from "../../src/background/running.ts";
import { makeScratchDir, removeDir } from "../support/scratch.ts";

Deno.test("what a killed process has left is removed, unless another runs", async () => {
  const dir = await makeScratchDir();
  const folder = new RunFolder(dir);
  await folder.prepare();
  const record = { name: "home", pid: 1, control: join(dir, "home.sock") };
  await folder.write(record);

  const lock = await folder.lock("home");
  assert.equal(await stopRunning(folder, "home"), false);
  assert.deepEqual(await folder.read("home"), record);
  lock!.release();

  assert.equal(await stopRunning(folder, "home"), false);
  assert.equal(await folder.read("home"), undefined);
  (await folder.lock("home"))!.release();
  await removeDir(dir);
});

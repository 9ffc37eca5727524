import assert from "node:assert/strict";
import { editorWords, killProcess } from "../../src/platform/run.ts";

Deno.test("an editor's command has words, and paths with spaces", () => {
  assert.deepEqual(editorWords("vi"), ["vi"]);
  assert.deepEqual(editorWords(" code  --wait "), ["code", "--wait"]);
  assert.deepEqual(
    editorWords('"C:\\Program Files\\Notepad++\\notepad++.exe" -multiInst ""'),
    ["C:\\Program Files\\Notepad++\\notepad++.exe", "-multiInst", ""],
  );
  assert.deepEqual(editorWords(" "), []);
});

Deno.test("only a process is killed, never a group of them", () => {
  const killed: number[] = [];
  const kill = (pid: number) => void killed.push(pid);
  for (const pid of [1, 0, -1, -4242, 1.5, NaN, "1" as unknown as number]) {
    assert.equal(killProcess(pid, kill), false, `${pid}`);
  }
  assert.equal(killProcess(4242, kill), true);
  assert.deepEqual(killed, [4242]);
});

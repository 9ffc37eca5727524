import assert from "node:assert/strict";
import { editorWords } from "../../src/platform/run.ts";

Deno.test("an editor's command has words, and paths with spaces", () => {
  assert.deepEqual(editorWords("vi"), ["vi"]);
  assert.deepEqual(editorWords(" code  --wait "), ["code", "--wait"]);
  assert.deepEqual(
    editorWords('"C:\\Program Files\\Notepad++\\notepad++.exe" -multiInst ""'),
    ["C:\\Program Files\\Notepad++\\notepad++.exe", "-multiInst", ""],
  );
  assert.deepEqual(editorWords(" "), []);
});

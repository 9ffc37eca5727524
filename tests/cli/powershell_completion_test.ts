/** What of PowerShell's script can be told without PowerShell: that it is one. */
import assert from "node:assert/strict";
import { COMPLETION_SCRIPTS } from "../../src/cli/completion_scripts.ts";
import { loadPowerShell } from "../support/powershell.ts";

const SCRIPT = COMPLETION_SCRIPTS.powershell;

Deno.test("PowerShell's grammar has its completion script", async () => {
  const powershell = await loadPowerShell();
  assert(powershell.accepts(SCRIPT));
  // what is in comments and texts blanked out
  const code = SCRIPT.replaceAll(
    /#.*$|'[^'\n]*'/gm,
    (text) => " ".repeat(text.length),
  );
  const brackets = [...code.matchAll(/[(){}]/g)];
  assert(brackets.length > 30);
  for (const { index } of brackets) {
    const broken = SCRIPT.slice(0, index) + SCRIPT.slice(index + 1);
    assert(!powershell.accepts(broken), `without what is at ${index}`);
  }
});

import assert from "node:assert/strict";
import { openContext } from "../../src/cli/context.ts";
import { demo } from "../../src/cli/commands/demo.ts";

Deno.test({
  name: "a demo whose page does not come through ends",
  // on Deno 2.7 a cipher counts as open until its end, which ssh2 never comes to
  sanitizeResources: false,
  // nor has a server of Node yet told that it is closed
  sanitizeOps: false,
  fn: async () => {
    const context = openContext({ json: true });
    await assert.rejects(demo(true, context, 1), {
      kind: "unforeseen",
      message: "the page did not come through within 0.001 s",
    });
  },
});

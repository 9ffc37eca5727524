/** What is kept of a profile that is not saved yet. */
import assert from "node:assert/strict";
import { type Draft, keepDraft, loadDraft } from "../../src/cli/draft.ts";
import type { Paths } from "../../src/platform/paths.ts";
import { makeScratchDir, removeDir } from "../support/scratch.ts";

const DRAFT: Draft = {
  server: "me@host",
  user: "",
  identity: ["~/.ssh/key"],
  services: ["console"],
  name: "home",
  halfTyped: { keyFile: "~/.s" },
};

Deno.test("a draft comes back as it was kept; what is none is an empty one", async () => {
  const state = await makeScratchDir();
  try {
    const paths = { state } as Paths;
    const load = (written: object) => {
      Deno.writeTextFileSync(`${state}/draft.json`, JSON.stringify(written));
      return loadDraft(paths);
    };
    const empty = await loadDraft(paths);
    assert.deepEqual(empty, {
      ...{ server: "", user: "", identity: [], name: "", halfTyped: {} },
    });
    await keepDraft(DRAFT, paths);
    assert.deepEqual(await loadDraft(paths), DRAFT);

    const { services: _, halfTyped: __, ...least } = DRAFT;
    assert.deepEqual(await load({ ...least, other: 1 }), {
      ...least,
      halfTyped: {},
    });
    const { name: ___, ...nameless } = DRAFT;
    const wrong = [
      ...[[], nameless, { ...DRAFT, server: 5 }],
      ...[{ ...DRAFT, identity: [5] }, { ...DRAFT, services: ["consol"] }],
      { ...DRAFT, halfTyped: { name: 5 } },
    ];
    for (const each of wrong) {
      assert.deepEqual(await load(each), empty, JSON.stringify(each));
    }
  } finally {
    await removeDir(state);
  }
});

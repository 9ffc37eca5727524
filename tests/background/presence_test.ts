import assert from "node:assert/strict";
import { checkPresence } from "../../src/background/presence.ts";
import { ProfileStore } from "../../src/profile/store.ts";
import { makeScratchDir, removeDir } from "../support/scratch.ts";

const FILE = `version: 1
profiles:
  home:
    server: i2p@example.org # my home: far away
    forwards: [console]
  work:
    server: i2p@example.net
    forwards: [console]
`;

/** Looks for `home` after its file has been changed to this. */
async function changedTo(text: string | undefined): Promise<void> {
  const dir = await makeScratchDir();
  try {
    const file = `${dir}/profiles.yaml`;
    await Deno.writeTextFile(file, FILE);
    const profile = await new ProfileStore(file).get("home");
    if (text === undefined) await Deno.remove(file);
    else await Deno.writeTextFile(file, text);
    await checkPresence(profile);
  } finally {
    await removeDir(dir);
  }
}

for (
  const [what, text] of Object.entries({
    "another name": FILE.replace("  home:", "  my-home:"),
    "out as a comment": FILE.replace(
      / {2}home:[^]*(?= {2}work)/,
      "  # home:\n",
    ),
    "none left": "version: 1\nprofiles: {}\n",
  })
) {
  Deno.test(`a profile that is gone from its file: ${what}`, async () => {
    await assert.rejects(
      changedTo(text.replace(/ # .*/, "")),
      /home is no longer in \S+profiles\.yaml/,
    );
  });
}

for (
  const [what, text] of Object.entries({
    "as it was": FILE,
    "changed": FILE.replace("i2p@", "me@"),
    "in quotes": FILE.replace("home:", '"home" :'),
    "in braces": "profiles: {home: {server: a@b, forwards: [console]}}",
    "being written": "version: 1\n",
    "away": undefined,
  })
) {
  Deno.test(`a profile whose file says nothing against it: ${what}`, async () => {
    await changedTo(text);
  });
}

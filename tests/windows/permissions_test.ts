import assert from "node:assert/strict";
import { get } from "../e2e/setup.ts";
import { INSIDER, Insider } from "../support/insider.ts";
import { WINDOWS_HOME } from "../support/wine.ts";
import { startWindowsSite, STATE, statusOf, testWindows } from "./setup.ts";

testWindows(
  "a tunnel can start, write, read and load nothing",
  async (machine) => {
    await using site = await startWindowsSite(machine);
    await Deno.mkdir(`${machine.home}/${STATE}/log`, { recursive: true });
    using insider = new Insider();
    await using child = await machine.startScript(
      INSIDER,
      ...[insider.port, WINDOWS_HOME],
      ...["profile", "start", "home", "--foreground"],
    );
    await insider.hasBegun();
    await child.waitFor(/home is up/);
    await insider.assertConfined();
    assert((await get(site.port)).endsWith(site.page.text));
    // still after it has logged in again, which needs the key
    site.sshd.killConnections();
    await child.waitFor(/home is reconnecting[^]*home is up/);
    await insider.assertConfined();
    assert((await get(site.port)).endsWith(site.page.text));
    assert.equal((await statusOf(machine)).reconnects, 1);
  },
);

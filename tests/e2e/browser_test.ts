/**
 * A real browser behind a dynamic forward, in namespaces from which nothing
 * leads out. Its page is on the server's own loopback, and there only.
 */
import assert from "node:assert/strict";
import { testWith } from "../support/requirements.ts";
import { startPrivateNetwork } from "./private_network.ts";
import { type Status, succeed } from "./setup.ts";

const QUIET = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--disable-dev-shm-usage",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-extensions",
  "--no-default-browser-check",
  "--password-store=basic",
];

testWith(
  ["remote-host", "chromium"],
  "Chromium gets a page through the dynamic forward",
  async (context) => {
    await using network = await startPrivateNetwork();
    await using _pages = await network.servePages("far", [7657]);
    const { sandbox, sshd } = network;
    const command = ["ssh", "-f", "-D", "1080", `${sshd.user}@remote-server`];
    const up = await network.run("near", "i2ptun", ...command);
    assert.equal(up.code, 0, up.stderr);

    /** @returns the page's HTML, with its scripts run */
    const browse = async (url: string, ...options: string[]) => {
      const { code, stdout, stderr } = await network.run(
        ...["near", "chromium", ...QUIET] as const,
        `--user-data-dir=${sandbox.home}/${crypto.randomUUID()}`,
        ...[...options, "--dump-dom", url],
      );
      assert.equal(code, 0, stderr);
      return stdout;
    };
    const connections = async () => {
      const status = ["profile", "status", "remote-server", "--json"];
      const [profile]: Status[] =
        JSON.parse(await succeed(sandbox, status)).profiles;
      return profile!.forwards[0]!.connections.total;
    };

    // a browser leaves out its proxy for such addresses unless it is told
    const everything = "--proxy-bypass-list=<-loopback>";
    const page = network.page("far", 7657);
    for (const scheme of ["socks5", "http"]) {
      for (const host of ["localhost", "127.0.0.1"]) {
        await context.step(`${scheme}, ${host}`, async () => {
          const before = await connections();
          const html = await browse(
            `http://${host}:7657/`,
            `--proxy-server=${scheme}://127.0.0.1:1080`,
            everything,
          );
          assert(html.includes(page), html);
          assert(await connections() > before);
        });
      }
    }
    await context.step("and not without it", async () => {
      const html = await browse("http://127.0.0.1:7657/");
      assert(!html.includes(page), html);
    });
    await succeed(sandbox, ["profile", "stop", "remote-server"]);
  },
);

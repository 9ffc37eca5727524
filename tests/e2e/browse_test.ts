import assert from "node:assert/strict";
import { freePort } from "../support/ports.ts";
import { testWith } from "../support/requirements.ts";
import {
  assertFails,
  type Site,
  startSite,
  succeed,
  writeProfile,
} from "./setup.ts";

/** A site whose profile has the proxy and the console of a router. */
async function startRouter(): Promise<Site & { proxy: number }> {
  const site = await startSite();
  const proxy = freePort();
  await writeProfile(site.sandbox, {
    server: site.server,
    forward: `{ service: console, listen: ${site.port} }\n` +
      `      - { service: http-proxy, listen: ${proxy} }`,
  });
  return { ...site, proxy };
}

/**
 * An environment in which the only browsers are scripts that write down their
 * arguments, a line each, and end with this exit code.
 */
async function withBrowsers(
  { sandbox }: Site,
  code = 0,
): Promise<{ PATH: string }> {
  const folder = `${sandbox.home}/browsers`;
  await Deno.mkdir(folder, { recursive: true });
  for (const name of ["firefox", "chromium"]) {
    await Deno.writeTextFile(
      `${folder}/${name}`,
      `#!/bin/sh\nprintf '%s\\n' "$@" > "${folder}/${name}.args"\nexit ${code}\n`,
      { mode: 0o755 },
    );
  }
  return { PATH: folder };
}

async function argumentsOf({ sandbox }: Site, name: string): Promise<string[]> {
  const file = `${sandbox.home}/browsers/${name}.args`;
  return (await Deno.readTextFile(file)).trimEnd().split("\n");
}

const folderOf = ({ sandbox }: Site, browser: string) =>
  `${sandbox.home}/.local/state/i2ptun/browser/home.${browser}`;

testWith(["sshd", "linux"], "browse starts a browser of its own", async () => {
  await using site = await startRouter();
  const { sandbox, port, proxy } = site;
  await succeed(sandbox, ["profile", "start", "home"]);
  const env = await withBrowsers(site);

  const folder = folderOf(site, "firefox");
  const said = await succeed(sandbox, ["browse", "home"], { env });
  assert(said.includes(folder), said);
  assert.deepEqual(await argumentsOf(site, "firefox"), [
    "--profile",
    folder,
    `file://${folder}/start.html`,
  ]);
  assert.equal(Deno.statSync(folder).mode! & 0o777, 0o700);
  const user = await Deno.readTextFile(`${folder}/user.js`);
  assert(user.includes(`user_pref("network.proxy.http_port", ${proxy});`));
  assert(
    user.includes(
      `user_pref("network.proxy.no_proxies_on", "127.0.0.1:${port}");`,
    ),
  );
  assert.equal(Deno.statSync(`${folder}/user.js`).mode! & 0o777, 0o600);
  const start = await Deno.readTextFile(`${folder}/start.html`);
  assert(start.includes(`http://127.0.0.1:${port}/`), start);

  const chromium = ["browse", "home", "stats.i2p", "--browser", "chromium"];
  await succeed(sandbox, chromium, { env });
  const args = await argumentsOf(site, "chromium");
  assert(args.includes(`--proxy-server=http://127.0.0.1:${proxy}`));
  assert(
    args.includes(`--proxy-bypass-list=<-loopback>;127.0.0.1:${port}`),
    args.join("\n"),
  );
  assert.equal(args.at(-1), "http://stats.i2p/");
});

testWith(["sshd", "linux"], "browse keeps what the browser keeps", async () => {
  await using site = await startRouter();
  const { sandbox } = site;
  await succeed(sandbox, ["profile", "start", "home"]);
  const env = await withBrowsers(site);
  const browse = ["browse", "home", "--browser", "chromium"];
  await succeed(sandbox, browse, { env });
  const file = `${folderOf(site, "chromium")}/Default/Preferences`;
  const preferences = JSON.parse(await Deno.readTextFile(file));
  preferences.bookmark_bar = { show_on_all_tabs: true };
  preferences.search = { suggest_enabled: true, other: [1] };
  await Deno.writeTextFile(file, JSON.stringify(preferences));
  await succeed(sandbox, browse, { env });
  const after = JSON.parse(await Deno.readTextFile(file));
  assert.deepEqual(after.bookmark_bar, { show_on_all_tabs: true });
  assert.deepEqual(after.search, { suggest_enabled: false, other: [1] });
  // what Chromium itself could not read is no reason to fail
  await Deno.writeTextFile(file, "{");
  await succeed(sandbox, browse, { env });
  const anew = JSON.parse(await Deno.readTextFile(file));
  assert.deepEqual(anew.search, { suggest_enabled: false });
});

testWith(["sshd", "linux"], "browse prints what it would start", async () => {
  await using site = await startRouter();
  const { sandbox } = site;
  await succeed(sandbox, ["profile", "start", "home"]);
  const env = await withBrowsers(site);
  const args = ["browse", "home", "--browser", "chromium", "--print"];
  const line = await succeed(sandbox, args, { env });
  await assert.rejects(argumentsOf(site, "chromium"));
  // ready to paste: the profile is there, the words are quoted
  Deno.statSync(`${folderOf(site, "chromium")}/Default/Preferences`);
  const { success } = await new Deno.Command("/bin/sh", {
    args: ["-c", line],
    env: { PATH: "/usr/bin:/bin" },
  }).output();
  assert(success);
  const shown = JSON.parse(
    await succeed(sandbox, [...args, "--json"], { env }),
  );
  assert.deepEqual(shown.command.slice(1), await argumentsOf(site, "chromium"));
  assert.equal(shown.folder, folderOf(site, "chromium"));
  assert.equal(shown.browser, "chromium");
});

testWith(["sshd", "linux"], "browse --pac needs no browser", async () => {
  await using site = await startRouter();
  const { sandbox, proxy } = site;
  await succeed(sandbox, ["profile", "start", "home"]);
  const env = { PATH: "/nowhere" };
  const pac = await succeed(sandbox, ["browse", "home", "--pac"], { env });
  const find = new Function(`${pac}; return FindProxyForURL;`)();
  assert.equal(find("http://x.i2p/", "x.i2p"), `PROXY 127.0.0.1:${proxy}`);
  assert.equal(find("http://x.com/", "x.com"), "DIRECT");
  assertFails(
    await sandbox.run(["browse", "home"], { env }),
    1,
    /found no Firefox and no Chromium/,
  );
});

testWith(["sshd", "linux"], "what browse cannot do, it says", async () => {
  await using site = await startRouter();
  const { sandbox, server, forward } = site;
  const env = await withBrowsers(site, 3);
  const fails = async (args: string[], code: number, error: RegExp) =>
    assertFails(await sandbox.run(["browse", ...args], { env }), code, error);
  await fails(["hoem"], 3, /no profile "hoem"/);
  await fails(["home"], 3, /home is not running/);
  await fails(["home", "--pac"], 3, /home is not running/);
  await succeed(sandbox, ["profile", "start", "home"]);
  await fails(["home", "ftp://x.i2p/"], 2, /is no address of a page/);
  await fails(["home", "a b"], 2, /a b is no address of a page/);
  await fails(["home", "--browser", "lynx"], 2, /no known browser lynx/);
  await fails(["home", "--browser", "brave"], 1, /brave is not installed/);
  await fails(["home"], 1, /firefox ended at once, with exit code 3/);
  await succeed(sandbox, ["profile", "stop", "home"]);

  await writeProfile(sandbox, {
    server,
    forward: `${forward}\n      - { dynamic: "${freePort()}" }`,
  });
  await succeed(sandbox, ["profile", "start", "home"]);
  await fails(["home"], 2, /home has no forward to an I2P proxy/);
});

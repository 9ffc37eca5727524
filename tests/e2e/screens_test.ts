/** What docs/ show of a check and of a router's services, with a real i2pd. */
import assert from "node:assert/strict";
import { Sandbox } from "../support/program.ts";
import { type RemoteHost, startRemoteHost } from "../support/remote_host.ts";
import { testWith } from "../support/requirements.ts";
import { succeed } from "./setup.ts";

/** The block of a page that begins with this command. */
function shown(file: string, command: string): string {
  const page = Deno.readTextFileSync(
    new URL(`../../docs/${file}`, import.meta.url),
  );
  const start = page.indexOf(`\`\`\`console\n$ ${command}\n`);
  assert(start >= 0, `${file} has no ${command}`);
  return page.slice(page.indexOf("\n$", start) + 1).split("\n```")[0]!;
}

/** What differs from machine to machine, as the pages have it. */
function asInPages(said: string, host: RemoteHost, sandbox: Sandbox): string {
  return said
    .replaceAll(`${host.sshd.user}@`, "i2p@")
    .replaceAll(host.address, "20.228.143.58")
    .replaceAll(sandbox.home, "/home/me");
}

/** Versions and keys are no part of the comparison. */
function plain(text: string): string {
  return text.trim()
    .replace(/OpenSSH_\S+( Debian\S+)?/g, "OpenSSH")
    .replace(/SHA256:\S+/g, "SHA256:")
    .replace(/(i2pd webconsole) [\d.]+/g, "$1");
}

testWith(["remote-host-with-i2pd"], "pages of docs, real", async () => {
  await using host = await startRemoteHost({ i2pd: true });
  await using sandbox = await Sandbox.create();
  await sandbox.trust(host.sshd);
  await host.sshd.authorize((await sandbox.key()).publicLine);
  const add = ["profile", "add", "home", "--server"];
  const server = `${host.sshd.user}@${host.address}`;
  const services = ["--service", "console", "--service", "http-proxy"];
  await succeed(sandbox, [...add, server, ...services]);

  const check = await sandbox.run(["profile", "check", "home"]);
  assert.equal(check.code, 7);
  const said = asInPages(check.stdout + check.stderr, host, sandbox);
  assert.equal(
    plain(`$ i2ptun profile check home\n${said}`),
    plain(shown("troubleshooting.md", "i2ptun profile check home")),
  );

  const { stdout, stderr } = await sandbox.run(["discover", "home"]);
  const discovered = stdout.split("\n").map(plain);
  const [, ...lines] = shown("profiles.md", "i2ptun discover home").split("\n");
  // the page has some of the services, and one that no i2pd has
  for (const line of lines.filter((line) => /^[·✓]/.test(line))) {
    assert(discovered.includes(plain(line)), line);
  }
  const last = /^add .* with: i2ptun discover home --add$/m;
  assert.match(lines.at(-1)!, last);
  assert.match(stderr, last);
});

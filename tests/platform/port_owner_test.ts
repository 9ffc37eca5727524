import assert from "node:assert/strict";
import {
  isHidden,
  parseLsof,
  parseNetstat,
  parseSs,
  parseSsUser,
  portOwner,
} from "../../src/platform/port_owner.ts";
import { testWith } from "../support/requirements.ts";

Deno.test("ss names the program", () => {
  assert.equal(
    parseSs(
      'LISTEN 0 4096 127.0.0.1:7657 0.0.0.0:* users:(("i2pd",pid=4242,fd=7))',
    ),
    "i2pd (pid 4242)",
  );
  assert.equal(parseSs("LISTEN 0 4096 127.0.0.1:7657 0.0.0.0:*"), undefined);
  assert.equal(parseSs(undefined), undefined);
});

testWith(["ss", "linux"], "ss names at least the user", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { stdout } = await new Deno.Command("ss", {
    args: ["-Hltne", `sport = :${listener.addr.port}`],
  }).output();
  assert.equal(
    parseSsUser(new TextDecoder().decode(stdout)),
    String(Deno.uid()),
  );
  assert.equal(
    parseSsUser("LISTEN 0 5 127.0.0.1:7657 0.0.0.0:* uid:112 ino:3 sk:1"),
    "112",
  );
  assert.equal(parseSsUser(""), undefined);
  assert.equal(parseSsUser(undefined), undefined);
});

Deno.test("lsof names the program", () => {
  assert.equal(parseLsof("p4242\ncjava\nf12\n"), "java (pid 4242)");
  assert.equal(parseLsof(""), undefined);
});

Deno.test("netstat on Windows gives the process, in any language", () => {
  const text = `
Aktive Verbindungen

  Proto  Lokale Adresse         Remoteadresse          Status           PID
  TCP    127.0.0.1:17657        0.0.0.0:0              ABHÖREN         1
  TCP    127.0.0.1:50000        127.0.0.1:7657         HERGESTELLT     2
  TCP    127.0.0.1:7657         127.0.0.1:50000        HERGESTELLT     3
  TCP    127.0.0.1:7657         0.0.0.0:0              ABHÖREN         4242
`;
  assert.equal(parseNetstat(text, 7657), "4242");
  assert.equal(parseNetstat(text, 80), undefined);
});

testWith(["ss", "linux"], "the owner of a real port is found", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  assert.match(
    await portOwner(listener.addr.port, "linux") ?? "",
    new RegExp(`\\(pid ${Deno.pid}\\)$`),
  );
});

Deno.test("who is there is found where the system would not say", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  assert.equal(await isHidden("127.0.0.1", port, "windows"), true);
  assert.equal(await isHidden("127.0.0.1", port, "darwin"), true);
  // there listening says it
  assert.equal(await isHidden("127.0.0.1", port, "linux"), false);
  listener.close();
  assert.equal(await isHidden("127.0.0.1", port, "windows"), false);
  assert.equal(await isHidden("127.0.0.1", 0, "windows"), false);
});

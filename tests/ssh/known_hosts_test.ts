import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { I2ptunError } from "../../src/errors.ts";
import { fingerprint, keyType } from "../../src/ssh/fingerprint.ts";
import { addKnownHost, KnownHosts } from "../../src/ssh/known_hosts.ts";
import { ed25519, encode, entry, rsa, withFolder } from "./openssh.ts";

async function read(text: string): Promise<KnownHosts> {
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(file, text);
    return await KnownHosts.read([file]);
  } finally {
    await Deno.remove(file);
  }
}

const A = ed25519(1);
const B = ed25519(2);
const R = rsa(3);

Deno.test("a host with several keys, found by name, list, pattern and port", async () => {
  const hosts = await read([
    "# comment",
    "",
    entry("one,Two.Example", A) + " a comment",
    `\t ${entry("two.example", R)}`,
    entry("*.net,!bad.net", A),
    entry("[one]:2222", B),
    entry("::1,[::1]:2222,10.0.0.?", B),
  ].join("\r\n"));
  assert.deepEqual(hosts.warnings, []);
  const status = (host: string, port: number, key: Uint8Array) =>
    hosts.check(host, port, key).status;
  assert.equal(status("one", 22, A), "known");
  assert.equal(status("ONE", 22, A), "known");
  assert.equal(status("two.example", 22, R), "known");
  assert.equal(status("good.net", 22, A), "known");
  assert.equal(status("bad.net", 22, A), "unknown");
  assert.equal(status("one", 2222, B), "known");
  assert.equal(status("one", 2222, A), "changed");
  assert.equal(status("one", 2223, A), "known"); // as ssh: found without port
  assert.equal(status("one", 2223, B), "unknown");
  assert.equal(status("::1", 22, B), "known");
  assert.equal(status("::1", 2222, B), "known");
  assert.equal(status("10.0.0.7", 22, B), "known");
  assert.equal(status("10.0.0.77", 22, B), "unknown");
  assert.deepEqual(hosts.keyTypes("two.example", 22), [
    "ssh-ed25519",
    "ssh-rsa",
  ]);
  assert.deepEqual(hosts.keyTypes("elsewhere", 22), []);
});

Deno.test("a changed key names every key that was expected", async () => {
  await withFolder(async (folder) => {
    const [user, system] = [`${folder}/user`, `${folder}/system`];
    await Deno.writeTextFile(user, `#\n${entry("h", A)}\n`);
    await Deno.writeTextFile(system, entry("h,i", R));
    const hosts = await KnownHosts.read([user, `${folder}/missing`, system]);
    assert.deepEqual(hosts.check("h", 22, B), {
      status: "changed",
      certAuthority: false,
      expected: [
        {
          type: "ssh-ed25519",
          fingerprint: fingerprint(A),
          file: user,
          line: 2,
        },
        { type: "ssh-rsa", fingerprint: fingerprint(R), file: system, line: 1 },
      ],
    });
    const changed = hosts.check("h", 22, rsa(5));
    assert.equal(
      changed.status === "changed" && changed.expected[0]!.type,
      "ssh-rsa",
    );
    // Of another type than the ones on file: no better.
    assert.equal(hosts.check("i", 22, A).status, "changed");
    assert.equal(hosts.check("h", 22, R).status, "known");
  });
});

Deno.test("revoked keys and certificate authorities", async () => {
  const hosts = await read([
    entry("h", A),
    entry("h", R),
    entry("*", A, "@revoked"),
    entry("*.corp,h", B, "@cert-authority"),
  ].join("\n"));
  const check = hosts.check("h", 22, A);
  assert.equal(check.status, "revoked");
  assert.equal(check.status === "revoked" && check.line, 3);
  assert.deepEqual(hosts.keyTypes("h", 22), ["ssh-rsa"]);
  assert.equal(hosts.check("h", 2222, A).status, "revoked");
  assert.deepEqual(hosts.check("x.corp", 22, B), {
    status: "unknown",
    certAuthority: true,
  });
  const changed = hosts.check("h", 22, rsa(9));
  assert.equal(changed.status === "changed" && changed.certAuthority, true);
});

Deno.test("a broken line is skipped with a warning and hides no other", async () => {
  const key = Buffer.from(A).toString("base64");
  const broken = [
    "h",
    "h ssh-ed25519",
    "h ssh-ed25519 # truncated",
    `h ssh-ed25519 ${key.slice(0, -8)}`,
    `h ssh-ed25519 ${key.slice(0, -4)}!!!!`,
    `h ssh-rsa ${key}`,
    `h ssh-new ${key}`,
    "h 1024 37 1234567890",
    `@unheard-of h ssh-ed25519 ${key}`,
    `@revoked @cert-authority h ssh-ed25519 ${key}`,
    `|1|c2hvcnQ=|c2hvcnQ= ssh-ed25519 ${key}`,
    `|2|x|y ssh-ed25519 ${key}`,
    "@revoked",
    entry("h", encode("ssh-ed25519", new Uint8Array(32), new Uint8Array(1))),
  ];
  for (const line of broken) {
    await withFolder(async (folder) => {
      const file = `${folder}/known_hosts`;
      await Deno.writeTextFile(file, `${line}\n${entry("h", B)}\n`);
      const hosts = await KnownHosts.read([file]);
      assert.equal(hosts.warnings.length, 1, line);
      assert.ok(hosts.warnings[0]!.startsWith(`${file}:1: skipped: `));
      assert.equal(hosts.check("h", 22, B).status, "known", line);
      assert.equal(hosts.check("h", 22, A).status, "changed", line);
    });
  }
});

Deno.test("a file that cannot be read is a warning", async () => {
  await withFolder(async (folder) => {
    const hosts = await KnownHosts.read([folder]);
    assert.match(hosts.warnings.join(), /cannot be read/);
  });
});

Deno.test("no text makes reading or looking up throw, or hides an entry", async () => {
  const piece = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom(
      "|1|",
      "|",
      "@revoked ",
      "ssh-rsa ",
      "AAAA",
      "\n",
      "\r",
      ",",
    ),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece).map((pieces) => pieces.join("")),
      fc.string(),
      fc.uint8Array(),
      async (text, host, key) => {
        const hosts = await read(
          `${text}\n${entry("sure.example", A)}\n${text}`,
        );
        hosts.check(host, 22, key);
        hosts.keyTypes(host, 2222);
        assert.equal(hosts.check("sure.example", 22, A).status, "known");
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("adding: what is written is found, and the file is kept", async () => {
  await withFolder(async (folder) => {
    const file = `${folder}/.ssh/known_hosts`;
    const { line } = await addKnownHost(file, "New.Example", 2222, A);
    assert.equal(line, entry("[new.example]:2222", A));
    if (Deno.build.os !== "windows") {
      assert.equal((await Deno.stat(file)).mode! & 0o777, 0o600);
      assert.equal((await Deno.stat(`${folder}/.ssh`)).mode! & 0o777, 0o700);
    }
    await Deno.writeTextFile(file, `# mine\n${line}`); // no final newline
    await addKnownHost(file, "::1", 22, R);
    assert.equal(
      await Deno.readTextFile(file),
      `# mine\n${line}\n${entry("::1", R)}\n`,
    );
    const hosts = await KnownHosts.read([file]);
    assert.equal(hosts.check("new.example", 2222, A).status, "known");
    assert.equal(hosts.check("::1", 22, R).status, "known");
  });
});

Deno.test("adding: hashed when asked to, or as the rest of the file", async () => {
  await withFolder(async (folder) => {
    const file = `${folder}/known_hosts`;
    await addKnownHost(file, "plain", 22, A);
    const first = await addKnownHost(file, "secret", 22, A, { hash: true });
    assert.match(first.line, /^\|1\|[\w+/]{27}=\|[\w+/]{27}= ssh-ed25519 /);
    const second = await addKnownHost(file, "secret", 22, A);
    assert.match(second.line, /^\|1\|/);
    assert.notEqual(second.line, first.line); // salted
    const third = await addKnownHost(file, "open", 22, A, { hash: false });
    assert.match(third.line, /^open /);
    const hosts = await KnownHosts.read([file]);
    assert.equal(hosts.check("SECRET", 22, A).status, "known");
    assert.equal(hosts.check("secret", 22, B).status, "changed");
    assert.equal(hosts.check("other", 22, A).status, "unknown");
  });
});

Deno.test("adding: many at once lose nothing", async () => {
  await withFolder(async (folder) => {
    const file = `${folder}/known_hosts`;
    await Deno.writeTextFile(file, "# first");
    const names = Array.from({ length: 40 }, (_, i) => `host${i}`);
    await Promise.all(names.map((name) => addKnownHost(file, name, 22, A)));
    const hosts = await KnownHosts.read([file]);
    assert.deepEqual(hosts.warnings, []);
    for (const name of names) {
      assert.equal(hosts.check(name, 22, A).status, "known");
    }
  });
});

Deno.test("adding: what no file could hold or cannot be written", async () => {
  await withFolder(async (folder) => {
    const file = `${folder}/known_hosts`;
    for (
      const host of ["", "a b", "a,b", "*", "!a", "|1|", "@a", "#a", "a\nb"]
    ) {
      await assert.rejects(
        addKnownHost(file, host, 22, A),
        (error) => error instanceof I2ptunError && error.kind === "usage",
      );
    }
    await assert.rejects(
      addKnownHost(file, "h", 22, A.slice(0, 20)),
      (error) => error instanceof I2ptunError && error.kind === "host-key",
    );
    await Deno.writeTextFile(file, "");
    await assert.rejects(
      addKnownHost(`${file}/below`, "h", 22, A),
      (error) => error instanceof I2ptunError && error.remedy !== undefined,
    );
    assert.equal(await Deno.readTextFile(file), "");
  });
});

Deno.test("only a complete key has a type", () => {
  for (const bytes of [new Uint8Array(), Buffer.from([0, 0, 0, 9, 65])]) {
    assert.throws(() => keyType(bytes), I2ptunError);
  }
});

/** What servers are asked that wait for acknowledgements, and others. */
import assert from "node:assert/strict";
import { dial } from "../../src/ssh/dial.ts";
import { Link } from "../../src/ssh/link.ts";
import { login, logInAndOut, startScriptedServer, testLogin } from "./login.ts";

/** A login to this server: what it ran, and whether it gets acknowledgements. */
async function logInTo(software: string, session: boolean, refuses = false) {
  let ran: string | undefined;
  await using server = await startScriptedServer(
    (attempt) => attempt.accept(),
    {
      software,
      // ssh2's types leave much out
      // deno-lint-ignore no-explicit-any
      onClient: (client: any) => {
        // deno-lint-ignore no-explicit-any
        client.on("session", (accept: any, refuse: () => void) => {
          if (refuses) return refuse();
          // deno-lint-ignore no-explicit-any
          accept().on("exec", (accept: any, _: unknown, info: any) => {
            accept().exit(0);
            ran = info.command;
          });
        });
        client.on("request", (accept?: () => void) => accept?.());
      },
    },
  );
  const { host, port } = server;
  const { signal } = new AbortController();
  const transport = await dial({ host, port, signal });
  assert(transport instanceof Link);
  const warnings: string[] = [];
  const connection = await login({
    ...{ host, port, transport, session },
    log: (level, message) => {
      if (level === "warning") warnings.push(message);
    },
  });
  // a session takes two answers, which come before those to later questions
  const at = { kind: "tcp", bind: "127.0.0.1", port: 0 } as const;
  for (let i = 0; i < 3; i++) await connection.listen(at, () => {});
  const acknowledges = transport.promptAck !== undefined;
  connection.end();
  await connection.closed;
  return { ran, acknowledges, warnings };
}

testLogin([], "a session is opened only where it is wanted", async () => {
  assert.deepEqual(await logInTo("OpenSSH_9.2p1 Debian-2", true), {
    ...{ ran: "exit", acknowledges: false, warnings: [] },
  });
  assert.deepEqual(await logInTo("OpenSSH_9.2p1 Debian-2", false), {
    ...{ ran: undefined, acknowledges: true, warnings: [] },
  });
});

testLogin([], "servers that send at once need no session", async () => {
  for (const software of ["OpenSSH_10.0p2 Debian-7", "OpenSSH_12.1"]) {
    assert.deepEqual(await logInTo(software, true), {
      ...{ ran: undefined, acknowledges: false, warnings: [] },
    });
  }
  for (const software of ["OpenSSH_for_Windows_9.5", "dropbear_2022.83"]) {
    assert.equal((await logInTo(software, true)).ran, "exit");
  }
});

testLogin(
  [],
  "without the session that was wanted all is as usual",
  async () => {
    const { ran, acknowledges, warnings } = await logInTo(
      ...["OpenSSH_9.2", true, true] as const,
    );
    assert.deepEqual([ran, acknowledges], [undefined, true]);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, /^127\.0\.0\.1:\d+ opens no session: \S/);
  },
);

testLogin([], "a connection that is lost says so itself", async () => {
  const warnings: string[] = [];
  await using server = await startScriptedServer(
    (attempt) => attempt.accept(),
    {
      software: "OpenSSH_9.2",
      // deno-lint-ignore no-explicit-any
      onClient: (client: any) => client.on("session", () => client.end()),
    },
  );
  const connection = await login({
    ...server,
    session: true,
    log: (level, message) => {
      if (level === "warning") warnings.push(message);
    },
  });
  await connection.closed;
  // ssh2 answers what was asked once it has told of the end
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual(warnings, []);
});

testLogin([], "only who sends at once is asked to log in at once", async () => {
  /** What a server does whose answer about the service comes late, or never. */
  const orderOf = async (software: string, answerMs: number) => {
    const seen: string[] = [];
    await using server = await startScriptedServer((attempt) => {
      seen.push("attempt");
      attempt.accept();
    }, {
      software,
      // deno-lint-ignore no-explicit-any
      onClient: ({ _protocol: protocol }: any) => {
        const { serviceAccept } = protocol;
        protocol.serviceAccept = (name: string) => {
          if (answerMs === Infinity) return;
          setTimeout(() => {
            seen.push("service");
            serviceAccept.call(protocol, name);
          }, answerMs);
        };
      },
    });
    await logInAndOut(server);
    return seen;
  };
  const [modern, older] = ["OpenSSH_10.0p2 Debian-7", "OpenSSH_9.2"] as const;
  assert.deepEqual(await orderOf(modern, Infinity), ["attempt"]);
  assert.deepEqual(await orderOf(older, 20), ["service", "attempt"]);
});

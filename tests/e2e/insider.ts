/**
 * The program, and in its process somebody who tries what a tunnel must not be
 * able to do: what a hole in the program would let an attacker do.
 *
 *     insider.ts PORT FOLDER ARG…    runs `i2ptun ARG…`
 *
 * FOLDER is the user's home. What came of it is told to who listens at PORT, as a
 * line of JSON, before the program begins and whenever that one says something.
 *
 * @module
 */
import process from "node:process";
import { runProgram } from "../../src/cli/program.ts";

/** What came of each attempt: `done`, or the name of the error. */
export type Attempts = Record<string, string>;

const [port, folder, ...args] = Deno.args;

const onWindows = Deno.build.os === "windows";
const state = onWindows
  ? `${folder}/AppData/Local/i2ptun`
  : `${folder}/.local/state/i2ptun`;

const run = (program: string, ...args: string[]) =>
  new Deno.Command(program, { args, stdout: "null" }).outputSync();

const attempts: Record<string, () => unknown> = {
  "start a program": () => onWindows ? run("cmd", "/c", "exit") : run("true"),
  "start a program of the list": () =>
    onWindows ? run("reg", "/?") : run("ss", "-h"),
  "start itself": () => run(Deno.execPath(), "--version"),
  "write at home": () => Deno.writeTextFileSync(`${folder}/new`, "x"),
  "write what is there": () =>
    Deno.openSync(`${folder}/.ssh/id_ed25519`, { append: true }).close(),
  "write beside its log": () =>
    Deno.writeTextFileSync(`${state}/log/other.log`, "x"),
  "write a temporary file": () => Deno.makeTempFileSync(),
  "remove a file": () => Deno.removeSync(`${state}/nothing`),
  ...(onWindows && {
    // of Wine
    "write on another drive": () => Deno.writeTextFileSync("Z:\\mnt\\new", "x"),
  }),
  "read a variable": () => Deno.env.get("HOME"),
  "read a variable as in Node": () => process.env.SSH_AUTH_SOCK,
  "read all variables": () => Deno.env.toObject(),
  "set a variable": () => Deno.env.set("I2PTUN_X", "x"),
  "know the machine's name": () => Deno.hostname(),
  "know the machine's addresses": () => Deno.networkInterfaces(),
  "load a library": () =>
    Deno.dlopen(onWindows ? "kernel32.dll" : "libc.so.6", {}),
  "import code": () => {
    const { state } = Deno.permissions.querySync(
      { name: "import", host: "deno.land:443" },
    );
    if (state !== "granted") throw new Deno.errors.NotCapable();
  },
  "ask for more": () => {
    const { state } = Deno.permissions.requestSync({ name: "run" });
    if (state !== "granted") throw new Deno.errors.NotCapable();
  },
};

function tryAll(): Attempts {
  const results: Attempts = {};
  for (const [name, attempt] of Object.entries(attempts)) {
    try {
      attempt();
      results[name] = "done";
    } catch (error) {
      results[name] = (error as Error).name;
    }
  }
  return results;
}

if (import.meta.main) {
  // compiled, it is itself what one attempt starts
  if (port === "--version") Deno.exit();
  const listener = await Deno.connect({
    hostname: "127.0.0.1",
    port: Number(port),
  });
  const tell = async () => {
    const line = `${JSON.stringify(tryAll())}\n`;
    await listener.write(new TextEncoder().encode(line));
  };
  const answer = async () => {
    for await (const _ of listener.readable) await tell();
  };
  await tell();
  answer();
  Deno.exit(await runProgram(args));
}

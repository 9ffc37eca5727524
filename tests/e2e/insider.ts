/**
 * The program, and in its process somebody who tries what a tunnel must not be
 * able to do: what a hole in the program would let an attacker do.
 *
 *     insider.ts FOLDER ARG…    runs `i2ptun ARG…`
 *
 * Says what came of it, as a line of JSON on standard error, before the program
 * begins and on each SIGUSR1.
 *
 * @module
 */
import process from "node:process";
import { runProgram } from "../../src/cli/program.ts";

/** What came of each attempt: `done`, or the name of the error. */
export type Attempts = Record<string, string>;

const [folder, ...args] = Deno.args;

const attempts: Record<string, () => unknown> = {
  "start a program": () => new Deno.Command("true").outputSync(),
  "start a program of the list": () =>
    new Deno.Command("ss", { args: ["-h"] }).outputSync(),
  "start itself": () =>
    new Deno.Command(Deno.execPath(), { args: ["--version"] }).outputSync(),
  "write at home": () => Deno.writeTextFileSync(`${folder}/new`, "x"),
  "write what is there": () =>
    Deno.openSync(`${folder}/.ssh/id_ed25519`, { append: true }).close(),
  "write beside its log": () =>
    Deno.writeTextFileSync(`${folder}/.local/state/i2ptun/log/other.log`, "x"),
  "write a temporary file": () => Deno.makeTempFileSync(),
  "remove a file": () =>
    Deno.removeSync(`${folder}/.local/state/i2ptun/nothing`),
  "read a variable": () => Deno.env.get("HOME"),
  "read a variable as in Node": () => process.env.SSH_AUTH_SOCK,
  "read all variables": () => Deno.env.toObject(),
  "set a variable": () => Deno.env.set("I2PTUN_X", "x"),
  "know the machine's name": () => Deno.hostname(),
  "know the machine's addresses": () => Deno.networkInterfaces(),
  "load a library": () => Deno.dlopen("libc.so.6", {}),
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

function tell(): void {
  const line = `insider: ${JSON.stringify(tryAll())}\n`;
  Deno.stderr.writeSync(new TextEncoder().encode(line));
}

if (import.meta.main) {
  // compiled, it is itself what one attempt starts
  if (folder === "--version") Deno.exit();
  tell();
  Deno.addSignalListener("SIGUSR1", tell);
  Deno.exit(await runProgram(args));
}

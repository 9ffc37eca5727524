/**
 * What the tests need done on Windows. Under another name than its own it stands
 * in for a program of Windows.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { connect, createServer } from "node:net";
import { askControl } from "../../src/background/control.ts";

const name = /([^\\]+)\.exe$/i.exec(Deno.execPath())![1]!.toLowerCase();
const [verb = "", ...args] = name === "helper" ? Deno.args : [name];

const VERBS: Record<string, () => void | Promise<void>> = {
  /** `agent PORT`: an SSH agent's pipe, and behind it what listens at PORT. */
  agent: () => {
    endWithTest();
    const server = createServer((client) => {
      const agent = connect(Number(args[0]), "127.0.0.1");
      client.on("data", (data) => agent.write(data));
      agent.on("data", (data) => client.write(data));
      client.on("close", () => agent.destroy());
      agent.on("close", () => client.destroy());
      for (const each of [client, agent]) each.on("error", () => {});
    });
    server.listen("\\\\.\\pipe\\openssh-ssh-agent", () => say("listening"));
  },

  /** `listen ADDRESS PORT` */
  listen: async () => {
    endWithTest();
    const [hostname = "", port] = args;
    const listener = Deno.listen({ hostname, port: Number(port) });
    say(`pid ${Deno.pid}`);
    for await (const connection of listener) connection.close();
  },

  /** `send PIPE TEXT`: a line to a pipe, and what comes back. */
  send: () => {
    const [pipe = "", text] = args;
    const socket = connect(pipe, () => socket.write(`${text}\n`));
    socket.on("data", (data) => say(`said: ${Buffer.from(data)}`));
    socket.on("error", ({ message }) => say(message));
    socket.on("close", () => say("closed"));
  },

  /** `ask RECORD COUNT`: asks for the status, all at once and one by one. */
  ask: async () => {
    const [path = "", count] = args;
    const record = JSON.parse(await Deno.readTextFile(path));
    let answers = 0;
    const ask = async () => {
      const status = await askControl(record, { command: "status" });
      if (status?.state === "up") answers++;
    };
    await Promise.all(Array.from({ length: Number(count) }, ask));
    for (let i = 0; i < Number(count); i++) await ask();
    say(`${answers} answers`);
  },

  /** An editor that puts a comment, its line ended as Windows does, on top. */
  notepad: async () => {
    const path = Deno.args.at(-1)!;
    const text = await Deno.readTextFile(path);
    await Deno.writeTextFile(
      path,
      `# edited with ${Deno.args.length}\r\n${text}`,
    );
  },

  /** As on Windows 11; Wine's shows no listener and no process id. */
  netstat: () => {
    say("\r\nActive Connections\r\n");
    say("  Proto  Local Address   Foreign Address  State      PID");
    say(
      `  TCP    0.0.0.0:${
        Deno.env.get("I2PTUN_PORT")
      }   0.0.0.0:0   LISTENING  4242`,
    );
  },

  /** As on Windows 11; Wine's knows no filter. */
  tasklist: () => {
    if (Deno.args[1] !== "PID eq 4242") throw new Error(`${Deno.args}`);
    say('"javaw.exe","4242","Console","1","123,456 K"');
  },

  /** Tells what it was asked to open. */
  rundll32: async () => {
    await Deno.writeTextFile("Z:\\mnt\\opened", Deno.args.join(" "));
  },
};

/** Ends when the test closes our standard input. */
function endWithTest(): void {
  Deno.stdin.readable.pipeTo(new WritableStream()).then(() => Deno.exit());
}

function say(line: string): void {
  console.log(line);
}

await VERBS[verb]!();

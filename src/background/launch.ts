/**
 * Starts a profile in a process of its own, and that process's side of it.
 *
 * The two talk over the new process's standard input and output, a JSON message
 * a line, until the tunnel is up or, if it is to keep trying, the first attempt
 * has failed: the new process asks, the old one, which has the terminal,
 * answers. Passwords so go from memory to memory.
 *
 * @module
 */

import { type ErrorRecord, I2ptunError } from "../errors.ts";
import type { Log, LogLevel } from "../log.ts";
import { type Environment, pathsOf } from "../platform/paths.ts";
import { startSelf } from "../platform/run.ts";
import { AlreadyRunningError } from "./running.ts";
import type { Profile } from "../profile/profile.ts";
import { nobody, type Prompter, type Question } from "../ssh/prompter.ts";
import type { Explain } from "../tunnel/connect.ts";
import type { TunnelStatus } from "../tunnel/status.ts";

type Message =
  | { type: "question"; question: Question }
  | { type: "log"; level: LogLevel; message: string }
  /** It is up, or keeps trying to be. */
  | { type: "started"; status: TunnelStatus }
  | { type: "already-running" }
  | { type: "failed"; error: ErrorRecord };

type Reply = { answer: string | null } | { gaveUp: true };

/** What the new process is told first. */
interface Task {
  profile: Omit<Profile, "written"> & { written: string[] };
  acceptNew: boolean;
  keepTrying: boolean;
  debug: boolean;
}

export interface LaunchOptions {
  profile: Profile;
  acceptNew: boolean;
  /** Return also when the first attempt has failed and is to be tried again. */
  keepTrying: boolean;
  debug: boolean;
  ask: Prompter;
  /** Told what happens until this returns. */
  log: Log;
  /** Ends the attempt and the new process. */
  signal: AbortSignal;
}

/**
 * Starts a profile in the background and returns when it is up, or keeps trying
 * to be; undefined if another process already runs it.
 *
 * @throws {I2ptunError} why it could not start; then no process is left
 */
export async function launch(
  options: LaunchOptions,
): Promise<TunnelStatus | undefined> {
  const { profile, acceptNew, keepTrying, debug, signal, ask, log } = options;
  signal.throwIfAborted();
  // the name is for whoever looks at the list of processes
  const child = startSelf(["background", profile.name]);
  const replies = child.stdin.getWriter();
  const send = (message: Task | Reply) =>
    replies.write(new TextEncoder().encode(JSON.stringify(message) + "\n"));
  // the new process ends itself when its standard input ends before that
  const hangUp = () => replies.close().catch(() => {});
  signal.addEventListener("abort", hangUp, { once: true });
  // somebody else may stop it while it asks
  const gone = new AbortController();
  child.status.then(() => gone.abort());
  try {
    const written = [...profile.written];
    await send({
      ...{ acceptNew, keepTrying, debug },
      profile: { ...profile, written },
    });
    for await (const line of lines(child.stdout)) {
      const message = JSON.parse(line) as Message;
      switch (message.type) {
        case "question": {
          const reply: Reply = await ask(message.question, gone.signal)
            .then((answer) => ({ answer: answer ?? null }))
            .catch(() => ({ gaveUp: true }));
          await send(reply).catch(() => {});
          break;
        }
        case "log":
          log(message.level, message.message);
          break;
        case "started":
          child.unref();
          return message.status;
        case "already-running":
          await child.status;
          return undefined;
        case "failed":
          await child.status;
          // it was told to give up, so why is known here
          signal.throwIfAborted();
          throw I2ptunError.fromRecord(message.error);
      }
    }
    const { code, signal: killedBy } = await child.status;
    signal.throwIfAborted();
    throw new I2ptunError(
      "unforeseen",
      `the process of ${profile.name} ended unexpectedly (${
        killedBy ?? `exit code ${code}`
      })`,
      { remedy: `i2ptun profile logs ${profile.name}` },
    );
  } finally {
    signal.removeEventListener("abort", hangUp);
    hangUp();
  }
}

/**
 * The new process's side: runs the profile until it is stopped.
 *
 * @param explain finds out more about why the server cannot be reached
 */
export async function runInBackground(
  environment: Environment,
  explain: Explain,
): Promise<void> {
  const replies = lines(Deno.stdin.readable)[Symbol.asyncIterator]();
  const first = await replies.next();
  if (first.done) return;
  // the process that starts this one shall not load them too
  const { logPath, openLog } = await import("./log.ts");
  const { supervise } = await import("./supervise.ts");
  const task = JSON.parse(first.value) as Task;
  const { acceptNew, keepTrying, debug } = task;
  const profile = { ...task.profile, written: new Set(task.profile.written) };
  const logFolder = pathsOf(environment).log;
  await Deno.mkdir(logFolder, { recursive: true, mode: 0o700 }).catch(() => {});
  const file = openLog(
    logPath(logFolder, profile.name),
    debug ? "debug" : "info",
  );

  let launcher: "there" | "gone" = "there";
  const send = (message: Message) => {
    if (launcher === "there") {
      Deno.stdout.writeSync(
        new TextEncoder().encode(JSON.stringify(message) + "\n"),
      );
    }
  };
  const stop = new AbortController();
  if (environment.system !== "windows") {
    // as when the machine shuts down
    Deno.addSignalListener("SIGTERM", () => {
      stop.abort(new I2ptunError("interrupted", "terminated"));
    });
    // as some systems send to whatever a user has left running at logout
    Deno.addSignalListener("SIGHUP", () => {});
  }
  let waiting: ((reply: Reply | undefined) => void) | undefined;
  const listen = async () => {
    for (;;) {
      const { value, done } = await replies.next();
      if (done) break;
      waiting?.(JSON.parse(value));
    }
    waiting?.(undefined);
    if (launcher === "there") {
      stop.abort(new I2ptunError("interrupted", "interrupted"));
    }
  };
  listen().catch(() => stop.abort());

  // one question at a time, whoever asks
  let asking: Promise<unknown> = Promise.resolve();
  const ask: Prompter = (question) => {
    const answer = asking.then(async () => {
      send({ type: "question", question });
      const reply = await new Promise<Reply | undefined>((resolve) =>
        waiting = resolve
      );
      if (reply === undefined || "gaveUp" in reply) {
        throw new I2ptunError("interrupted", "interrupted");
      }
      return reply.answer ?? undefined;
    });
    asking = answer.catch(() => {});
    return answer;
  };

  const started = (status: TunnelStatus) => {
    send({ type: "started", status });
    launcher = "gone";
  };
  try {
    await supervise({
      profile,
      environment,
      ask,
      acceptNew,
      explain,
      keepTrying,
      signal: stop.signal,
      log: (level, message) => {
        file(level, message);
        if (level !== "debug" || debug) {
          send({ type: "log", level, message });
        }
      },
      onUp: started,
      onWaiting: (status) => {
        started(status);
        return nobody;
      },
    });
  } catch (error) {
    if (error instanceof AlreadyRunningError) {
      return send({ type: "already-running" });
    }
    const known = I2ptunError.from(error);
    file("error", known.message);
    send({ type: "failed", error: known.toRecord() });
  }
}

/** The lines of a stream of UTF-8 text. */
async function* lines(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
}

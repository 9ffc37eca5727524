/**
 * A process that a test started and whose output it can wait for.
 *
 * @module
 */
import { killHard } from "./processes.ts";
import { Transcript, type WaitOptions } from "./transcript.ts";

/** How a process is started. */
export interface ChildOptions {
  /** Its whole environment; without it, ours. */
  env?: Record<string, string>;
  cwd?: string;
  /** Where both its outputs are written too; it is not ended with the process. */
  log?: Transcript;
}

/** A running process; disposing of it kills it. */
export class Child implements AsyncDisposable {
  readonly pid: number;
  /** Settles with the exit code, 128 + the signal's number if it was killed. */
  readonly exit: Promise<number>;
  readonly stdout: Transcript;
  readonly stderr: Transcript;
  /** Both outputs, in the order in which they came. */
  readonly output: Transcript;
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #readers: ReadableStreamDefaultReader<Uint8Array>[] = [];
  readonly #drained: Promise<unknown>;
  #running = true;

  /** Starts `command`, found on PATH or an absolute path. */
  constructor(command: string, args: string[], options: ChildOptions = {}) {
    const name = command.replace(/.*\//, "");
    this.stdout = new Transcript(`standard output of ${name}`);
    this.stderr = new Transcript(`standard error of ${name}`);
    this.output = new Transcript(name);
    this.#process = new Deno.Command(command, {
      args,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      ...(options.cwd && { cwd: options.cwd }),
      ...(options.env && { env: options.env, clearEnv: true }),
    }).spawn();
    this.pid = this.#process.pid;
    this.#input = this.#process.stdin.getWriter();
    const logs = [this.output, ...(options.log ? [options.log] : [])];
    this.#drained = Promise.all([
      this.#read(this.#process.stdout, this.stdout, logs),
      this.#read(this.#process.stderr, this.stderr, logs),
    ]).then(() => this.output.end());
    this.exit = this.#process.status.then(({ code }) => {
      this.#running = false;
      return code;
    });
  }

  /** Whether it has not ended yet. */
  get running(): boolean {
    return this.#running;
  }

  /** Settles when both outputs have ended: nobody holds them any more. */
  get drained(): Promise<unknown> {
    return this.#drained;
  }

  /** Waits until what it has written, to either output, matches. */
  waitFor(pattern: RegExp, options?: WaitOptions): Promise<RegExpExecArray> {
    return this.output.waitFor(pattern, options);
  }

  /** Writes to its standard input. */
  async write(text: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(text));
  }

  /** Ends its standard input. */
  async closeInput(): Promise<void> {
    await this.#input.close().catch(() => {});
  }

  /** Sends a signal; none if it has ended. */
  signal(name: Deno.Signal): void {
    if (this.#running) this.#process.kill(name);
  }

  /** Kills it and lets go of its outputs, whoever else may hold them. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#running) killHard([this.pid]);
    await this.exit;
    await this.closeInput();
    await Promise.all(this.#readers.map((reader) => reader.cancel()));
    await this.#drained;
  }

  async #read(
    stream: ReadableStream<Uint8Array>,
    own: Transcript,
    logs: Transcript[],
  ): Promise<void> {
    const reader = stream.getReader();
    this.#readers.push(reader);
    const decoder = new TextDecoder();
    while (true) {
      const { value, done } = await reader.read();
      if (done) break;
      const text = decoder.decode(value, { stream: true });
      for (const transcript of [own, ...logs]) transcript.append(text);
    }
    own.end();
  }
}

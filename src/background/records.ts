/**
 * What is known on disk of the profiles that run: for each a lock that its
 * process holds, and a record of how to reach it.
 *
 * The system frees the lock when the process ends, however it ends, so that a
 * killed process leaves nothing that a later start trips over.
 *
 * @module
 */

import { join } from "node:path";
import { I2ptunError } from "../errors.ts";
import type { TunnelStatus } from "../tunnel/status.ts";

export interface RunRecord {
  name: string;
  pid: number;
  /** The control socket's path, or the name of the pipe. */
  control: string;
  /** The last status of a tunnel that failed while it ran. */
  failed?: TunnelStatus;
}

/** Held for as long as a profile runs. */
export interface RunLock {
  /** May be called again. */
  release(): void;
}

export class RunFolder {
  constructor(readonly path: string) {}

  /**
   * Makes the folder, for this user only.
   *
   * @throws {I2ptunError} if it cannot be made or written
   */
  async prepare(): Promise<void> {
    try {
      await Deno.mkdir(this.path, { recursive: true, mode: 0o700 });
      if (Deno.build.os !== "windows") await Deno.chmod(this.path, 0o700);
    } catch (cause) {
      throw new I2ptunError(
        "unforeseen",
        `cannot use the state folder ${this.path}: ${
          cause instanceof Error ? cause.message : cause
        }`,
        { remedy: "make it writable, or set I2PTUN_STATE_DIR", cause },
      );
    }
  }

  /** Takes the lock of a profile; undefined if another process holds it. */
  async lock(name: string): Promise<RunLock | undefined> {
    const file = await Deno.open(this.#file(name, "lock"), {
      create: true,
      write: true,
      mode: 0o600,
    });
    if (await file.tryLock(true)) {
      return { release: () => file[Symbol.dispose]() };
    }
    file.close();
    return undefined;
  }

  async write(record: RunRecord): Promise<void> {
    const [path, temporary] = this.files(record.name);
    await Deno.writeTextFile(temporary, JSON.stringify(record) + "\n", {
      mode: 0o600,
    });
    await Deno.rename(temporary, path);
  }

  /** The record of a profile; undefined if there is none that can be read. */
  async read(name: string): Promise<RunRecord | undefined> {
    try {
      return JSON.parse(await Deno.readTextFile(this.#file(name, "json")));
    } catch {
      return undefined;
    }
  }

  async remove(name: string): Promise<void> {
    await Deno.remove(this.#file(name, "json")).catch(() => {});
  }

  /** The names of all profiles that have a record. */
  async names(): Promise<string[]> {
    const names: string[] = [];
    try {
      for await (const { name } of Deno.readDir(this.path)) {
        if (name.endsWith(".json")) names.push(name.slice(0, -".json".length));
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    return names.sort();
  }

  /** What {@link write} and {@link remove} of this process write. */
  files(name: string): [record: string, temporary: string] {
    const path = this.#file(name, "json");
    return [path, `${path}.${Deno.pid}`];
  }

  #file(name: string, kind: "lock" | "json"): string {
    return join(this.path, `${name}.${kind}`);
  }
}

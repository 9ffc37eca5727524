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
import type { ControlAddress } from "./control.ts";

export interface RunRecord extends ControlAddress {
  name: string;
  /** Unknown if the record could not be written. */
  pid?: number;
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
      throw this.#unusable(cause);
    }
  }

  /**
   * Takes the lock of a profile; undefined if another process holds it.
   *
   * @throws {I2ptunError} if the folder cannot be written
   */
  async lock(name: string): Promise<RunLock | undefined> {
    const file = await Deno.open(this.#file(name, "lock"), {
      create: true,
      write: true,
      mode: 0o600,
    }).catch((cause) => {
      throw this.#unusable(cause);
    });
    if (await file.tryLock(true)) {
      return { release: () => file[Symbol.dispose]() };
    }
    file.close();
    return undefined;
  }

  /** @throws {I2ptunError} if the folder cannot be written; then nothing is left */
  async write(record: RunRecord): Promise<void> {
    const [path, temporary] = this.files(record.name);
    try {
      await Deno.writeTextFile(temporary, JSON.stringify(record) + "\n", {
        mode: 0o600,
      });
      await Deno.rename(temporary, path);
    } catch (cause) {
      await Deno.remove(temporary).catch(() => {});
      throw this.#unusable(cause);
    }
  }

  /**
   * The record of a profile; undefined if it does not run. One that could not
   * be written, because the disk was full, or says nothing of use, can be told
   * from the socket.
   */
  async read(name: string): Promise<RunRecord | undefined> {
    try {
      const text = await Deno.readTextFile(this.#file(name, "json"));
      const record: RunRecord = JSON.parse(text);
      if (typeof record.control !== "string") throw new TypeError(text);
      return record;
    } catch {
      const control = this.#file(name, "sock");
      const there = await Deno.lstat(control).then(() => true, () => false);
      return there ? { name, control } : undefined;
    }
  }

  /** Whether a process can be found at this control socket without a record. */
  isFoundAt(name: string, control: string): boolean {
    return control === this.#file(name, "sock");
  }

  async remove(name: string): Promise<void> {
    await Deno.remove(this.#file(name, "json")).catch(() => {});
  }

  /** The names of all profiles that have a record or a control socket. */
  async names(): Promise<string[]> {
    const names = new Set<string>();
    try {
      for await (const { name } of Deno.readDir(this.path)) {
        const [, profile] = /^(.+)\.(?:json|sock)$/.exec(name) ?? [];
        if (profile !== undefined) names.add(profile);
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    return [...names].sort();
  }

  /** What {@link write} and {@link remove} of this process write. */
  files(name: string): [record: string, temporary: string] {
    const path = this.#file(name, "json");
    return [path, `${path}.${Deno.pid}`];
  }

  #file(name: string, kind: "lock" | "json" | "sock"): string {
    return join(this.path, `${name}.${kind}`);
  }

  #unusable(cause: unknown): I2ptunError {
    const said = cause instanceof Error ? cause.message : `${cause}`;
    return new I2ptunError(
      "unforeseen",
      `cannot use the state folder ${this.path}: ${
        said.replace(/ \(os error \d+\).*/, "")
      }`,
      {
        remedy: "make room or make it writable, or set I2PTUN_STATE_DIR",
        cause,
      },
    );
  }
}

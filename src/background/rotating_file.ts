/**
 * A text file that never grows beyond its limit: when it would, it becomes
 * `FILE.1`, what was that `FILE.2`, and so on until the oldest is dropped.
 *
 * @module
 */

export interface RotatingFileOptions {
  maxBytes: number;
  /** How many files are kept besides the one that is written. */
  maxOld: number;
}

/**
 * Opened by the first line, and for this user only. Not flushed to the disk
 * (fsync(2)): a tunnel must not wait for one.
 */
export class RotatingFile {
  readonly #path: string;
  readonly #options: RotatingFileOptions;
  #file: Deno.FsFile | undefined;
  #bytes = 0;

  constructor(path: string, options: RotatingFileOptions) {
    this.#path = path;
    this.#options = options;
  }

  /** @throws what the system says, maybe after a part of the line is written */
  append(line: string): void {
    let bytes = new TextEncoder().encode(`${line}\n`);
    try {
      this.#file ??= this.#open();
      if (this.#bytes > 0 && this.#bytes + bytes.length > this.#maxBytes) {
        this.#rotate();
      }
      while (bytes.length > 0) {
        const written = this.#file.writeSync(bytes);
        this.#bytes += written;
        bytes = bytes.subarray(written);
      }
    } catch (error) {
      // the next line begins anew
      this.#close();
      throw error;
    }
  }

  get #maxBytes(): number {
    return this.#options.maxBytes;
  }

  #open(): Deno.FsFile {
    const file = Deno.openSync(this.#path, {
      append: true,
      create: true,
      mode: 0o600,
    });
    const { isFile, mode, size } = file.statSync();
    this.#bytes = size;
    if (isFile && mode !== null && (mode & 0o077) !== 0) {
      try {
        Deno.chmodSync(this.#path, 0o600);
      } catch {
        // a file system without modes; the line is written
      }
    }
    return file;
  }

  #rotate(): void {
    this.#close();
    const name = (i: number) => i === 0 ? this.#path : `${this.#path}.${i}`;
    for (let i = this.#options.maxOld; i > 0; i--) {
      try {
        Deno.renameSync(name(i - 1), name(i));
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
    this.#file = this.#open();
  }

  #close(): void {
    this.#file?.close();
    this.#file = undefined;
  }
}

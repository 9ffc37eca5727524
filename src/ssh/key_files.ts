/**
 * The key files of a login, each read and opened once, and the first of them
 * before it is wanted.
 *
 * @module
 */

import { type PrivateKeyFile, readPrivateKey } from "./private_key.ts";
import type { ParsedKey } from "./ssh2.ts";

export interface KeyFilesOptions {
  /** Key files named by the user. */
  named: readonly string[];
  /** Key files tried when none is named. */
  defaults: readonly string[];
  /** As {@link readPrivateKey} has it. */
  checkPermissions: boolean;
}

export class KeyFiles {
  readonly #options: KeyFilesOptions;
  readonly #read = new Map<string, Promise<PrivateKeyFile>>();
  readonly #opened = new Map<PrivateKeyFile, Promise<ParsedKey>>();

  constructor(options: KeyFilesOptions) {
    this.#options = options;
  }

  /** Reads the one that will be tried first, and opens it if it is not encrypted. */
  async prepare(): Promise<void> {
    const { named, defaults } = this.#options;
    for (const path of named.length > 0 ? named : defaults) {
      try {
        const file = await this.read(path);
        if (!file.encrypted) await this.open(file);
        return;
      } catch {
        // why not is told when its turn comes
      }
    }
  }

  /** As {@link readPrivateKey}. */
  read(path: string): Promise<PrivateKeyFile> {
    const { checkPermissions } = this.#options;
    const read = this.#read.get(path) ??
      readPrivateKey(path, { checkPermissions });
    this.#read.set(path, read);
    return read;
  }

  /**
   * As {@link PrivateKeyFile.decrypt}.
   *
   * @param file one that is not encrypted
   */
  open(file: PrivateKeyFile): Promise<ParsedKey> {
    const opened = this.#opened.get(file) ?? file.decrypt();
    this.#opened.set(file, opened);
    return opened;
  }
}

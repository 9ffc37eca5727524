/**
 * Changing a text file so that a crash leaves the old one or the new one, and
 * that of two programs that change it at once neither undoes the other.
 *
 * @module
 */

import { dirname, resolve } from "node:path";
import { I2ptunError } from "../errors.ts";

/**
 * Reads a file.
 *
 * @returns undefined if there is none
 * @throws I2ptunError if it cannot be read or is not UTF-8
 */
export async function readText(path: string): Promise<string | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await Deno.readFile(path);
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return undefined;
    throw fileError("read", path, thrown);
  }
  try {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    return decoder.decode(bytes);
  } catch (cause) {
    throw new I2ptunError("usage", `${path} is not UTF-8 text`, {
      remedy: "save it as UTF-8 in your editor",
      cause,
    });
  }
}

/**
 * Replaces a file's text by what `change` makes of it, under a lock that the
 * system frees should the program end (flock(2) on `PATH.lock`).
 *
 * A new file is 0600 in a folder of 0700, an old one keeps its mode and owner.
 * A symbolic link stays, what it points to is replaced.
 *
 * @param change gets undefined if there is no file; what it throws is thrown
 * on, and then, as if it returns the same text, nothing is written
 * @throws I2ptunError if the file cannot be read or written
 */
export async function updateFile(
  path: string,
  change: (text: string | undefined) => string,
): Promise<void> {
  const target = await followLinks(path);
  const lock = await openLock(target);
  try {
    const before = await readText(target);
    const after = change(before);
    if (after !== before) await replace(target, after);
  } finally {
    lock.close();
  }
}

async function openLock(target: string): Promise<Deno.FsFile> {
  try {
    await Deno.mkdir(dirname(target), { recursive: true, mode: 0o700 });
    const lock = await Deno.open(`${target}.lock`, {
      create: true,
      write: true,
      mode: 0o600,
    });
    await lock.lock(true);
    return lock;
  } catch (thrown) {
    throw fileError("write", target, thrown);
  }
}

async function replace(target: string, text: string): Promise<void> {
  // One name, as only the holder of the lock writes it: no litter piles up.
  const temporary = `${target}.new`;
  try {
    const old = await ifThere(Deno.stat(target));
    await ifThere(Deno.remove(temporary));
    const file = await Deno.open(temporary, {
      createNew: true,
      write: true,
      mode: 0o600,
    });
    try {
      const bytes = new TextEncoder().encode(text);
      for (let at = 0; at < bytes.length;) {
        at += await file.write(bytes.subarray(at));
      }
      await file.sync();
    } finally {
      file.close();
    }
    if (old) await keepModeAndOwner(temporary, old);
    await Deno.rename(temporary, target);
  } catch (thrown) {
    await Deno.remove(temporary).catch(() => {});
    throw fileError("write", target, thrown);
  }
}

async function keepModeAndOwner(
  path: string,
  { mode, uid, gid }: Deno.FileInfo,
): Promise<void> {
  if (Deno.build.os === "windows") return;
  // Only root may, and only root needs to: whoever else writes it owns it.
  await Deno.chown(path, uid, gid).catch(() => {});
  if (mode !== null) await Deno.chmod(path, mode & 0o777);
}

/** The file behind a symbolic link, also if it is not there yet. */
async function followLinks(path: string): Promise<string> {
  let target = path;
  // As many as Linux follows (path_resolution(7)).
  for (let hops = 0; hops < 40; hops++) {
    const info = await ifThere(Deno.lstat(target)).catch((thrown) => {
      throw fileError("write", path, thrown);
    });
    if (!info?.isSymlink) return target;
    target = resolve(dirname(target), await Deno.readLink(target));
  }
  throw new I2ptunError("unforeseen", `${path} is a symbolic link to itself`);
}

async function ifThere<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result;
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return undefined;
    throw thrown;
  }
}

function fileError(
  action: "read" | "write",
  path: string,
  cause: unknown,
): I2ptunError {
  const reason = cause instanceof Error
    ? cause.message.replace(/ ?\(os error \d+\).*$/s, "")
    : String(cause);
  return new I2ptunError("unforeseen", `cannot ${action} ${path}: ${reason}`, {
    remedy: `make ${
      action === "read" ? "it readable" : `${dirname(path)} writable`
    }, or name another file with --config or I2PTUN_CONFIG`,
    cause,
  });
}

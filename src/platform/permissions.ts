/**
 * Giving up permissions for the rest of this process. What there is at first is
 * the set in deno.json, in the executable as from source.
 *
 * A list of names or paths can be narrowed, a permission that is granted whole
 * cannot: Deno.permissions.revoke() without a name takes everything. So the set
 * lists what is to be narrowed, and lets programs write below `/`, not anywhere.
 *
 * @module
 */

/** The folder of all named pipes on Windows. */
export const PIPES = "\\\\.\\pipe\\";

/**
 * Below one of these is every file of the system; on Windows of its drives, and
 * named pipes. deno.json can only name the first, so on Windows these are given
 * with `--allow-write`, which goes before the set.
 */
export const WRITE_ROOTS = {
  posix: ["/"],
  windows: [
    ..."ABCDEFGHIJKLMNOPQRSTUVWXYZ".split("").map((drive) => `${drive}:\\`),
    PIPES,
  ],
} as const;

/** Those of the set that are given up with the environment, whatever is kept. */
const SYSTEM_GROUPS = [
  "hostname",
  "gid",
  "osRelease",
  // needed for node:os, but the types of Deno lack it
  "userInfo" as "username",
] as const;

/** What a process keeps besides reading files. */
export interface Kept {
  /** Starting programs. */
  run: boolean;
  /** Listening and connecting, also at Unix sockets, wherever that is. */
  net: boolean;
  /**
   * Reading the environment variables and system information of the set. What
   * stays is this user's id, with which the owner of a private key is compared,
   * and with the network this machine's addresses.
   */
  env: boolean;
  /**
   * Files that may be written, and folders with all in them. Connecting to a
   * Unix socket or a named pipe counts as writing.
   */
  write: "everywhere" | string[];
}

/** Gives up everything but `kept`. */
export function keepOnly({ run, net, env, write }: Kept): void {
  const { revokeSync, requestSync } = Deno.permissions;
  // Deno grants some hosts without being asked to, and no set can deny them
  revokeSync({ name: "import" });
  if (!run) revokeSync({ name: "run" });
  if (!net) revokeSync({ name: "net" });
  if (!env) {
    revokeSync({ name: "env" });
    for (const kind of SYSTEM_GROUPS) revokeSync({ name: "sys", kind });
    if (!net) revokeSync({ name: "sys", kind: "networkInterfaces" });
  }
  if (write === "everywhere") return;
  // asked for while it is allowed, a path is put on the list by itself
  for (const path of write) requestSync({ name: "write", path });
  const { windows, posix } = WRITE_ROOTS;
  for (const path of Deno.build.os === "windows" ? windows : posix) {
    revokeSync({ name: "write", path });
  }
}

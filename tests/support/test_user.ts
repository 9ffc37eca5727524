/**
 * A user of this machine made for one test, to log in with a password.
 *
 * @module
 */
import { execute, makeScratchDir, removeDir, scratchName } from "./scratch.ts";

/** Disposing of it removes the user. */
export interface TestUser extends AsyncDisposable {
  name: string;
  password: string;
  /** Its home folder, empty, its own. */
  home: string;
}

/** Makes a user with a random name and password. Needs root. */
export async function testUser(): Promise<TestUser> {
  const dir = await makeScratchDir();
  const name = scratchName();
  const home = `${dir}/home`;
  const password = crypto.randomUUID();
  await execute("useradd", [
    "--create-home",
    "--home-dir",
    home,
    "--skel",
    "/nonexistent",
    "--shell",
    "/bin/sh",
    name,
  ]);
  const user: TestUser = {
    name,
    password,
    home,
    async [Symbol.asyncDispose]() {
      // A session that has just ended may still hold the user.
      await execute("userdel", ["--force", name]);
      await removeDir(dir);
    },
  };
  try {
    // Without PAM, whose rules for passwords differ from machine to machine.
    await execute(
      "chpasswd",
      ["--crypt-method", "SHA512"],
      `${name}:${password}\n`,
    );
  } catch (error) {
    await user[Symbol.asyncDispose]();
    throw error;
  }
  return user;
}

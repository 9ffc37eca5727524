/**
 * Installing the servers and programs that tests need, on Debian and its kin,
 * without any of them being started as a service:
 *
 *     deno run -P=i2ptun tests/support/packages.ts
 *
 * @module
 */
import { findProgram, missingPackages } from "./requirements.ts";
import { execute } from "./scratch.ts";

/** What packages would run as a service, at once and at each boot. */
const SERVICES: Record<string, string> = {
  "openssh-server": "ssh",
  "i2pd": "i2pd",
};

/** Installing scripts ask it whether they may start a service: invoke-rc.d(8). */
const POLICY = "/usr/sbin/policy-rc.d";
const KEPT_POLICY = `${POLICY}.i2ptun-kept`;

/**
 * Installs what is missing, where that is possible.
 *
 * @returns one line to print about it; undefined if nothing was missing
 */
export async function installPackages(): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return undefined;
  let packages = missingPackages();
  if (packages.length === 0) return undefined;
  let list = packages.join(" ");
  if (!findProgram("apt-get")) {
    return `not here, and no apt-get to install them: ${list}`;
  }
  if (Deno.uid() !== 0) {
    return `not here, and only root can install them: apt-get install ${list}`;
  }
  try {
    await withoutServices(async () => {
      await apt("update");
      packages = await available(packages);
      list = packages.join(" ");
      await apt("install", "-y", "--no-install-recommends", ...packages);
    });
    for (const name of packages) {
      const service = SERVICES[name];
      if (service) await execute("update-rc.d", [service, "disable"]);
    }
    return `installed the test servers: ${list}`;
  } catch (error) {
    // Of all that apt-get says, its errors begin so.
    const reason = /^E: .*/m.exec(String(error))?.[0] ?? String(error);
    return `could not install ${list}: ${reason}`;
  }
}

function apt(...args: string[]): Promise<string> {
  const env = ["DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"];
  return execute("env", [...env, ...args]);
}

/** Not every kin of Debian has them all, and apt-get installs all or nothing. */
async function available(packages: string[]): Promise<string[]> {
  const found: string[] = [];
  for (const name of packages) {
    const known = await execute("apt-cache", ["show", name])
      .then(() => true, () => false);
    if (known) found.push(name);
  }
  return found;
}

/** While `install` runs, no service may be started. */
async function withoutServices(install: () => Promise<void>): Promise<void> {
  // One that is kept already comes from a run that was killed.
  if (!await exists(KEPT_POLICY) && await exists(POLICY)) {
    await Deno.rename(POLICY, KEPT_POLICY);
  }
  await Deno.writeTextFile(POLICY, "#!/bin/sh\nexit 101\n");
  await Deno.chmod(POLICY, 0o755);
  try {
    await install();
  } finally {
    if (await exists(KEPT_POLICY)) await Deno.rename(KEPT_POLICY, POLICY);
    else await Deno.remove(POLICY);
  }
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

if (import.meta.main) {
  console.log(await installPackages() ?? "all test servers are here");
}

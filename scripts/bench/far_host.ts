/**
 * A server far away: every packet between it and this machine is held back for
 * half a round trip, by far_link.py, with all that TCP makes of that.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { Child } from "../../tests/support/child.ts";
import {
  type RemoteHost,
  startRemoteHost,
} from "../../tests/support/remote_host.ts";
import { execute } from "../../tests/support/scratch.ts";

/**
 * Needs `remote-host` and `python3` of requirements.ts.
 *
 * @param stack ends and removes what is started
 */
export async function startFarHost(
  roundTripMs: number,
  stack: AsyncDisposableStack,
): Promise<RemoteHost> {
  const remote = stack.use(await startRemoteHost());
  const { namespace, address: there } = remote;
  /** The name of both its ends. */
  const link = `i2ptun-${roundTripMs}ms`;
  const here = there.replace(/2$/, "1");
  const script = fileURLToPath(new URL("far_link.py", import.meta.url));
  const ends = stack.use(
    new Child("python3", [script, namespace, link, `${roundTripMs / 2}`]),
  );
  await ends.waitFor(/^ready$/m);
  // instead of the link that is there already
  for (
    const [where, from, to] of [
      [[], here, there],
      [["-n", namespace], there, here],
    ] as const
  ) {
    await execute("ip", [...where, "link", "set", link, "up"]);
    const route = `${to}/32 dev ${link} src ${from}`.split(" ");
    await execute("ip", [...where, "route", "add", ...route]);
  }
  return remote;
}

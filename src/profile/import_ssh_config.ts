/**
 * The forwards that ssh_config(5) gives a host, as ssh(1) opens them.
 *
 * @module
 */

import { I2ptunError } from "../errors.ts";
import type { SshHostConfig } from "../ssh/ssh_config.ts";
import { findClashes } from "./forward_names.ts";
import type { NamelessSource } from "./forward_source.ts";
import { parseForward, type UnnamedForward } from "./forward_spec.ts";

/** The forwards of a host, as they are written. */
export function specsOf(config: SshHostConfig): NamelessSource[] {
  return [
    ...config.localForwards.map((local) => ({ local })),
    ...config.remoteForwards.map((remote) => ({ remote })),
    ...config.dynamicForwards.map((dynamic) => ({ dynamic })),
  ];
}

/**
 * Reads a forward as ssh(1) takes it where ssh_config(5) says `GatewayPorts`:
 * without a bind address it is for everyone.
 *
 * @throws I2ptunError "usage" naming the field that is wrong
 */
export function readForward(
  spec: NamelessSource,
  gatewayPorts: boolean | undefined,
): UnnamedForward {
  const forward = "local" in spec
    ? parseForward("local", spec.local)
    : "remote" in spec
    ? parseForward("remote", spec.remote)
    : parseForward("dynamic", spec.dynamic);
  const { kind, listen } = forward;
  return gatewayPorts && kind !== "remote" && listen.kind === "tcp" &&
      listen.bind === undefined
    ? { ...forward, listen: { ...listen, bind: "*" } }
    : forward;
}

/** The forwards of a host, and what cannot be taken over of them. */
export function forwardsOf(
  config: SshHostConfig,
): { forwards: UnnamedForward[]; leftOut: string[] } {
  const forwards: UnnamedForward[] = [];
  const leftOut: string[] = [];
  for (const spec of specsOf(config)) {
    try {
      const forward = readForward(spec, config.gatewayPorts);
      const all = [...forwards, forward].map((each) => ({ forward: each }));
      const [clash] = findClashes(all);
      if (clash) throw new I2ptunError("usage", clash.message);
      forwards.push(forward);
    } catch (thrown) {
      const [[kind, text] = []] = Object.entries(spec);
      leftOut.push(
        `the ${kind} forward ${text}: ${I2ptunError.from(thrown).message}`,
      );
    }
  }
  return { forwards, leftOut };
}

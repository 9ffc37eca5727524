import type { Forward } from "./address.ts";
import { DynamicForward } from "./dynamic.ts";
import { LocalForward } from "./local.ts";
import { RemoteForward } from "./remote.ts";
import type { ForwardOptions, RunningForward } from "./running_forward.ts";

/** What runs a forward of this kind; nothing is open yet. */
export function createForward(
  forward: Forward,
  options: ForwardOptions,
): RunningForward {
  switch (forward.kind) {
    case "local":
      return new LocalForward(forward, options);
    case "remote":
      return new RemoteForward(forward, options);
    case "dynamic":
      return new DynamicForward(forward, options);
  }
}

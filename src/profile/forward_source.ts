/**
 * A forward as it stands in profiles.yaml.
 *
 * @module
 */

import { formatForward, type UnnamedForward } from "./forward_spec.ts";

/** An entry of `forwards` without a name: the argument of `-L`, `-R` or `-D`. */
export type NamelessSource =
  | { local: string }
  | { remote: string }
  | { dynamic: string };

/** The entry that is read as `forward`. */
export function forwardSource(forward: UnnamedForward): NamelessSource {
  const text = formatForward(forward);
  switch (forward.kind) {
    case "local":
      return { local: text };
    case "remote":
      return { remote: text };
    case "dynamic":
      return { dynamic: text };
  }
}

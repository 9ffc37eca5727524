/**
 * What a tunnel may still do once it is up. It is then in touch with the server,
 * whose bytes it parses, and with whoever connects to its local ports.
 *
 * @module
 */

import { keepOnly } from "../platform/permissions.ts";
import type { Profile } from "../profile/profile.ts";
import type { Route } from "../tunnel/route.ts";

export interface Confinement {
  profile: Profile;
  route: Route;
  /** The files of its own that it goes on writing. */
  files: string[];
}

/**
 * For the rest of this process: no other programs, no environment variables, no
 * system information, and no writing but to its own files and to the Unix
 * sockets that its profile names. Files are still read, as the keys and
 * known_hosts are for every login, and the network is what it is for.
 */
export function confine({ profile, route, files }: Confinement): void {
  keepOnly({
    run: false,
    net: true,
    env: false,
    write: [
      ...files,
      ...route.hops.flatMap(({ authentication }) => authentication.agent ?? []),
      ...profile.forwards.flatMap((forward) =>
        forward.kind === "remote" && forward.target?.kind === "unix"
          ? forward.target.path
          : []
      ),
      // where ssh_config often sends the host keys that it does not want
      ...(Deno.build.os === "windows" ? [] : ["/dev/null"]),
    ],
  });
}

/**
 * What a profile may say but this version does not do. It is
 * named in an error when the profile is used, not silently left out.
 *
 * @module
 */

import { I2ptunError } from "../errors.ts";
import type { Profile } from "../profile/profile.ts";

/** @throws {I2ptunError} `usage`, naming everything that is not supported */
export function checkSupported(profile: Profile): void {
  if (typeof profile.sshConfig !== "string") return;
  throw new I2ptunError(
    "usage",
    `${profile.name} uses what this version cannot do yet: ssh_config`,
    { remedy: `take it out with: i2ptun profile edit ${profile.name}` },
  );
}

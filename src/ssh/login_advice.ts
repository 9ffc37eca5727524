/**
 * What a refused login mostly comes from, and what to do.
 *
 * @module
 */

import { type Method, METHODS } from "./authentication_methods.ts";

export interface RefusedLogin {
  /** What the server said, if it did. */
  said: string | undefined;
  /** Such as `key ~/.ssh/id_rsa` and `password`. */
  tried: readonly string[];
  /** Methods that the server takes. */
  accepted: readonly string[];
  /** Methods that may be tried. */
  methods: readonly Method[];
}

/** Explains a login that nothing was missing for on this side. */
export function loginAdvice(
  { said, tried, accepted, methods }: RefusedLogin,
): { why: string; remedy: string } {
  if (/too many/i.test(said ?? "")) {
    return {
      why: "servers give up after a few wrong keys",
      remedy:
        "name the right key: identity: in the profile, or IdentityFile in ssh_config",
    };
  }
  const isUsable = (method: string) => methods.some((each) => each === method);
  if (accepted.length > 0 && !accepted.some(isUsable)) {
    return {
      why: "the server wants another kind of proof",
      remedy: `have the server allow one of ${METHODS.join(", ")}`,
    };
  }
  const remedy =
    "check the user name, and that the key is in the server's authorized_keys or the password is right";
  if (tried.length === 0) {
    return { why: "there is no key here to try", remedy };
  }
  return {
    why: tried.some((each) => /^(password|keyboard)/.test(each))
      ? "the user name or the password is wrong"
      : "the user name is wrong, or the server does not know the key",
    remedy,
  };
}

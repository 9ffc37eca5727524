/**
 * What may stand in profiles.yaml. What checks the file and the JSON Schema
 * for editors both come from the one schema here.
 *
 * @module
 */

import * as v from "valibot";
import { I2ptunError } from "../errors.ts";
import { parseDuration } from "./duration.ts";
import { forwardSchema } from "./forward_schema.ts";
import { byName, mapping } from "./mapping.ts";
import { DEFAULTS, NAME_PATTERN } from "./profile.ts";
import { parseServerAddress } from "./server_address.ts";
import { expected, optional, parsed, text, textOrNumber } from "./values.ts";
import { wrongType } from "./wording.ts";

export type { ForwardSource } from "./forward_schema.ts";
export { DEFAULTS, type Profile } from "./profile.ts";
export type { ServerAddress } from "./server_address.ts";

/** A host key as ssh-keygen -lf shows it. */
const FINGERPRINT = /^SHA256:[A-Za-z0-9+/]{43}$/;

const address = (key: string) =>
  parsed(text(key, "[user@]host[:port]"), parseServerAddress);

const path = (key: string) =>
  parsed(text(key, "the path of a file"), (written) => {
    if (written !== "") return written;
    throw new I2ptunError("usage", `${key} must not be empty`);
  });

const duration = (key: string) =>
  parsed(
    v.pipe(
      textOrNumber(key, "a duration such as 15s or 2m"),
      v.metadata({ examples: ["15s", "2m"] }),
    ),
    parseDuration,
  );

const count = v.pipe(
  v.custom<number>(
    (value) =>
      Number.isInteger(value) && Number(value) >= 1 &&
      Number(value) <= 1000,
    wrongCount,
  ),
  v.metadata({ type: "integer", minimum: 1, maximum: 1000 }),
);

/** One profile, without its name; output as in the file, but parsed. */
export const profileSchema = mapping(
  "a profile",
  "{ server: user@host, forwards: [console] }",
  {
    server: parsed(
      v.pipe(
        text("server", "[user@]host[:port]"),
        v.description(
          "[user@]host[:port], an IPv6 address in brackets, or a Host of ~/.ssh/config",
        ),
      ),
      parseServerAddress,
    ),
    jump: optional(
      v.union([
        parsed(
          text("jump", "[user@]host[:port]"),
          (written) => written.split(",").map(parseServerAddress),
        ),
        v.array(address("a jump host")),
      ], expected("jump", "a list of [user@]host[:port]")),
      "Jump hosts, the nearest first",
    ),
    identity: optional(
      v.union([
        v.pipe(path("identity"), v.transform((file) => [file])),
        v.array(path("an identity")),
      ], expected("identity", "the path of a file, or a list of them")),
      "Private keys; without it the agent's, then ~/.ssh/id_*",
    ),
    agent: v.pipe(
      v.optional(v.boolean(expected("agent", "true or false"))),
      v.description("Ask the SSH agent for keys"),
      v.metadata({ default: DEFAULTS.agent }),
    ),
    known_hosts: optional(
      path("known_hosts"),
      "Known host keys; ~/.ssh/known_hosts if not given",
    ),
    host_key: optional(
      parsed(
        v.pipe(
          text("host_key", "SHA256: and 43 characters"),
          v.metadata({ pattern: FINGERPRINT.source }),
        ),
        checkHostKey,
      ),
      "The only host key to accept, by its fingerprint",
    ),
    keepalive: optional(
      mapping("keepalive", "{ interval: 15s, count: 3 }", {
        interval: optional(
          duration("interval"),
          "How long to wait between two questions to the server",
        ),
        count: optional(count, "How many without an answer lose it"),
      }),
      "When a silent server counts as lost",
    ),
    reconnect: optional(
      v.union([
        v.literal(false),
        mapping("reconnect", "{ max_delay: 30s }", {
          max_delay: optional(
            duration("max_delay"),
            "The longest wait before trying again",
          ),
        }),
      ], expected("reconnect", "false or a mapping like { max_delay: 30s }")),
      "How to try again; false: do not",
    ),
    connect_timeout: optional(
      duration("connect_timeout"),
      "How long reaching the server may take",
    ),
    ssh_config: optional(
      v.union(
        [v.literal(false), path("ssh_config")],
        expected("ssh_config", "the path of a file, or false"),
      ),
      "The ssh_config to read; false: none",
    ),
    session: v.pipe(
      v.optional(v.boolean(expected("session", "true or false"))),
      v.description(
        "Run exit on each server, but OpenSSH 10 and later: older ones answer sooner then",
      ),
      v.metadata({ default: DEFAULTS.session }),
    ),
    forwards: v.pipe(
      v.array(
        forwardSchema,
        expected("forwards", "a list such as [console, http-proxy]"),
      ),
      v.description("What the tunnel carries"),
    ),
  },
);

/** The whole file. */
export const fileSchema = mapping("the file", "the one in the guide", {
  version: optional(
    v.literal(1, "version must be 1, the only one there is"),
    "Version of this format",
  ),
  profiles: v.pipe(
    v.nullish(byName(
      v.pipe(v.string(), v.metadata({ pattern: NAME_PATTERN.source })),
      profileSchema,
      (input) => wrongType("profiles", "a mapping of names to profiles", input),
    )),
    v.description("Profiles by name"),
  ),
});

/** What a profile is in the file: its keys there, its values as written. */
export type ProfileSource = v.InferInput<typeof profileSchema>;

/** The same, but parsed. */
export type ParsedProfile = v.InferOutput<typeof profileSchema>;

function wrongCount({ input }: { input?: unknown }): string {
  const shape = "a whole number from 1 to 1000";
  return typeof input === "number"
    ? `count must be ${shape}`
    : wrongType("count", shape, input);
}

function checkHostKey(written: string): string {
  if (FINGERPRINT.test(written)) return written;
  throw new I2ptunError("usage", `"${written}" is not a fingerprint`, {
    remedy: "write SHA256: and 43 characters, as ssh-keygen -lf shows it",
  });
}

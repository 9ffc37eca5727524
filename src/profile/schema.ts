/**
 * What may stand in profiles.yaml. What checks the file and the JSON Schema
 * for editors both come from the one schema here.
 *
 * @module
 */

import * as z from "zod";
import { I2ptunError } from "../errors.ts";
import { SERVICE_NAMES, type ServiceName, SERVICES } from "../i2p/services.ts";
import { parseDuration } from "./duration.ts";
import type { ForwardEntry } from "./forward_names.ts";
import { parseForward, parseListen } from "./forward_spec.ts";
import { checkName, DEFAULTS, NAME_PATTERN } from "./profile.ts";
import { parseServerAddress } from "./server_address.ts";
import {
  notAForward,
  unknownKey,
  unknownService,
  wrongType,
} from "./wording.ts";

export { DEFAULTS, type Profile } from "./profile.ts";
export type { ServerAddress } from "./server_address.ts";

type WordsFor = (issue: { input?: unknown }) => string;

const expected = (key: string, shape: string): WordsFor => ({ input }) =>
  wrongType(key, shape, input);

/** Runs `parse` on what `schema` let through; what it throws is the mistake. */
function parsed<S extends z.ZodType, T>(
  schema: S,
  parse: (value: z.output<S>) => T,
) {
  return schema.transform((value, context): T => {
    try {
      return parse(value);
    } catch (thrown) {
      const { message, remedy } = I2ptunError.from(thrown);
      context.addIssue(remedy ? `${message}; ${remedy}` : message);
      return z.NEVER;
    }
  });
}

/**
 * A mapping with these keys and no others. The words for several unknown keys
 * are divided by line breaks, in the order of the issue's `keys`.
 */
function mapping<S extends z.ZodRawShape>(key: string, like: string, shape: S) {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys"
        ? issue.keys.map((k) => unknownKey(k, Object.keys(shape))).join("\n")
        : wrongType(key, `a mapping like ${like}`, issue.input),
  });
}

const text = (key: string, shape: string) =>
  z.string({ error: expected(key, shape) });

const textOrNumber = (key: string, shape: string) =>
  z.union([z.string(), z.number()], { error: expected(key, shape) });

const address = (key: string) =>
  parsed(text(key, "[user@]host[:port]"), parseServerAddress);

const path = (key: string) =>
  parsed(text(key, "the path of a file"), (written) => {
    if (written !== "") return written;
    throw new I2ptunError("usage", `${key} must not be empty`);
  });

const duration = (key: string) =>
  parsed(
    textOrNumber(key, "a duration such as 15s or 2m")
      .meta({ examples: ["15s", "2m"] }),
    parseDuration,
  );

const forwardName = parsed(
  text("name", 'text such as "router"').meta({ pattern: NAME_PATTERN.source }),
  checkName,
).optional().describe("Its name in status and logs");

const service = z.enum(SERVICE_NAMES, {
  error: ({ input }) => unknownService(input),
}).describe("An I2P service by its name");

/** One entry of `forwards`. */
export const forwardSchema = z.union([
  service.transform((name) => serviceEntry({ service: name })),
  mapping("a forward", "{ service: console, listen: 8080 }", {
    service,
    listen: parsed(
      textOrNumber("listen", "a port, BIND:PORT or the path of a socket"),
      (written) => parseListen(String(written)),
    ).optional().describe("Where it listens: a port, BIND:PORT or a socket"),
    name: forwardName,
  }).transform(serviceEntry),
  mapping("a forward", '{ local: "8080:127.0.0.1:7657" }', {
    local: parsed(
      text("local", 'text such as "8080:127.0.0.1:7657"'),
      (written) => parseForward("local", written),
    ).describe("From this machine to the server's side: argument of ssh -L"),
    name: forwardName,
  }).transform(({ local, name }): ForwardEntry => ({ forward: local, name })),
  mapping("a forward", '{ remote: "7657:127.0.0.1:7657" }', {
    remote: parsed(
      textOrNumber("remote", 'text such as "7657:127.0.0.1:7657"'),
      (written) => parseForward("remote", String(written)),
    ).describe("From the server to this machine's side: argument of ssh -R"),
    name: forwardName,
  }).transform(({ remote, name }): ForwardEntry => ({ forward: remote, name })),
  mapping("a forward", '{ dynamic: "1080" }', {
    dynamic: parsed(
      textOrNumber("dynamic", 'a port or text such as "127.0.0.1:1080"'),
      (written) => parseForward("dynamic", String(written)),
    ).describe("A SOCKS proxy on this machine: argument of ssh -D"),
    name: forwardName,
  }).transform(({ dynamic, name }): ForwardEntry => ({
    forward: dynamic,
    name,
  })),
], { error: ({ input }) => notAForward(input) });

/** One profile, without its name; output as in the file, but parsed. */
export const profileSchema = mapping(
  "a profile",
  "{ server: user@host, forwards: [console] }",
  {
    server: address("server").describe(
      "[user@]host[:port], an IPv6 address in brackets, or a Host of ~/.ssh/config",
    ),
    jump: z.union([
      parsed(
        text("jump", "[user@]host[:port]"),
        (written) => written.split(",").map(parseServerAddress),
      ),
      z.array(address("a jump host")),
    ], { error: expected("jump", "a list of [user@]host[:port]") }).optional()
      .describe("Jump hosts, the nearest first"),
    identity: z.union([
      path("identity").transform((file) => [file]),
      z.array(path("an identity")),
    ], { error: expected("identity", "the path of a file, or a list of them") })
      .optional().describe(
        "Private keys; without it the agent's, then ~/.ssh/id_*",
      ),
    agent: z.boolean({ error: expected("agent", "true or false") })
      .optional().describe("Ask the SSH agent for keys")
      .meta({ default: DEFAULTS.agent }),
    known_hosts: path("known_hosts").optional()
      .describe("Known host keys; ~/.ssh/known_hosts if not given"),
    host_key: parsed(
      text("host_key", "SHA256: and 43 characters").meta({
        pattern: "^SHA256:[A-Za-z0-9+/]{43}$",
      }),
      checkHostKey,
    ).optional().describe("The only host key to accept, by its fingerprint"),
    keepalive: mapping("keepalive", "{ interval: 15s, count: 3 }", {
      interval: duration("interval").optional()
        .describe("How long to wait between two questions to the server"),
      count: z.int({ error: wrongCount }).min(1, { error: wrongCount })
        .max(1000, { error: wrongCount })
        .optional().describe("How many without an answer lose it"),
    }).optional().describe("When a silent server counts as lost"),
    reconnect: z.union([
      z.literal(false),
      mapping("reconnect", "{ max_delay: 30s }", {
        max_delay: duration("max_delay").optional()
          .describe("The longest wait before trying again"),
      }),
    ], {
      error: expected(
        "reconnect",
        "false or a mapping like { max_delay: 30s }",
      ),
    }).optional().describe("How to try again; false: do not"),
    connect_timeout: duration("connect_timeout").optional()
      .describe("How long reaching the server may take"),
    ssh_config: z.union([z.literal(false), path("ssh_config")], {
      error: expected("ssh_config", "the path of a file, or false"),
    }).optional().describe("The ssh_config to read; false: none"),
    forwards: z.array(forwardSchema, {
      error: expected("forwards", "a list such as [console, http-proxy]"),
    }).describe("What the tunnel carries"),
  },
);

/** The whole file. */
export const fileSchema = mapping("the file", "the one in the guide", {
  version: z.literal(1, {
    error: () => "version must be 1, the only one there is",
  }).optional().describe("Version of this format"),
  profiles: z.record(
    z.string().meta({ pattern: NAME_PATTERN.source }),
    profileSchema,
    {
      error: expected("profiles", "a mapping of names to profiles"),
    },
  ).nullable().optional().describe("Profiles by name"),
});

/** What a profile is in the file: its keys there, its values as written. */
export type ProfileSource = z.input<typeof profileSchema>;

/** One entry of `forwards` as in the file. */
export type ForwardSource = z.input<typeof forwardSchema>;

/** A JSON Schema (2020-12) of profiles.yaml, for editors. */
export function jsonSchema(): object {
  const { $schema, ...schema } = z.toJSONSchema(fileSchema, { io: "input" });
  return { $schema, title: "profiles.yaml of i2ptun", ...schema };
}

function wrongCount({ input }: { input?: unknown }): string {
  const shape = "a whole number from 1 to 1000";
  return typeof input === "number"
    ? `count must be ${shape}`
    : wrongType("count", shape, input);
}

function checkHostKey(written: string): string {
  if (/^SHA256:[A-Za-z0-9+/]{43}$/.test(written)) return written;
  throw new I2ptunError("usage", `"${written}" is not a fingerprint`, {
    remedy: "write SHA256: and 43 characters, as ssh-keygen -lf shows it",
  });
}

function serviceEntry(
  written: {
    service: ServiceName;
    listen?: ForwardEntry["forward"]["listen"] | undefined;
    name?: string | undefined;
  },
): ForwardEntry {
  const { port } = SERVICES[written.service];
  return {
    forward: {
      kind: "local",
      service: written.service,
      listen: written.listen ?? { kind: "tcp", bind: undefined, port },
      target: { kind: "tcp", host: "127.0.0.1", port },
    },
    name: written.name,
  };
}

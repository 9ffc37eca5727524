/**
 * What may stand in the `forwards` of a profile.
 *
 * @module
 */

import * as v from "valibot";
import { SERVICE_NAMES, type ServiceName, SERVICES } from "../i2p/services.ts";
import type { ForwardEntry } from "./forward_names.ts";
import { parseForward, parseListen } from "./forward_spec.ts";
import {
  failure,
  isMapping,
  isOfOwnKey,
  mapping,
  mistake,
  ofKey,
} from "./mapping.ts";
import { checkName, NAME_PATTERN } from "./profile.ts";
import { optional, parsed, text, textOrNumber } from "./values.ts";
import { notAForward, unknownKey, unknownService } from "./wording.ts";

const name = optional(
  parsed(
    v.pipe(
      text("name", 'text such as "router"'),
      v.metadata({ pattern: NAME_PATTERN.source }),
    ),
    checkName,
  ),
  "Its name in status and logs",
);

const service = (wrong: (written: unknown) => string) =>
  v.pipe(
    v.picklist(SERVICE_NAMES, ({ input }) => wrong(input)),
    v.description("An I2P service by its name"),
  );

const SERVICE_ALONE = v.pipe(
  service(notAForward),
  v.transform((name) => serviceEntry({ service: name })),
);

/** By the key that tells the kind. */
const KINDS = {
  service: v.pipe(
    mapping("a forward", "{ service: console, listen: 8080 }", {
      service: service(unknownService),
      listen: optional(
        parsed(
          textOrNumber("listen", "a port, BIND:PORT or the path of a socket"),
          (written) => parseListen(String(written)),
        ),
        "Where it listens: a port, BIND:PORT or a socket",
      ),
      name,
    }),
    v.transform(serviceEntry),
  ),
  local: v.pipe(
    mapping("a forward", '{ local: "8080:127.0.0.1:7657" }', {
      local: parsed(
        v.pipe(
          text("local", 'text such as "8080:127.0.0.1:7657"'),
          v.description(
            "From this machine to the server's side: argument of ssh -L",
          ),
        ),
        (written) => parseForward("local", written),
      ),
      name,
    }),
    v.transform(({ local, name }): ForwardEntry => ({ forward: local, name })),
  ),
  remote: v.pipe(
    mapping("a forward", '{ remote: "7657:127.0.0.1:7657" }', {
      remote: parsed(
        v.pipe(
          textOrNumber("remote", 'text such as "7657:127.0.0.1:7657"'),
          v.description(
            "From the server to this machine's side: argument of ssh -R",
          ),
        ),
        (written) => parseForward("remote", String(written)),
      ),
      name,
    }),
    v.transform(({ remote, name }): ForwardEntry => ({
      forward: remote,
      name,
    })),
  ),
  dynamic: v.pipe(
    mapping("a forward", '{ dynamic: "1080" }', {
      dynamic: parsed(
        v.pipe(
          textOrNumber("dynamic", 'a port or text such as "127.0.0.1:1080"'),
          v.description("A SOCKS proxy on this machine: argument of ssh -D"),
        ),
        (written) => parseForward("dynamic", String(written)),
      ),
      name,
    }),
    v.transform(({ dynamic, name }): ForwardEntry => ({
      forward: dynamic,
      name,
    })),
  ),
};

type Kind = keyof typeof KINDS;

const KIND_KEYS = Object.keys(KINDS) as Kind[];

/** The kind that is meant is the one whose key stands in the mapping. */
const run: v.GenericSchema["~run"] = (dataset, config) => {
  const input = dataset.value;
  if (!isMapping(input)) return SERVICE_ALONE["~run"](dataset, config);
  const keys = Object.keys(input);
  const kinds = keys.filter((key): key is Kind => Object.hasOwn(KINDS, key));
  if (kinds.length === 0) return noKind(input);
  // of several, the one that is right but for the keys of the others
  const [kind, ...others] = kinds.length === 1
    ? kinds
    : kinds.filter((each) =>
      KINDS[each]["~run"]({ value: input }, config).issues?.every(isOfOwnKey)
    );
  if (kind && others.length === 0) return KINDS[kind]["~run"](dataset, config);
  const message = `a forward has only one of ${kinds.join(", ")}; ` +
    "make each a forward of its own";
  return failure(input, [mistake(input, message)]);
};

/** One entry of `forwards`. */
export const forwardSchema = Object.assign(
  v.union([
    SERVICE_ALONE,
    KINDS.service,
    KINDS.local,
    KINDS.remote,
    KINDS.dynamic,
  ]),
  // its type names the issues of a union
  { "~run": run as never },
);

/** One entry of `forwards` as in the file. */
export type ForwardSource = v.InferInput<typeof forwardSchema>;

function noKind(input: Record<string, unknown>) {
  const [first, ...more] = Object.keys(input)
    .filter((key) => !["name", "listen"].includes(key))
    .map((key) =>
      ofKey(input, key, unknownKey(key, [...KIND_KEYS, "listen", "name"]))
    );
  const message = `a forward needs one of the keys ${KIND_KEYS.join(", ")}`;
  return failure(input, first ? [first, ...more] : [mistake(input, message)]);
}

/** The forward of a service, at its own port if nothing else is written. */
export function serviceEntry(
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

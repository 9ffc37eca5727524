import { isRunning } from "../../background/running.ts";
import { I2ptunError } from "../../errors.ts";
import { discoverServices, type Found } from "../../i2p/discover.ts";
import { type ServiceName, SERVICES } from "../../i2p/services.ts";
import { findClashes } from "../../profile/forward_names.ts";
import { serviceEntry } from "../../profile/forward_schema.ts";
import type { Profile } from "../../profile/profile.ts";
import type { Connection } from "../../ssh/connection.ts";
import { Secrets } from "../../ssh/secrets.ts";
import { connectRoute } from "../../tunnel/connect.ts";
import { resolveRoute } from "../../tunnel/route.ts";
import type { Context } from "../context.ts";
import { interruption } from "../interruption.ts";
import { print, printJson, say, styles, warn } from "../output.ts";
import { standardInputPrompter, terminalPrompter } from "../prompts.ts";
import { spinner } from "../spinner.ts";
import { table } from "../table.ts";
import { progress } from "./start.ts";

export interface DiscoverOptions {
  /** Add what was found to the profile. */
  add?: boolean | undefined;
  passwordStdin?: boolean | undefined;
  acceptNew?: boolean | undefined;
}

/** `discover` */
export async function discover(
  name: string,
  options: DiscoverOptions,
  context: Context,
): Promise<void> {
  const profile = await context.store.get(name);
  const services = await discoverOver(profile, options, context);
  const missing = missingServices(profile, services);
  const added = options.add ? await addServices(profile, missing, context) : [];
  if (context.json) {
    return printJson({ services, ...(options.add ? { added } : {}) });
  }
  showServices(services).forEach(print);
  if (options.add) return await sayAdded(name, added, context);
  if (missing.length > 0) {
    say(`add ${missing.join(", ")} with: i2ptun discover ${name} --add`);
  } else if (!services.some(({ state }) => state === "found")) {
    say(
      services.some(({ state }) => state === "forbidden")
        ? "no I2P service answers where the SSH server lets one look: see PermitOpen in its sshd_config"
        : "no I2P service answers there: does the router run?",
    );
  }
}

/** Logs in to the profile's server by a connection of its own, and looks. */
async function discoverOver(
  profile: Profile,
  options: DiscoverOptions,
  context: Context,
): Promise<Found[]> {
  const route = await resolveRoute(profile, context.environment);
  route.warnings.forEach(warn);
  const ask = options.passwordStdin
    ? await standardInputPrompter()
    : terminalPrompter();
  using interrupted = interruption();
  using _busy = spinner(`looking around at ${route.server.login}`);
  const connection = await connectRoute(route, {
    ask,
    secrets: new Secrets(),
    acceptNew: options.acceptNew ?? false,
    log: progress(context.debug),
    signal: interrupted.signal,
  });
  try {
    return await discoverThrough(connection, interrupted.signal);
  } finally {
    connection.end();
  }
}

/**
 * What the server has at its own 127.0.0.1.
 *
 * @throws {I2ptunError} `forward` if it lets us look nowhere
 */
export async function discoverThrough(
  connection: Connection,
  signal: AbortSignal,
): Promise<Found[]> {
  const services = await discoverServices(
    (place) =>
      connection.openStream({ kind: "tcp", ...place }, {
        address: "127.0.0.1",
        port: 0,
      }),
    signal,
  );
  if (services.some(({ state }) => state !== "forbidden")) return services;
  throw new I2ptunError(
    "forward",
    "the SSH server forbids every connection to its own 127.0.0.1",
    {
      remedy:
        "its sshd_config must allow it: AllowTcpForwarding, PermitOpen, or the key's options in authorized_keys",
    },
  );
}

/** What was found and the profile does not forward yet. */
export function missingServices(
  { forwards }: Profile,
  services: readonly Found[],
): ServiceName[] {
  const has = ({ service, port }: Found) =>
    forwards.some((each) =>
      each.kind === "local" && (each.service === service ||
        each.target.kind === "tcp" && each.target.port === port &&
          /^(127\.0\.0\.1|localhost)$/.test(each.target.host))
    );
  return services.filter((each) => each.state === "found" && !has(each))
    .map(({ service }) => service);
}

/** @returns those that were added: a port here can be taken already */
async function addServices(
  profile: Profile,
  services: readonly ServiceName[],
  { store }: Context,
): Promise<ServiceName[]> {
  const taken = profile.forwards.map((forward) => ({
    forward,
    name: forward.name,
  }));
  const free = services.filter((service) => {
    const entry = serviceEntry({ service });
    const [clash] = findClashes([...taken, entry])
      .filter(({ index }) => index === taken.length);
    if (!clash) return true;
    warn(
      `${service} is left out: ${clash.message}; add it with another port: { service: ${service}, listen: ${
        SERVICES[service].port + 10_000
      } }`,
    );
    return false;
  });
  if (free.length > 0) await store.addForwards(profile.name, free);
  return free;
}

async function sayAdded(
  name: string,
  added: readonly ServiceName[],
  { folder, store }: Context,
): Promise<void> {
  if (added.length === 0) return say(`there is nothing to add to ${name}`);
  say(`added ${added.join(", ")} to ${name} in ${store.path}`);
  if (await isRunning(folder, name)) {
    say(`restart it to use them: i2ptun profile restart ${name}`);
  }
}

/** A line for each service. */
function showServices(services: readonly Found[]): string[] {
  return table(services.map(({ service, port, state, what }) => {
    const cells = [MARKS[state], service, String(port), what];
    return state === "closed" ? cells.map(styles.dim) : [
      COLOURS[state](cells[0]!),
      ...cells.slice(1),
    ];
  }));
}

const MARKS = {
  found: "✓",
  unclear: "?",
  other: "!",
  closed: "·",
  forbidden: "✗",
} as const;

const COLOURS = {
  found: styles.green,
  unclear: styles.yellow,
  other: styles.yellow,
  closed: styles.dim,
  forbidden: styles.red,
} as const;

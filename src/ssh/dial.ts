/**
 * Opens the TCP connection to a server: every address of a name, in turn and
 * overlapping (RFC 8305), with Nagle's algorithm off from the first byte.
 *
 * @module
 */

import { lookup } from "node:dns/promises";
import { connect, isIP, type Socket } from "node:net";
import { I2ptunError } from "../errors.ts";
import { formatHostPort } from "../forward/address.ts";

export interface DialOptions {
  host: string;
  port: number;
  /** 4 or 6 to use only such addresses; 0 for both. */
  family?: 0 | 4 | 6 | undefined;
  /** This machine's address to connect from. */
  bindAddress?: string | undefined;
  /** Ends the attempt; its reason is thrown. */
  signal: AbortSignal;
  /** How names become addresses; the system's way unless given. */
  lookup?: Lookup | undefined;
}

/** The addresses of a name, the preferred ones first, as getaddrinfo(3). */
export type Lookup = (
  host: string,
  family: 0 | 4 | 6,
) => Promise<{ address: string; family: number }[]>;

const systemLookup: Lookup = (host, family) =>
  lookup(host, { all: true, family, verbatim: true });

/** RFC 8305 §5: how long an address may take before the next one is tried too. */
const ATTEMPT_DELAY_MS = 250;

/**
 * Connects to the first of the host's addresses that answers.
 *
 * @throws {I2ptunError} `unreachable`, naming every address that was tried.
 */
export async function dial(options: DialOptions): Promise<Socket> {
  return await race(await findAddresses(options), options);
}

/**
 * The addresses of a host, as {@link resolveHost}, for as long as it may take.
 *
 * @throws {I2ptunError} `unreachable` if there are none in time; any other
 *   reason of `signal`
 */
export async function findAddresses(
  { host, family = 0, lookup, signal }: Omit<DialOptions, "port">,
): Promise<string[]> {
  signal.throwIfAborted();
  try {
    // the system's lookup cannot be ended, but need not be waited for
    return await unlessAborted(resolveHost(host, family, lookup), signal);
  } catch (error) {
    if (error !== signal.reason) throw error;
    const isLate = I2ptunError.from(error).kind === "unreachable";
    throw isLate ? noAddress(host, family, error) : error;
  }
}

/** What `promise` gives, but no later than `signal` aborts: then its reason. */
export async function unlessAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/**
 * The addresses of a host, IPv6 and IPv4 by turns (RFC 8305 §4).
 *
 * @throws {I2ptunError} `unreachable` if the name has none.
 */
export async function resolveHost(
  host: string,
  family: 0 | 4 | 6 = 0,
  find: Lookup = systemLookup,
): Promise<string[]> {
  const literal = isIP(host);
  if (literal !== 0) {
    if (family === 0 || family === literal) return [host];
    throw new I2ptunError(
      "usage",
      `${host} is no IPv${family} address, and no other is allowed`,
      { remedy: "correct AddressFamily in ssh_config" },
    );
  }
  let found: { address: string; family: number }[];
  try {
    found = await find(host, family);
  } catch (cause) {
    throw noAddress(host, family, cause);
  }
  const first = found[0]?.family;
  const preferred = found.filter((each) => each.family === first);
  const others = found.filter((each) => each.family !== first);
  const mixed = preferred.flatMap((each, i) =>
    others[i] ? [each, others[i]] : [each]
  );
  mixed.push(...others.slice(preferred.length));
  return [...new Set(mixed.map((each) => each.address))];
}

function noAddress(host: string, family: number, cause: unknown): I2ptunError {
  return new I2ptunError(
    "unreachable",
    family === 0
      ? `cannot find the address of ${host}`
      : `cannot find an IPv${family} address of ${host}`,
    {
      why: "nobody has that name, or no name server answers this machine",
      remedy:
        `check the spelling of ${host} and that this machine is online, or use its IP address`,
      cause,
    },
  );
}

function race(
  addresses: string[],
  { host, port, bindAddress, signal }: DialOptions,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const waiting = [...addresses];
    const trying = new Set<Socket>();
    const failures: { address: string; code: string }[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;

    const settle = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      for (const socket of trying) socket.destroy();
    };
    const onAbort = () => {
      settle();
      reject(signal.reason);
    };
    const tryNext = () => {
      clearTimeout(timer);
      const address = waiting.shift();
      if (address === undefined) {
        if (trying.size === 0) {
          settle();
          reject(refused(host, port, bindAddress, failures));
        }
        return;
      }
      const socket = connect({
        host: address,
        port,
        noDelay: true,
        ...(bindAddress === undefined ? {} : { localAddress: bindAddress }),
      });
      // ssh2 pauses and resumes it: had it begun to read, Deno 2.7 would read twice
      // into one buffer
      socket.pause();
      trying.add(socket);
      socket.once("connect", () => {
        trying.delete(socket);
        settle();
        socket.removeAllListeners("error");
        resolve(socket);
      });
      socket.once("error", (error: Error & { code?: string }) => {
        trying.delete(socket);
        failures.push({ address, code: error.code ?? error.message });
        tryNext();
      });
      if (waiting.length > 0) timer = setTimeout(tryNext, ATTEMPT_DELAY_MS);
    };

    signal.addEventListener("abort", onAbort, { once: true });
    tryNext();
  });
}

interface Reason {
  said: string;
  why?: string;
  remedy: string;
}

/**
 * A server that was waited for in vain.
 *
 * @param server `host:port`
 */
export function noAnswer(server: string, afterMs: number): I2ptunError {
  return new I2ptunError(
    "unreachable",
    `${server} did not answer within ${afterMs / 1000} s`,
    {
      why:
        "a firewall drops the connection, or no machine that is on has this address",
      remedy: "check the address and port, and that no firewall is in the way",
    },
  );
}

const REASONS: Record<string, Reason> = {
  ECONNREFUSED: {
    said: "refused the connection",
    why: "the machine is there, but no SSH server listens at that port",
    remedy: "check the port and that the SSH server runs there",
  },
  ETIMEDOUT: {
    said: "did not answer in time",
    why:
      "a firewall drops the connection, or no machine that is on has this address",
    remedy: "check the address, and that no firewall is in the way",
  },
  EHOSTUNREACH: {
    said: "cannot be reached from here",
    why: "no machine that is on has this address, or a firewall rejects it",
    remedy: "check the address and this machine's network",
  },
  ENETUNREACH: {
    said: "cannot be reached: there is no network to it",
    why: "this machine is offline, or has no IPv6 and this is an IPv6 address",
    remedy: "check that this machine is online",
  },
};

/** What systems say about an address to connect from that cannot be. */
const CANNOT_BIND = new Set([
  "EADDRNOTAVAIL",
  "EINVAL",
  "EAFNOSUPPORT",
]);

function refused(
  host: string,
  port: number,
  bindAddress: string | undefined,
  failures: { address: string; code: string }[],
): I2ptunError {
  const last = failures.at(-1)?.code ?? "";
  const cannotBind = bindAddress !== undefined && CANNOT_BIND.has(last);
  const reason: Reason = cannotBind
    ? {
      said: `cannot be reached from ${bindAddress}`,
      remedy: "correct BindAddress in ssh_config: one of this machine's own",
    }
    : REASONS[last] ??
      { said: `cannot be reached: ${last}`, remedy: "check the address" };
  const tried = failures.map((each) => each.address);
  const where = tried.length === 1 && tried[0] === host
    ? ""
    : ` (tried ${tried.join(", ")})`;
  return new I2ptunError(
    "unreachable",
    `${formatHostPort(host, port)} ${reason.said}${where}`,
    { why: reason.why, remedy: reason.remedy },
  );
}

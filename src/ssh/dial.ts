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
}

/** RFC 8305 §5: how long an address may take before the next one is tried too. */
const ATTEMPT_DELAY_MS = 250;

/**
 * Connects to the first of the host's addresses that answers.
 *
 * @throws {I2ptunError} `unreachable`, naming every address that was tried.
 */
export async function dial(options: DialOptions): Promise<Socket> {
  const { host, signal } = options;
  signal.throwIfAborted();
  const addresses = await resolveHost(host, options.family ?? 0);
  signal.throwIfAborted();
  return await race(addresses, options);
}

/**
 * The addresses of a host, IPv6 and IPv4 by turns (RFC 8305 §4).
 *
 * @throws {I2ptunError} `unreachable` if the name has none.
 */
export async function resolveHost(
  host: string,
  family: 0 | 4 | 6 = 0,
): Promise<string[]> {
  if (isIP(host)) return [host];
  let found: { address: string; family: number }[];
  try {
    found = await lookup(host, { all: true, family, verbatim: true });
  } catch (cause) {
    throw new I2ptunError(
      "unreachable",
      `cannot find the address of ${host}`,
      {
        remedy:
          `check the spelling of ${host} and that this machine is online, or use its IP address`,
        cause,
      },
    );
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
          reject(refused(host, port, failures));
        }
        return;
      }
      const socket = connect({
        host: address,
        port,
        noDelay: true,
        ...(bindAddress === undefined ? {} : { localAddress: bindAddress }),
      });
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

const REASONS: Record<string, { said: string; remedy: string }> = {
  ECONNREFUSED: {
    said: "refused the connection",
    remedy: "check the port and that the SSH server runs there",
  },
  ETIMEDOUT: {
    said: "did not answer in time",
    remedy: "check the address, and that no firewall is in the way",
  },
  EHOSTUNREACH: {
    said: "cannot be reached from here",
    remedy: "check the address and this machine's network",
  },
  ENETUNREACH: {
    said: "cannot be reached: there is no network to it",
    remedy: "check that this machine is online",
  },
};

function refused(
  host: string,
  port: number,
  failures: { address: string; code: string }[],
): I2ptunError {
  const last = failures.at(-1)?.code ?? "";
  const reason = REASONS[last] ??
    { said: `cannot be reached: ${last}`, remedy: "check the address" };
  const tried = failures.map((each) => each.address);
  const where = tried.length === 1 && tried[0] === host
    ? ""
    : ` (tried ${tried.join(", ")})`;
  return new I2ptunError(
    "unreachable",
    `${formatHostPort(host, port)} ${reason.said}${where}`,
    { remedy: reason.remedy },
  );
}

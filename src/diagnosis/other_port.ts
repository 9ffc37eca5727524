/**
 * Whether a server's SSH is at another port than the one where it was looked
 * for.
 *
 * @module
 */

import type { Duplex } from "node:stream";
import { I2ptunError } from "../errors.ts";
import { formatHostPort } from "../forward/address.ts";
import { type Sleep, TimeLimit } from "../forward/time_limit.ts";
import { unlessAborted } from "../ssh/dial.ts";
import { overhearGreeting } from "../ssh/server_offer.ts";

/** SSH's own port (RFC 4253 §4), and what is most often put in its place. */
const USUAL_PORTS = [22, 2222];

/** It is only a hint, so nobody waits long for it. */
const PATIENCE_MS = 1500;

export interface OtherPortOptions {
  host: string;
  /** Where it was looked for. */
  port: number;
  /** Connects to another port of the host. */
  open: (port: number, signal: AbortSignal) => Promise<Duplex>;
  sleep: Sleep;
  signal: AbortSignal;
}

/**
 * Looks for an SSH server at the usual ports.
 *
 * @returns what to do, if one answers there and none does at `port`
 * @throws the reason of `signal`
 */
export async function findOtherPort(
  { host, port, open, sleep, signal }: OtherPortOptions,
): Promise<{ try: string } | undefined> {
  const late = new I2ptunError("unreachable", `${host} did not answer in time`);
  using limit = new TimeLimit(sleep, PATIENCE_MS, late);
  const any = AbortSignal.any([signal, limit.signal]);
  const ports = [port, ...USUAL_PORTS.filter((each) => each !== port)];
  const software = await Promise.all(
    ports.map((each) =>
      unlessAborted(open(each, any), any)
        .then((transport) => softwareOf(transport, any))
        .catch(() => undefined)
    ),
  );
  signal.throwIfAborted();
  const found = software.findIndex((each) => each !== undefined);
  if (found < 1) return undefined;
  const at = formatHostPort(host, ports[found]!);
  return {
    try: `an SSH server (${
      software[found]
    }) answers at ${at}: use that port, also in ssh_config if it has another`,
  };
}

/** What an SSH server calls itself; undefined if it is none. */
async function softwareOf(
  transport: Duplex,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { promise: done, resolve } = Promise.withResolvers<void>();
  const end = () => resolve();
  const greeting = overhearGreeting(transport);
  transport.on("data", () => {
    if (greeting.software ?? greeting.protocol) end();
  });
  for (const event of ["error", "end", "close"]) transport.on(event, end);
  signal.addEventListener("abort", end, { once: true });
  if (signal.aborted) end();
  await done;
  signal.removeEventListener("abort", end);
  transport.destroy();
  return greeting.software;
}

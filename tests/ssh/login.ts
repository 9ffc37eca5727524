/**
 * A login without the program around it, and servers to log in to.
 *
 * @module
 */
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import type { Log } from "../../src/log.ts";
import type { Connection } from "../../src/ssh/connection.ts";
import type { ConnectionOptions } from "../../src/ssh/connection_options.ts";
import { METHODS } from "../../src/ssh/authentication_methods.ts";
import { generateKeyPair } from "../../src/ssh/key_pair.ts";
import { openConnection } from "../../src/ssh/open_connection.ts";
import type { Question } from "../../src/ssh/prompter.ts";
import { Secrets } from "../../src/ssh/secrets.ts";
import { Server } from "../../src/ssh/ssh2_server.ts";
import { testWith } from "../support/requirements.ts";

/**
 * {@link testWith} for what logs in within the test: on Deno 2.7 a cipher counts
 * as open until its end, which ssh2 never comes to, and an attempt to connect
 * until its answer, though it was given up.
 */
export const testLogin: typeof testWith = (requirements, name, fn) =>
  testWith(requirements, name, fn, {
    sanitizeOps: false,
    sanitizeResources: false,
  });

/** What differs from a login by nothing at all to a server that is trusted. */
export interface LoginOptions
  extends Partial<Omit<ConnectionOptions, "authentication" | "hostKey">> {
  host: string;
  port: number;
  authentication?: Partial<ConnectionOptions["authentication"]>;
  hostKey?: Partial<ConnectionOptions["hostKey"]>;
}

/** Logs in. Nobody is there to ask, unless `ask` is given. */
export function login(options: LoginOptions): Promise<Connection> {
  const { authentication, hostKey, ...rest } = options;
  return openConnection({
    user: "me",
    connectTimeoutMs: 10_000,
    keepalive: { intervalMs: 15_000, count: 3 },
    ask: () => Promise.resolve(undefined),
    log: () => {},
    signal: new AbortController().signal,
    ...rest,
    authentication: {
      named: [],
      defaults: [],
      onlyNamed: false,
      agent: undefined,
      checkPermissions: true,
      secrets: new Secrets(),
      methods: [...METHODS],
      passwordAttempts: 3,
      ...authentication,
    },
    hostKey: {
      pin: undefined,
      alias: undefined,
      hash: undefined,
      files: [],
      store: undefined,
      unknown: "accept",
      ...hostKey,
    },
  });
}

/** {@link login}, and out again. */
export async function logInAndOut(options: LoginOptions): Promise<void> {
  const connection = await login(options);
  connection.end();
  await connection.closed;
}

/** Answers questions in order, and tells what was asked. */
export function answering(...answers: (string | undefined)[]) {
  const asked: Question[] = [];
  return {
    asked,
    ask: (question: Question) => {
      asked.push(question);
      return Promise.resolve(answers.shift());
    },
  };
}

/** A log to look at. */
export function recorder(): { lines: string[]; log: Log } {
  const lines: string[] = [];
  return {
    lines,
    log: (level, message) => void lines.push(`${level}: ${message}`),
  };
}

/** One attempt to log in, as a server sees it; ssh2's types leave much out. */
// deno-lint-ignore no-explicit-any
export type Attempt = any;

export interface ScriptedServer extends AsyncDisposable {
  host: string;
  port: number;
  /** Every attempt that was made: its method, and a password if it had one. */
  attempts: string[];
  /** Ends its connections. */
  disconnect(): void;
}

/** An ssh2 server that lets `decide` answer every attempt. */
export async function startScriptedServer(
  decide: (attempt: Attempt) => void,
  options: {
    banner?: string;
    /** Such as `OpenSSH_9.2p1 Debian-2`. */
    software?: string;
    onClient?: (client: unknown) => void;
  } = {},
): Promise<ScriptedServer> {
  const { privateText: key } = await generateKeyPair("ed25519", "test", "");
  const attempts: string[] = [];
  const clients = new Set<{ end(): void }>();
  const server = new Server(
    {
      hostKeys: [key],
      banner: options.banner ?? "",
      ...(options.software && { ident: options.software }),
    },
    (client) => {
      clients.add(client);
      options.onClient?.(client);
      client.on("error", () => {});
      client.on("close", () => clients.delete(client));
      client.on("authentication", (attempt: Attempt) => {
        attempts.push(
          attempt.method === "password"
            ? `password ${attempt.password}`
            : attempt.method,
        );
        decide(attempt);
      });
    },
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    host: "127.0.0.1",
    port: (server.address() as AddressInfo).port,
    attempts,
    disconnect: () => clients.forEach((client) => client.end()),
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.end();
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      await promise;
    },
  };
}

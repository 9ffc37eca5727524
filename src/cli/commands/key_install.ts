import { Buffer } from "node:buffer";
import { resolve } from "node:path";
import { I2ptunError } from "../../errors.ts";
import { expandHome } from "../../platform/paths.ts";
import {
  authorizeKey,
  parsePublicKey,
  type PublicKey,
} from "../../ssh/authorized_keys.ts";
import { fingerprint } from "../../ssh/fingerprint.ts";
import { readPrivateKey } from "../../ssh/private_key.ts";
import type { Prompter } from "../../ssh/prompter.ts";
import { Secrets } from "../../ssh/secrets.ts";
import { connectRoute } from "../../tunnel/connect.ts";
import { resolveRoute, type Route } from "../../tunnel/route.ts";
import type { Context } from "../context.ts";
import { interruption } from "../interruption.ts";
import { print, printJson, warn } from "../output.ts";
import { standardInputPrompter, terminalPrompter } from "../prompts.ts";
import { spinner } from "../spinner.ts";
import { type Answering, progress } from "./start.ts";

export interface KeyInstallOptions {
  /** The `.pub` file. */
  file?: string | undefined;
  passwordStdin?: boolean | undefined;
  acceptNew?: boolean | undefined;
}

/** `key install`: what ssh-copy-id(1) does, and the proof that it worked. */
export async function keyInstall(
  name: string,
  options: KeyInstallOptions & Answering,
  context: Context,
): Promise<void> {
  const { environment } = context;
  const route = await resolveRoute(await context.store.get(name), environment);
  route.warnings.forEach(warn);
  const { login } = route.server;
  const { path, key } = options.file === undefined
    ? await usualKey(route)
    : await keyAt(resolve(expandHome(options.file, environment)));
  const ask = options.ask ??
    (options.passwordStdin
      ? await standardInputPrompter()
      : terminalPrompter());
  using interrupted = interruption();
  const connect = async (via: Route, from: Prompter) =>
    await connectRoute(via, {
      ask: from,
      secrets,
      acceptNew: options.acceptNew ?? false,
      log: progress(context.debug),
      signal: interrupted.signal,
    });
  const secrets = new Secrets();

  const install = async () => {
    using _busy = spinner(`installing the key at ${login}`);
    const connection = await connect(route, ask);
    let added: boolean;
    try {
      added = await authorizeKey(connection, key, login);
    } finally {
      connection.end();
    }
    const proof = await connect(onlyWith(path, route), ask).catch((error) => {
      throw notProven(login, added, error);
    });
    proof.end();
    return added;
  };
  const added = await install();

  const result = { login, file: path, fingerprint: fingerprint(key.blob) };
  if (context.json) return printJson({ ...result, added });
  print(
    added
      ? `added ${path} to the authorized keys of ${login}`
      : `${path} was among the authorized keys of ${login} already`,
  );
  print("logged in with that key alone: it works");
}

/** The key of the profile, of ssh_config, or one in its usual place. */
async function usualKey({ server }: Route) {
  const { named, defaults } = server.authentication;
  for (const path of [...named, ...defaults]) {
    try {
      return await keyAt(path);
    } catch (error) {
      if (!(error instanceof NoSuchKey)) throw error;
    }
  }
  throw new I2ptunError("usage", "there is no key to install", {
    remedy: "make one: i2ptun key create; or name one: --file",
  });
}

class NoSuchKey extends I2ptunError {}

/** The public half of a key, whichever of its two files is named. */
async function keyAt(
  file: string,
): Promise<{ path: string; key: PublicKey }> {
  const path = file.replace(/\.pub$/, "");
  const text = await Deno.readTextFile(`${path}.pub`).catch(() => undefined);
  if (text !== undefined) {
    return { path, key: parsePublicKey(text, `${path}.pub`) };
  }
  try {
    const { type, publicKey, comment } = await readPrivateKey(path, {
      checkPermissions: false,
    });
    if (type !== undefined && publicKey !== undefined) {
      const base64 = Buffer.from(publicKey).toString("base64");
      return {
        path,
        key: parsePublicKey(`${type} ${base64} ${comment}`, path),
      };
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  throw new NoSuchKey("usage", `there is no public key ${path}.pub`, {
    remedy: "name another one, --file, or make one: i2ptun key create",
  });
}

/** The same way, but the server may be logged in to with one key only. */
function onlyWith(path: string, { hops, ...rest }: Route): Route {
  const server = {
    ...rest.server,
    authentication: {
      ...rest.server.authentication,
      named: [path],
      defaults: [],
      onlyNamed: true,
      methods: ["publickey" as const],
    },
  };
  return { ...rest, server, hops: [...hops.slice(0, -1), server] };
}

function notProven(login: string, added: boolean, thrown: unknown) {
  const error = I2ptunError.from(thrown);
  if (error.kind !== "login-refused") return error;
  return new I2ptunError(
    error.kind,
    `the key ${
      added ? "is now" : "was already"
    } in the authorized keys, but ${error.message}`,
    {
      details: error.details,
      remedy:
        `see why in the SSH server's log; often the home folder of ${login} or ~/.ssh can be written by others (StrictModes), or sshd_config has AuthorizedKeysFile elsewhere or PubkeyAuthentication no`,
    },
  );
}

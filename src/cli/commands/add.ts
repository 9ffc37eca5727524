import { I2ptunError } from "../../errors.ts";
import {
  isServiceName,
  SERVICE_NAMES,
  type ServiceName,
  SERVICES,
} from "../../i2p/services.ts";
import { checkName } from "../../profile/profile.ts";
import type { ProfileSource } from "../../profile/schema.ts";
import { parseServerAddress } from "../../profile/server_address.ts";
import { splitCommandLine } from "../../profile/shell_words.ts";
import { parseSshCommand } from "../../profile/ssh_command.ts";
import { profileOf } from "../../profile/ssh_command_profile.ts";
import type { Context } from "../context.ts";
import { print, printJson } from "../output.ts";
import { askSome, askText, isInteractive } from "../prompts.ts";

export interface AddOptions {
  server?: string | undefined;
  service: string[];
  local: string[];
  remote: string[];
  dynamic: string[];
  jump: string[];
  identity: string[];
  /** An OpenSSH command line. */
  ssh?: string | undefined;
}

/** `profile add` */
export async function add(
  name: string,
  options: AddOptions,
  context: Context,
): Promise<void> {
  checkName(name);
  const fromSsh = options.ssh === undefined
    ? undefined
    : profileOf(parseSshCommand(splitCommandLine(options.ssh)));
  const server = options.server ?? fromSsh?.server ?? await askServer();
  const forwards: ProfileSource["forwards"] = [
    ...fromSsh?.forwards ?? [],
    ...options.service.map((service) => checkService(service)),
    ...options.local.map((local) => ({ local })),
    ...options.remote.map((remote) => ({ remote })),
    ...options.dynamic.map((dynamic) => ({ dynamic })),
  ];
  if (forwards.length === 0) forwards.push(...await askServices());
  const jump = [...fromSsh?.jump ?? [], ...options.jump];
  const identity = [...fromSsh?.identity ?? [], ...options.identity];
  await context.store.add(name, {
    ...fromSsh,
    server,
    ...(jump.length === 0 ? {} : { jump }),
    ...(identity.length === 0
      ? {}
      : { identity: identity.length === 1 ? identity[0]! : identity }),
    forwards,
  });
  if (context.json) return printJson({ added: name, file: context.config });
  print(`added ${name} to ${context.config}`);
  print(`start it with: i2ptun profile start ${name}`);
}

function checkService(name: string): ServiceName {
  if (isServiceName(name)) return name;
  throw new I2ptunError("usage", `there is no service named ${name}`, {
    remedy: `one of ${SERVICE_NAMES.join(", ")}; for any other port use -L`,
  });
}

function askServer(): Promise<string> {
  if (!isInteractive()) {
    throw new I2ptunError("usage", "the server is missing", {
      remedy: "--server [user@]host[:port]",
    });
  }
  return askText("Server ([user@]host[:port]):", {
    check: (text) => {
      try {
        parseServerAddress(text);
        return true;
      } catch (error) {
        return I2ptunError.from(error).message;
      }
    },
  });
}

function askServices(): Promise<ServiceName[]> {
  if (!isInteractive()) {
    throw new I2ptunError("usage", "there is nothing to forward", {
      remedy:
        `name an I2P service (--service console) or a forward (-L 8080:127.0.0.1:7657)`,
    });
  }
  return askSome(
    "Which services of the router do you want here?",
    SERVICE_NAMES.map((value) => ({
      value,
      name: `${value}  (${SERVICES[value].title}, port ${
        SERVICES[value].port
      })`,
      checked: value === "console" || value === "http-proxy",
    })),
  );
}

import { get } from "node:http";
import { PAGE_MARK, startSampleServer } from "../../demo/server.ts";
import { I2ptunError } from "../../errors.ts";
import { DEFAULTS, type Profile } from "../../profile/profile.ts";
import { Secrets } from "../../ssh/secrets.ts";
import { systemClock } from "../../tunnel/clock.ts";
import { connectRoute } from "../../tunnel/connect.ts";
import { resolveRoute } from "../../tunnel/route.ts";
import { Tunnel } from "../../tunnel/tunnel.ts";
import type { Context } from "../context.ts";
import { interruption } from "../interruption.ts";
import { print, printJson, say, styles } from "../output.ts";
import { showAddress, showStarted } from "../status_view.ts";
import { windowTitle } from "../window_title.ts";
import { progress } from "./start.ts";

/**
 * `demo`: the real tunnel, to a sample server in this process.
 *
 * @param limitMs the page has to have come through by then
 */
export async function demo(
  once: boolean,
  context: Context,
  limitMs = 30_000,
): Promise<void> {
  using interrupted = interruption();
  using _title = windowTitle("i2ptun: demo");
  const { environment, debug } = context;
  const sample = await startSampleServer();
  say(
    `An SSH server with a sample console behind it runs at 127.0.0.1:${sample.port}.`,
  );
  const profile: Profile = {
    ...DEFAULTS,
    name: "demo",
    server: { user: sample.user, host: "127.0.0.1", port: sample.port },
    jump: [],
    identity: [],
    agent: false,
    knownHosts: undefined,
    hostKey: sample.hostKey,
    sshConfig: false,
    forwards: [{
      kind: "local",
      name: "console",
      service: "console",
      listen: { kind: "tcp", bind: "127.0.0.1", port: 0 },
      target: { kind: "tcp", host: "127.0.0.1", port: sample.consolePort },
    }],
    written: new Set(),
  };
  const route = await resolveRoute(profile, environment);
  const secrets = new Secrets();
  const log = progress(debug);
  const tunnel = new Tunnel({
    profile,
    server: route.server.login,
    connect: (signal) =>
      connectRoute(route, {
        secrets,
        ask: (question) =>
          Promise.resolve(
            question.kind === "password" ? sample.password : undefined,
          ),
        acceptNew: false,
        log,
        signal,
      }),
    portOwner: () => Promise.resolve(undefined),
    clock: systemClock,
    log,
  });
  const late = new AbortController();
  const timer = setTimeout(() => {
    late.abort(
      new I2ptunError(
        "unforeseen",
        `the page did not come through within ${limitMs / 1000} s`,
        { remedy: "i2ptun demo --debug" },
      ),
    );
  }, limitMs);
  const signal = AbortSignal.any([interrupted.signal, late.signal]);
  const stop = () => tunnel.stop();
  signal.addEventListener("abort", stop);
  try {
    await tunnel.start().catch((error) => {
      signal.throwIfAborted();
      throw error;
    });
    const status = tunnel.status();
    if (!context.json) showStarted(status).forEach(print);
    const url = showAddress(status.forwards[0]!);
    const text = await read(url, signal);
    clearTimeout(timer);
    if (!text.includes(PAGE_MARK)) {
      throw new I2ptunError("unforeseen", "the page did not come through");
    }
    if (context.json) printJson({ url, bytes: text.length });
    else {
      print(
        `${
          styles.green("✓")
        } fetched ${url} through the tunnel: ${text.length} bytes`,
      );
    }
    if (once) return;
    print(`Open ${styles.bold(url)} in a browser; Ctrl-C ends the demo.`);
    await new Promise((resolve) =>
      interrupted.signal.addEventListener("abort", resolve)
    );
    throw interrupted.signal.reason;
  } finally {
    clearTimeout(timer);
    tunnel.stop();
    await sample.close();
  }
}

/** Reads a page of this machine: unlike `fetch`, never by a proxy. */
function read(url: string, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) =>
      reject(signal.aborted ? signal.reason : error);
    const request = get(url, { signal, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part) => text += part)
        .on("end", () => resolve(text)).on("error", fail);
    });
    request.on("error", fail);
  });
}

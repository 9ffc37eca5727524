import { runningStatus } from "../../background/running.ts";
import { I2ptunError } from "../../errors.ts";
import { browserFolder, prepareBrowser } from "../../i2p/browser.ts";
import { type Entrance, findEntrance } from "../../i2p/entrance.ts";
import { proxyAutoConfig } from "../../i2p/pac.ts";
import {
  type Browser,
  BROWSER_NAMES,
  findBrowser,
} from "../../platform/browsers.ts";
import { startBrowser } from "../../platform/run.ts";
import { quotePosix, quoteWindows } from "../../profile/export.ts";
import { nearest } from "../../profile/nearest.ts";
import type { TunnelStatus } from "../../tunnel/status.ts";
import type { Context } from "../context.ts";
import { print, printJson, printRaw, say } from "../output.ts";
import { spinner } from "../spinner.ts";

export interface BrowseOptions {
  browser?: string | undefined;
  print?: boolean | undefined;
  pac?: boolean | undefined;
}

/** `browse`: a browser whose only way out is the tunnelled I2P proxy. */
export async function browse(
  name: string,
  url: string | undefined,
  options: BrowseOptions,
  context: Context,
): Promise<void> {
  const page = url === undefined ? undefined : pageAddress(url);
  const status = await runningStatus(context.folder, name);
  if (status?.pid == null) {
    await context.store.get(name);
    throw new I2ptunError("not-found", `${name} is not running`, {
      remedy: `i2ptun profile start ${name}`,
    });
  }
  const entrance = entranceOf(status);
  if (options.pac) return printRaw(proxyAutoConfig(name, entrance));

  const browser = installedBrowser(options.browser, context);
  const { environment, paths } = context;
  const folder = browserFolder(name, browser, environment, paths);
  const args = await prepareBrowser(
    browser,
    folder,
    { ...entrance, name, server: status.server },
    page,
  );
  const command = [browser.program, ...args];
  if (!options.print) {
    using _busy = spinner(`starting ${browser.title}`);
    await start(browser, args);
  }
  if (context.json) {
    return printJson({ profile: name, browser: browser.name, folder, command });
  }
  if (options.print) {
    say(`the browser's own profile is in ${folder}`);
    const quote = environment.system === "windows" ? quoteWindows : quotePosix;
    return print(command.map(quote).join(" "));
  }
  print(`started ${browser.name}; it keeps its own profile in ${folder}`);
}

/** @throws {I2ptunError} `usage` if no forward leads to an I2P proxy */
function entranceOf(status: TunnelStatus): Entrance {
  const entrance = findEntrance(status.forwards);
  if (entrance !== undefined) return entrance;
  throw new I2ptunError(
    "usage",
    `${status.name} has no forward to an I2P proxy`,
    {
      remedy:
        `add http-proxy to its forwards with \`i2ptun profile edit ${status.name}\`, then i2ptun profile restart ${status.name}`,
    },
  );
}

/** @throws {I2ptunError} if there is none */
function installedBrowser(
  wanted: string | undefined,
  { environment }: Context,
): Browser {
  if (wanted !== undefined && !BROWSER_NAMES.includes(wanted)) {
    const near = nearest(wanted, BROWSER_NAMES);
    throw new I2ptunError("usage", `no known browser ${wanted}`, {
      remedy: near === undefined
        ? `one of ${BROWSER_NAMES.join(", ")}`
        : `did you mean ${near}?`,
    });
  }
  const browser = findBrowser(environment, wanted);
  if (browser !== undefined) return browser;
  throw new I2ptunError(
    "unforeseen",
    wanted === undefined
      ? "found no Firefox and no Chromium"
      : `${wanted} is not installed where it usually is`,
    { remedy: "install Firefox, or set up another browser with --pac" },
  );
}

async function start(browser: Browser, args: string[]): Promise<void> {
  const code = await startBrowser(browser.program, args);
  if (code === 0) return;
  throw new I2ptunError(
    "unforeseen",
    `${browser.name} ended at once, with exit code ${code}`,
    { remedy: "run what --print shows, to see why" },
  );
}

/**
 * An address as one types it into a browser.
 *
 * @throws {I2ptunError} `usage` if it is none of the web
 */
function pageAddress(text: string): string {
  const whole = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.canParse(whole) ? new URL(whole) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol)) return url.href;
  throw new I2ptunError("usage", `${text} is no address of a page`, {
    remedy: "http://i2p-projekt.i2p/",
  });
}

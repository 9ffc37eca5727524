import { runningStatus } from "../../background/running.ts";
import { I2ptunError } from "../../errors.ts";
import { openUrl } from "../../platform/open_url.ts";
import { nearest } from "../../profile/nearest.ts";
import type { TunnelStatus } from "../../tunnel/status.ts";
import type { Context } from "../context.ts";
import { print, warn } from "../output.ts";
import { spinner } from "../spinner.ts";
import { firstPage, isPage, showAddress } from "../status_view.ts";

/** `open`: a service's page in the browser. */
export async function open(
  name: string,
  service: string | undefined,
  options: { print?: boolean | undefined },
  context: Context,
): Promise<void> {
  await context.store.get(name);
  const status = await runningStatus(context.folder, name);
  if (status?.pid == null) {
    throw new I2ptunError("not-found", `${name} is not running`, {
      remedy: `i2ptun profile start ${name} --open`,
    });
  }
  const url = service === undefined
    ? firstPage(status)
    : addressOf(status, service);
  if (url === undefined) {
    throw new I2ptunError("usage", `${name} has no page to open`, {
      remedy: `name a forward, to open its address as a page: ${
        namesOf(status)
      }`,
    });
  }
  if (options.print) return print(url);
  using _busy = spinner(`opening ${url}`);
  if (!await openUrl(url, context.environment.system)) {
    warn(`no browser could be started; open ${url} yourself`);
  }
}

/** The address of a forward or service, as a page. */
function addressOf(status: TunnelStatus, wanted: string): string {
  const forward = status.forwards.find((each) =>
    each.name === wanted || each.service === wanted
  );
  if (!forward || forward.kind === "remote") {
    const near = nearest(wanted, status.forwards.map((each) => each.name));
    throw new I2ptunError(
      "usage",
      `${status.name} has no forward ${wanted} here`,
      {
        remedy: near === undefined
          ? `one of ${namesOf(status)}`
          : `did you mean ${near}?`,
      },
    );
  }
  const address = showAddress(forward);
  return isPage(forward) ? address : `http://${address}/`;
}

function namesOf(status: TunnelStatus): string {
  return status.forwards.filter((each) => each.kind !== "remote")
    .map((each) => each.name).join(", ");
}

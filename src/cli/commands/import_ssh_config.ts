import { I2ptunError } from "../../errors.ts";
import { toProfileNames } from "../../profile/import_name.ts";
import { forwardSource } from "../../profile/forward_source.ts";
import { forwardsOf } from "../../profile/import_ssh_config.ts";
import { nearest } from "../../profile/nearest.ts";
import { formatServerAddress } from "../../profile/server_address.ts";
import {
  listHosts,
  readSshConfig,
  type SshConfigContext,
} from "../../ssh/ssh_config.ts";
import type { Context } from "../context.ts";
import { printJson } from "../output.ts";
import { askSome, isInteractive } from "../prompts.ts";
import {
  type Candidate,
  importAll,
  printReport,
  type Skipped,
} from "./import_report.ts";

/** `profile import ssh-config`: the rest stays in ssh_config, by its Host. */
export async function importSshConfig(
  names: string[],
  context: Context,
): Promise<void> {
  const { paths, environment } = context;
  const config: SshConfigContext = {
    files: [paths.sshConfig, paths.systemSshConfig],
    home: environment.home,
    localUser: environment.userName,
    env: environment.variable,
  };
  const listed = await listHosts(config);
  const hosts = [
    ...new Set(names.length > 0 ? names : await askWhich(listed, config)),
  ];
  const profiles = toProfileNames(hosts);
  const candidates: Candidate[] = [];
  const skipped: Skipped[] = [];
  for (const from of hosts) {
    const settings = await readSshConfig(from, {}, config);
    const { forwards, leftOut } = forwardsOf(settings);
    if (forwards.length === 0 && leftOut.length === 0) {
      skipped.push({ from, reason: whyNone(from, listed, paths.sshConfig) });
      continue;
    }
    candidates.push({
      from,
      profile: profiles.get(from)!,
      source: {
        server: formatServerAddress({
          user: undefined,
          host: from,
          port: undefined,
        }),
        forwards: forwards.map(forwardSource),
      },
      leftOut,
      notes: settings.warnings,
    });
  }
  const report = await importAll({
    ...{ candidates, skipped, from: paths.sshConfig },
    named: names.length > 0,
  }, context);
  if (context.json) printJson(report);
  else printReport(report);
}

function whyNone(host: string, listed: string[], file: string): string {
  if (listed.includes(host)) return `${file} gives it no forwards`;
  const near = nearest(host, listed);
  return `no Host of ${file}` +
    (near === undefined ? "" : `; did you mean "${near}"?`);
}

async function askWhich(
  listed: string[],
  config: SshConfigContext,
): Promise<string[]> {
  const found: { value: string; name: string }[] = [];
  for (const value of listed) {
    const { forwards } = forwardsOf(await readSshConfig(value, {}, config));
    if (forwards.length === 0) continue;
    const specs = forwards.flatMap((each) =>
      Object.entries(forwardSource(each))
    );
    found.push({
      value,
      name: `${value}  (${specs.map((each) => each.join(" ")).join(", ")})`,
    });
  }
  if (found.length === 0) {
    throw new I2ptunError("usage", `no Host of ${config.files[0]} forwards`, {
      remedy: "i2ptun profile add home --server user@host --service console",
    });
  }
  if (!isInteractive()) {
    throw new I2ptunError("usage", "name the Hosts to import", {
      remedy: `i2ptun profile import ssh-config ${
        found.map(({ value }) => value).join(" ")
      }`,
    });
  }
  return await askSome("Which Hosts do you want as profiles?", found);
}

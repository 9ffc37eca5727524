import { print, printJson } from "../output.ts";
import type { Surroundings } from "../surroundings.ts";
import { VERSION, versionLine } from "../version.ts";

/** `version`; `source` is what the program was made from. */
export function version(surroundings: Surroundings, source: string): void {
  const { config, paths } = surroundings;
  const about = {
    i2ptun: VERSION,
    source,
    deno: Deno.version.deno,
    target: Deno.build.target,
    profiles: config,
    state: paths.state,
  };
  if (surroundings.json) return printJson(about);
  print(versionLine(source));
  print(`target:   ${about.target}`);
  print(`profiles: ${about.profiles}`);
  print(`state:    ${about.state}`);
}

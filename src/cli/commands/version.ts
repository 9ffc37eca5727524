import type { Context } from "../context.ts";
import { print, printJson } from "../output.ts";
import { VERSION } from "../version.ts";

/** `version` */
export function version(context: Context): void {
  const { config, paths } = context;
  const about = {
    i2ptun: VERSION,
    deno: Deno.version.deno,
    target: Deno.build.target,
    profiles: config,
    state: paths.state,
  };
  if (context.json) return printJson(about);
  print(`i2ptun ${about.i2ptun} (Deno ${about.deno}, ${about.target})`);
  print(`profiles: ${about.profiles}`);
  print(`state:    ${about.state}`);
}

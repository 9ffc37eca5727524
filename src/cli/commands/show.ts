import type { Context } from "../context.ts";
import { printJson, printRaw } from "../output.ts";

export type Format = "yaml" | "json" | "ssh" | "plink" | "ssh-config";

/**
 * `profile show`: the YAML as it is written, what it comes to as JSON, or the
 * equivalent for another program.
 */
export async function show(
  name: string,
  format: Format,
  context: Context,
): Promise<void> {
  const profile = await context.store.get(name);
  if (context.json) format = "json";
  switch (format) {
    case "yaml": {
      const text = await context.store.textOf(name);
      return printRaw(text.endsWith("\n") ? text : `${text}\n`);
    }
    case "json": {
      const { written: _written, ...rest } = profile;
      return printJson(rest);
    }
  }
  const { toPlinkCommand, toSshCommand, toSshConfig } = await import(
    "../../profile/export.ts"
  );
  switch (format) {
    case "ssh":
      return printRaw(`${toSshCommand(profile)}\n`);
    case "plink":
      return printRaw(`${toPlinkCommand(profile)}\n`);
    case "ssh-config":
      return printRaw(toSshConfig(profile));
  }
}

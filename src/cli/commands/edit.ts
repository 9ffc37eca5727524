import { join } from "node:path";
import { I2ptunError } from "../../errors.ts";
import { runEditor } from "../../platform/run.ts";
import type { Environment } from "../../platform/paths.ts";
import { isRunning } from "../../background/running.ts";
import type { Context } from "../context.ts";
import { print, say, sayError } from "../output.ts";
import { askYesNo, isInteractive } from "../prompts.ts";

/** `profile edit`: the profile alone in an editor, checked before it is saved. */
export async function edit(name: string, context: Context): Promise<void> {
  const { store, environment } = context;
  const before = await store.textOf(name);
  const folder = await Deno.makeTempDir({ prefix: "i2ptun-" });
  const path = join(folder, `${name}.yaml`);
  await Deno.writeTextFile(path, before, { mode: 0o600 });
  const editor = editorOf(environment);
  let saved = false;
  try {
    for (;;) {
      if (!await openEditor(editor, path)) {
        throw new I2ptunError("usage", `${editor} reported an error`, {
          remedy: `nothing was saved; your text is in ${path}`,
        });
      }
      const after = await Deno.readTextFile(path);
      if (after === before) {
        saved = true;
        return print(`${name} is unchanged`);
      }
      try {
        await store.replace(name, after);
        saved = true;
        break;
      } catch (thrown) {
        const error = I2ptunError.from(thrown);
        if (!isInteractive()) {
          throw new I2ptunError(error.kind, error.message, {
            details: error.details,
            remedy: `nothing was saved; your text is in ${path}`,
          });
        }
        sayError(error, context.debug);
        const again = await askYesNo(
          "Edit again? (no: give up the changes)",
          true,
        ).catch((error) => {
          say(`Nothing was saved; your text is in ${path}`);
          throw error;
        });
        if (!again) {
          saved = true;
          return print(`${name} is unchanged`);
        }
      }
    }
  } finally {
    if (saved) await Deno.remove(folder, { recursive: true });
  }
  print(`saved ${name}`);
  if (await isRunning(context.folder, name)) {
    say(
      `It runs as it was; i2ptun profile restart ${name} applies the change.`,
    );
  }
}

/** The command that starts the user's editor. */
export function editorOf({ variable, system }: Environment): string {
  return variable("VISUAL") ?? variable("EDITOR") ??
    (system === "windows" ? "notepad" : "vi");
}

/**
 * Opens a file in an editor until it is closed.
 *
 * @returns whether the editor reported success
 */
export async function openEditor(
  editor: string,
  path: string,
): Promise<boolean> {
  try {
    return await runEditor(editor, path);
  } catch (cause) {
    throw new I2ptunError("usage", `cannot start the editor ${editor}`, {
      remedy: "set VISUAL or EDITOR to an editor that is installed",
      cause,
    });
  }
}

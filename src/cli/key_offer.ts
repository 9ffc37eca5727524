import { I2ptunError } from "../errors.ts";
import type { Prompter } from "../ssh/prompter.ts";
import { createKey } from "./commands/key_create.ts";
import { keyInstall } from "./commands/key_install.ts";
import type { Context } from "./context.ts";
import { sayError } from "./output.ts";
import { askYesNo } from "./prompts.ts";
import { resolveRoute } from "../tunnel/route.ts";

/**
 * After a login by password: offers to log in by a key from now on. It makes
 * one if there is none. Nothing depends on the answer.
 */
export async function offerKey(
  name: string,
  ask: Prompter,
  context: Context,
): Promise<void> {
  try {
    const question =
      "Log in with a key from now on, so that no password is asked for?";
    if (!await askYesNo(question, true)) return;
    const { environment } = context;
    const route = await resolveRoute(
      await context.store.get(name),
      environment,
    );
    const { named, defaults } = route.server.authentication;
    const [first] = context.paths.identities;
    if (first !== undefined && !await someExist([...named, ...defaults])) {
      await createKey("ed25519", first, "", environment);
    }
    await keyInstall(name, { ask }, context);
  } catch (thrown) {
    const error = I2ptunError.from(thrown);
    if (error.kind !== "interrupted") sayError(error, context.debug);
  }
}

async function someExist(paths: string[]): Promise<boolean> {
  for (const path of paths) {
    if (await Deno.stat(path).then(() => true, () => false)) return true;
  }
  return false;
}

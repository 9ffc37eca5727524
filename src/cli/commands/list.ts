import { formatServerAddress } from "../../profile/server_address.ts";
import { type Context, statusOf } from "../context.ts";
import { print, printJson, say, showState, styles } from "../output.ts";
import { table } from "../table.ts";

/** `profile list` */
export async function list(context: Context): Promise<void> {
  const profiles = await context.store.load();
  const rows = await Promise.all(profiles.map(async (profile) => ({
    name: profile.name,
    server: formatServerAddress(profile.server),
    forwards: profile.forwards.map((forward) => forward.name),
    state: (await statusOf(profile, context)).state,
  })));
  if (context.json) return printJson({ profiles: rows });
  if (rows.length === 0) {
    say("There are no profiles yet. Add one: i2ptun profile add home");
    return;
  }
  const heading = ["NAME", "SERVER", "FORWARDS", "STATE"].map(styles.dim);
  const lines = table([
    heading,
    ...rows.map(({ name, server, forwards, state }) => [
      name,
      server,
      forwards.join(", "),
      showState(state),
    ]),
  ]);
  lines.forEach(print);
}

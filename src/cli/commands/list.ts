import stringWidth from "fast-string-width";
import { formatServerAddress } from "../../profile/server_address.ts";
import { type Context, statusOf } from "../context.ts";
import {
  print,
  printJson,
  resultColumns,
  say,
  showState,
  styles,
} from "../output.ts";
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
  const heading = ["NAME", "SERVER", "FORWARDS", "STATE"];
  const others = table(rows.map(({ name, server, state }) => [
    name,
    server,
    showState(state),
    "",
  ]));
  const taken = Math.max(...others.map((line) => stringWidth(line)));
  const left = Math.max(resultColumns() - taken - 3, heading[2]!.length);
  const lines = table([
    heading.map(styles.dim),
    ...rows.flatMap(({ name, server, forwards, state }) => {
      const [first = "", ...more] = wrap(forwards, left);
      return [
        [name, server, first, showState(state)],
        ...more.map((line) => ["", "", line]),
      ];
    }),
  ]);
  lines.forEach(print);
}

/** Names in lines of at most `columns`, if they are short enough. */
function wrap(names: string[], columns: number): string[] {
  const lines: string[] = [];
  for (const name of names) {
    const last = lines.at(-1);
    // a line that goes on ends with a comma
    if (last !== undefined && last.length + name.length + 3 <= columns) {
      lines[lines.length - 1] = `${last}, ${name}`;
    } else {
      if (last !== undefined) lines[lines.length - 1] = `${last},`;
      lines.push(name);
    }
  }
  return lines;
}

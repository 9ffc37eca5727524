import { I2ptunError } from "../../errors.ts";
import { logFiles, logPath, parseLine } from "../../background/log.ts";
import { checkName } from "../../profile/profile.ts";
import type { Context } from "../context.ts";
import { interruption } from "../interruption.ts";
import { print, printRaw } from "../output.ts";

/** `profile logs` */
export async function logs(
  name: string,
  options: { follow?: boolean | undefined; lines: number },
  context: Context,
): Promise<void> {
  checkName(name);
  const path = logPath(context.paths.log, name);
  const bytes = await read(path);
  if (bytes === undefined) {
    await context.store.get(name);
    if (!options.follow) {
      throw new I2ptunError("not-found", `${name} has no log yet`, {
        remedy: `i2ptun profile start ${name}`,
      });
    }
  }
  const show = context.json ? printEvents : printRaw;
  show(await lastOfLog(path, options.lines));
  if (options.follow) {
    await follow(context.paths.log, path, bytes?.length ?? 0, show);
  }
}

/** Whole lines of a log as a JSON object each. */
function printEvents(text: string): void {
  for (const line of text.split("\n")) {
    const event = parseLine(line);
    if (event) print(JSON.stringify(event));
  }
}

async function read(path: string): Promise<Uint8Array | undefined> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** The last `count` lines of a log, from its older files too. */
export async function lastOfLog(path: string, count: number): Promise<string> {
  let text = "";
  for (const file of logFiles(path)) {
    text = new TextDecoder().decode(await read(file)) + text;
    if (text.split("\n").length > count) break;
  }
  return lastLines(text, count);
}

/** The last `count` lines, each with its line end. */
function lastLines(text: string, count: number): string {
  if (count === 0) return "";
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines.slice(-count).map((line) => `${line}\n`).join("");
}

/** Prints what is appended from `position` on, also after a rotation. */
async function follow(
  folder: string,
  path: string,
  position: number,
  show: (text: string) => void,
): Promise<void> {
  using interrupted = interruption();
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  using watcher = Deno.watchFs(folder);
  interrupted.signal.addEventListener("abort", () => watcher.close());
  interrupted.signal.throwIfAborted();
  const printNew = async () => {
    const bytes = await read(path) ?? new Uint8Array();
    if (bytes.length < position) position = 0;
    const end = bytes.lastIndexOf(10) + 1;
    if (end <= position) return;
    show(new TextDecoder().decode(bytes.subarray(position, end)));
    position = end;
  };
  await printNew();
  for await (const _event of watcher) await printNew();
  throw interrupted.signal.reason;
}

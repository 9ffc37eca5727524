import { runningStatus } from "../../background/running.ts";
import { checkProfile } from "../../diagnosis/check.ts";
import type { Report, Step } from "../../diagnosis/report.ts";
import { I2ptunError } from "../../errors.ts";
import { portHolder } from "../../background/port_holder.ts";
import { systemClock } from "../../tunnel/clock.ts";
import type { Context } from "../context.ts";
import { interruption } from "../interruption.ts";
import { print, printJson, styles } from "../output.ts";
import { standardInputPrompter, terminalPrompter } from "../prompts.ts";
import { spinner } from "../spinner.ts";
import { progress } from "./start.ts";

/** As wide as the steps of a service; longer names only move their own line. */
const STEP_WIDTH = 20;

/** `profile check` */
export async function check(
  name: string,
  options: { passwordStdin?: boolean | undefined },
  context: Context,
): Promise<void> {
  const { environment, folder, json, store } = context;
  const status = await runningStatus(folder, name);
  const ask = options.passwordStdin
    ? await standardInputPrompter()
    : terminalPrompter();
  using interrupted = interruption();
  using _busy = spinner(`checking ${name}`);
  const report = await checkProfile({
    profile: () => store.get(name),
    file: store.path,
    environment,
    running: status?.state === "failed" ? undefined : status,
    ask,
    portOwner: (port) => portHolder(port, folder, environment.system),
    log: progress(context.debug),
    clock: systemClock,
    signal: interrupted.signal,
    onStep: (step) => {
      if (!json) showStep(step).forEach(print);
    },
  });
  if (json) {
    printJson({ profile: name, ok: report.ok, steps: report.steps });
  } else if (report.ok) print(conclusion(name, report));
  if (report.failure) throw failed(name, report, report.failure);
}

function conclusion(name: string, { steps }: Report): string {
  const warnings = steps.filter(({ cause }) => cause !== undefined).length;
  if (warnings === 0) return styles.green(`${name} is all right`);
  return styles.yellow(
    `${name} works, but see the ${
      warnings === 1 ? "warning" : `${warnings} warnings`
    } above`,
  );
}

/** What a start fails with, or the first of what else is wrong. */
function failed(
  name: string,
  { steps }: Report,
  { kind }: I2ptunError,
): I2ptunError {
  const [first, ...others] = steps.filter(({ ok }) => !ok);
  const more = others.length === 0 ? "" : ` (and ${others.length} more)`;
  return new I2ptunError(
    kind,
    `${name}: step ${first!.step} failed${more}: ${first!.detail}`,
    { remedy: first!.try },
  );
}

/** Marked by shape and by colour. */
function showStep({ step, ok, detail, cause, try: remedy }: Step): string[] {
  const mark = !ok
    ? styles.red("✗")
    : cause === undefined
    ? styles.green("✓")
    : styles.yellow("!");
  return [
    `${mark} ${step.padEnd(STEP_WIDTH)} ${detail}`,
    // where nothing more is known, it says what was seen
    ...(cause === undefined || cause === detail ? [] : [`    cause: ${cause}`]),
    ...(remedy === undefined ? [] : [`    try: ${remedy}`]),
  ];
}

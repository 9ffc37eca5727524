/**
 * Makes the executables in `dist/`: all five, or those named.
 *
 *     deno task compile [linux-x64 …]
 *
 * @module
 */

import { V8_FLAGS, writeFlag } from "../src/platform/run.ts";

const TARGETS: Record<string, { triple: string; suffix: string }> = {
  "linux-x64": { triple: "x86_64-unknown-linux-gnu", suffix: "" },
  "linux-arm64": { triple: "aarch64-unknown-linux-gnu", suffix: "" },
  "macos-x64": { triple: "x86_64-apple-darwin", suffix: "" },
  "macos-arm64": { triple: "aarch64-apple-darwin", suffix: "" },
  "windows-x64": { triple: "x86_64-pc-windows-msvc", suffix: ".exe" },
};

const root = new URL("../", import.meta.url);
const wanted = Deno.args.length > 0 ? Deno.args : Object.keys(TARGETS);
for (const name of wanted) {
  if (!TARGETS[name]) {
    console.error(`error: there is no target ${name}`);
    console.error(`try: ${Object.keys(TARGETS).join(" ")}`);
    Deno.exit(2);
  }
}
for (const name of wanted) {
  const { triple, suffix } = TARGETS[name]!;
  const output = `dist/i2ptun-${name}${suffix}`;
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: [
      "compile",
      "-q",
      "--no-prompt",
      V8_FLAGS,
      "-P=i2ptun",
      ...(name.startsWith("windows") ? [writeFlag("windows")] : []),
      `--target=${triple}`,
      `--output=${output}`,
      "main.ts",
    ],
    cwd: root,
  }).spawn().status;
  if (code !== 0) {
    console.error(`error: ${output} could not be made`);
    Deno.exit(1);
  }
  console.log(output);
}

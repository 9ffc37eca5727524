import assert from "node:assert/strict";
import { EXAMPLES } from "../../src/cli/examples.ts";
import { buildProgram } from "../../src/cli/program.ts";
import { findCommand, visibleCommands } from "../../src/cli/usage.ts";
import { I2ptunError } from "../../src/errors.ts";

const program = buildProgram("tested");

/** What is said to arguments that lead nowhere. */
async function refusal(...args: string[]): Promise<I2ptunError> {
  try {
    await buildProgram("tested").parseAsync(args, { from: "user" });
  } catch (error) {
    assert(error instanceof I2ptunError, String(error));
    assert.equal(error.kind, "usage");
    return error;
  }
  assert.fail(`${args} was accepted`);
}

Deno.test("what was meant is said at every level", async () => {
  for (
    const [args, message, remedy] of [
      ["profle", "unknown command 'profle'", "i2ptun profile"],
      ["start home", "unknown command 'start'", "i2ptun profile start"],
      ["strat home", "unknown command 'strat'", "i2ptun profile start"],
      ["profile instal", "unknown command 'instal'", "i2ptun key install"],
      ["profile strat x", "unknown command 'strat'", "i2ptun profile start"],
      ["profile xyz", "unknown command 'xyz'", "i2ptun profile --help"],
      ["key creat", "unknown command 'creat'", "i2ptun key create"],
      ["help key instal", "unknown command 'instal'", "i2ptun key install"],
      ["help nothing", "unknown command 'nothing'", "i2ptun --help"],
      ["profile add x --sevice irc", "unknown option '--sevice'", "--service"],
      ["profile list --jsno", "unknown option '--jsno'", "--json"],
      ["open", "missing required argument 'name'", "i2ptun open --help"],
      [
        "autostart enabel x",
        '"enabel" is none of enable, disable, status',
        "enable",
      ],
      [
        "profile show x --as toml",
        '"toml" is none of yaml, json, ssh, plink, ssh-config',
        "i2ptun profile show --help",
      ],
    ] as const
  ) {
    const error = await refusal(...args.split(" "));
    assert.equal(error.message, message);
    assert.equal(error.remedy, remedy, args);
  }
});

Deno.test("examples use commands and options that there are", () => {
  const check = (path: string, example: string) => {
    const words = example.slice(example.indexOf("i2ptun ")).split(" ").slice(1);
    let command = program as ReturnType<typeof findCommand>;
    while (words[0] !== undefined) {
      const next = visibleCommands(command).find((each) =>
        each.name() === words[0]
      );
      if (!next) break;
      command = next;
      words.shift();
    }
    assert(command !== program || path === "", `${path}: ${example}`);
    if (command.name() === "ssh") return;
    const known = [command, command.parent, program].flatMap((each) =>
      each?.options ?? []
    ).flatMap(({ long, short }) => [long, short]);
    for (const word of words.join(" ").replace(/"[^"]*"/, "").split(" ")) {
      if (word.startsWith("-")) assert(known.includes(word), example);
    }
  };
  let seen = 0;
  for (const [path, examples] of Object.entries(EXAMPLES)) {
    try {
      findCommand(program, path.split(" ").filter(Boolean));
    } catch {
      continue;
    }
    for (const example of examples) check(path, example);
    seen += examples.length;
  }
  assert(seen > 30);
});

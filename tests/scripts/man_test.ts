import assert from "node:assert/strict";
import { manPage } from "../../scripts/man.ts";
import { findProgram, testWith } from "../support/requirements.ts";

testWith(
  ["mandoc"],
  "the man page has every command, and no warnings",
  async () => {
    const file = await Deno.makeTempFile({ suffix: ".1" });
    try {
      await Deno.writeTextFile(
        file,
        manPage({ date: "2026-01-31", version: "1.2.3" }),
      );
      const mandoc = async (...args: string[]) => {
        const { stdout } = await new Deno.Command(findProgram("mandoc")!, {
          args: [...args, file],
        }).output();
        // overstriking, which is how it makes text bold
        // deno-lint-ignore no-control-regex
        return new TextDecoder().decode(stdout).replaceAll(/.\x08/g, "");
      };
      assert.equal(await mandoc("-Tlint", "-Wwarning"), "");
      const text = await mandoc("-Tutf8", "-Owidth=120");
      for (
        const line of [
          "i2ptun profile start <names...>",
          "--service <service>",
          "i2ptun key install <name>",
          "i2ptun ssh [args...]",
          "login refused",
        ]
      ) assert(text.includes(line), `${line} is not in\n${text}`);
      assert(!text.includes("background <"));
      assert(text.indexOf("EXAMPLES") < text.indexOf("OPTIONS"));
    } finally {
      await Deno.remove(file);
    }
  },
);

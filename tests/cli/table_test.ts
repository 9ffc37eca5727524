import assert from "node:assert/strict";
import fc from "fast-check";
import stringWidth from "fast-string-width";
import { cutTo, table } from "../../src/cli/table.ts";

Deno.test("columns line up in every script", () => {
  const lines = table([
    ["name", "x"],
    ["日本語", "x"],
    ["é́ñ", "x"],
    ["👩‍👩‍👧", "x"],
    ["\x1b[1mbold\x1b[0m", "x"],
    ["\x1b]8;;http://a/b\x1b\\link\x1b]8;;\x1b\\", "x"],
  ]);
  for (const line of lines) {
    assert.equal(stringWidth(line.slice(0, line.lastIndexOf("x"))), 8, line);
  }
});

Deno.test("a cut keeps whole characters and all escape sequences", () => {
  const link = "\x1b]8;;http://a/b\x1b\\";
  const end = "\x1b]8;;\x1b\\";
  assert.equal(cutTo(`${link}address${end}!`, 4), `${link}addr${end}`);
  assert.equal(cutTo("\x1b[31m日本語\x1b[0m", 5), "\x1b[31m日本\x1b[0m");
  assert.equal(cutTo("short", 80), "short");
  fc.assert(fc.property(
    fc.string({ unit: "grapheme" }).filter((text) => !text.includes("\x1b")),
    fc.nat(30),
    (text, width) => {
      const cut = cutTo(text, width);
      assert(text.startsWith(cut));
      assert(stringWidth(cut) <= width);
      if (stringWidth(text) <= width) assert.equal(cut, text);
    },
  ));
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { I2ptunError } from "../../src/errors.ts";
import {
  decodeText,
  parseRegFile,
  type RegistryKey,
} from "../../src/profile/reg_file.ts";

const PATH = "HKEY_CURRENT_USER\\Software\\SimonTatham\\PuTTY\\Sessions\\s";

const ALL = /(?:)/;

/** As regedit writes it; names and texts in quotes, numbers as dword. */
function write(
  keys: { path: string; values: [string, string | number][] }[],
  heading = "Windows Registry Editor Version 5.00",
): string {
  const quote = (text: string) => `"${text.replaceAll(/[\\"]/g, "\\$&")}"`;
  const lines = keys.flatMap(({ path, values }) => [
    `[${path}]`,
    ...values.map(([name, value]) =>
      `${quote(name)}=${
        typeof value === "number"
          ? `dword:${(value >>> 0).toString(16).padStart(8, "0")}`
          : quote(value)
      }`
    ),
    "",
  ]);
  return [heading, "", ...lines, ""].join("\r\n");
}

function utf16(text: string, mark = true): Uint8Array {
  const whole = (mark ? "\ufeff" : "") + text;
  const units = new Uint16Array(whole.length)
    .map((_, i) => whole.charCodeAt(i));
  return new Uint8Array(units.buffer);
}

const plain = (keys: RegistryKey[]) =>
  keys.map(({ path, values }) => [path, [...values]]);

Deno.test("what regedit writes is read, in every encoding", () => {
  const line = fc.string({ unit: "grapheme", minLength: 1 })
    .filter((text) => !/^-|[\r\n\0\ufeff]/.test(text));
  const text = fc.string({ unit: "grapheme" })
    .filter((text) => !/[\r\0\ufeff]/.test(text));
  const value = fc.oneof(
    text,
    fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  );
  const key = fc.record({
    path: line,
    values: fc.uniqueArray(fc.tuple(text, value), { selector: ([n]) => n }),
  });
  fc.assert(fc.property(fc.array(key), (keys) => {
    const expected = keys.map(({ path, values }) => [
      path,
      values.map(([name, given]) => [name, String(given)]),
    ]);
    const written = write(keys);
    for (
      const bytes of [
        utf16(written),
        utf16(written, false),
        new TextEncoder().encode(written),
      ]
    ) {
      assert.deepEqual(
        plain(parseRegFile(decodeText(bytes), "f", ALL)),
        expected,
      );
    }
  }));
});

Deno.test("an ANSI export has Windows' letters", () => {
  const text = write(
    [{ path: PATH, values: [["PublicKeyFile", "C:\\Users\\Zo?\\k.ppk"]] }],
    "REGEDIT4",
  );
  const bytes = new TextEncoder().encode(text)
    .map((byte) => byte === 0x3f ? 0xeb : byte);
  const [key] = parseRegFile(decodeText(bytes), "f", ALL);
  assert.equal(key?.values.get("PublicKeyFile"), "C:\\Users\\Zoë\\k.ppk");
});

Deno.test("texts in hexadecimal, over several lines", () => {
  const hex = [...utf16("a b\0", false)]
    .map((byte) => byte.toString(16).padStart(2, "0"));
  const text = `Windows Registry Editor Version 5.00\r\n\r\n[${PATH}]\r\n` +
    `; a comment\r\n@="default"\r\n"gone"=-\r\n"bytes"=hex:01,02\r\n` +
    `"large"=hex(b):01,00,00,00,00,00,00,00\r\n` +
    `"T"=hex(2):${hex.slice(0, 3)},\\\r\n  ${hex.slice(3)}\r\n` +
    `"after"=dword:0000001f\r\n\r\n[-${PATH}2]\r\n"of"="none"\r\n`;
  assert.deepEqual(plain(parseRegFile(text, "f", ALL)), [
    [PATH, [["", "default"], ["T", "a b"], ["after", "31"]]],
  ]);
});

Deno.test("other keys are passed over, whatever is in them", () => {
  const text = `Windows Registry Editor Version 5.00\r\n\r\n[A]\r\n` +
    `"x"=what is this\r\n\r\n[${PATH}]\r\n"y"="z"\r\n[B]\r\n[C]\r\n"broken`;
  assert.deepEqual(plain(parseRegFile(text, "f", /PuTTY/)), [
    [PATH, [["y", "z"]]],
  ]);
});

Deno.test("what is no export is refused, with its line", () => {
  const refused = (text: string) => {
    try {
      parseRegFile(text, "f.reg", ALL);
    } catch (error) {
      assert(error instanceof I2ptunError);
      return error.message;
    }
    assert.fail("not refused");
  };
  assert.match(refused(""), /f\.reg is no \.reg file/);
  assert.match(refused("PuTTY-User-Key-File-3: x"), /no \.reg file/);
  const cut = write([{ path: PATH, values: [["HostName", "h"]] }]);
  assert.match(refused(`${cut}"PortNum`), /^f\.reg:6: neither/);
  assert.match(refused(`${cut}"a"=dword:xyz\r\n`), /^f\.reg:6: neither/);
  fc.assert(fc.property(fc.string(), (text) => {
    try {
      parseRegFile(`REGEDIT4\n${text}`, "f", ALL);
    } catch (error) {
      assert(error instanceof I2ptunError);
    }
  }));
});

/**
 * `.reg` files, as regedit and `reg export` write them: UTF-16 with the heading
 * `Windows Registry Editor Version 5.00`, or in the code page of the system
 * (ANSI) with the heading `REGEDIT4`.
 *
 * @module
 */

import { I2ptunError } from "../errors.ts";

/** A key of the registry with what stands in it. */
export interface RegistryKey {
  /** Such as `HKEY_CURRENT_USER\Software\SimonTatham`. */
  path: string;
  /**
   * The texts as they are, the numbers (`dword`) in decimal, by name. What is
   * neither text nor number is left out.
   */
  values: Map<string, string>;
}

/** A file's bytes as text: UTF-16, or as {@link decodeBytes} takes them. */
export function decodeText(bytes: Uint8Array): string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return decode("utf-16le", bytes);
  if (first === 0xfe && second === 0xff) return decode("utf-16be", bytes);
  // a mark can get lost; in UTF-16 every other byte of the heading is 0
  if (second === 0) return decode("utf-16le", bytes);
  return decodeBytes(bytes);
}

/** Bytes as text: UTF-8, or else Windows' code page for Western Europe. */
export function decodeBytes(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return decode("windows-1252", bytes);
  }
}

function decode(encoding: string, bytes: Uint8Array): string {
  return new TextDecoder(encoding).decode(bytes);
}

const HEADING = /\s*(?:Windows Registry Editor Version \d[^\n]*|REGEDIT4\s*)/y;
const BLANK = /[^\S\n]*(?:;[^\n]*)?(?:\n|$)/y;
/** The last "]" of the line ends it: the name of a key may contain others. */
const KEY = /[^\S\n]*\[(-?)([^\n]*)\][^\S\n]*(?:\n|$)/y;
const TEXT = String.raw`"((?:\\[^]|[^"\\])*)"`;
const HEX = String.raw`(hex(?:\(\w+\))?):((?:[0-9a-f]{2}|[,\s]|\\\s*\n)*)`;
const VALUE = new RegExp(
  String.raw`[^\S\n]*(?:@|${TEXT})[^\S\n]*=[^\S\n]*` +
    `(?:${TEXT}|dword:([0-9a-f]{1,8})|${HEX}|-)` +
    String.raw`[^\S\n]*(?:\n|$)`,
  "iy",
);

/**
 * Reads the text of a `.reg` file.
 *
 * @param file its name, for messages
 * @param wanted what the paths of the keys have to match; the others, which
 * may be the whole registry, are passed over
 * @throws I2ptunError "usage" if it is none, naming the line that is wrong
 */
export function parseRegFile(
  text: string,
  file: string,
  wanted: RegExp,
): RegistryKey[] {
  const lines = text.replaceAll("\r\n", "\n");
  let at = 0;
  const next = (pattern: RegExp) => {
    pattern.lastIndex = at;
    const match = pattern.exec(lines);
    if (match) at = pattern.lastIndex;
    return match;
  };
  const heading = next(HEADING)?.[0];
  if (heading === undefined) {
    throw new I2ptunError("usage", `${file} is no .reg file`, {
      remedy: "export the key Software\\SimonTatham\\PuTTY with regedit",
    });
  }
  const wide = !heading.includes("REGEDIT4");
  const keys: RegistryKey[] = [];
  let current: RegistryKey | undefined;
  while (at < lines.length) {
    if (next(BLANK)) continue;
    const key = next(KEY);
    if (key) {
      const [, minus, path = ""] = key;
      current = { path, values: new Map() };
      // "-" is an order to delete it
      if (minus === "" && wanted.test(path)) {
        keys.push(current);
      } else {
        const following = lines.indexOf("\n[", at - 1);
        at = following < 0 ? lines.length : following + 1;
      }
      continue;
    }
    const value = next(VALUE);
    if (!value) {
      const line = lines.slice(0, at).split("\n").length;
      throw new I2ptunError(
        "usage",
        `${file}:${line}: neither a key nor a value of the registry`,
        { remedy: "export it anew, and do not change the file" },
      );
    }
    const [, name, quoted, dword, type, hex] = value;
    const given = quoted !== undefined
      ? unquote(quoted)
      : dword !== undefined
      ? String(Number.parseInt(dword, 16) | 0)
      : textOfHex(type, hex ?? "", wide);
    if (given !== undefined) current?.values.set(unquote(name ?? ""), given);
  }
  return keys;
}

function unquote(text: string): string {
  return text.replace(/\\([^])/g, "$1");
}

/** `hex(1)` and `hex(2)` are texts, with what quotes could not hold. */
function textOfHex(
  type: string | undefined,
  hex: string,
  wide: boolean,
): string | undefined {
  if (!/^hex\([12]\)$/i.test(type ?? "")) return undefined;
  const bytes = Uint8Array.fromHex(hex.replace(/[^0-9a-f]/gi, ""));
  const text = wide ? decode("utf-16le", bytes) : decodeBytes(bytes);
  return text.replace(/\0+$/, "");
}

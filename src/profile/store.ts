/**
 * profiles.yaml: the only code that writes it.
 *
 * @module
 */

import { resolve } from "node:path";
import { I2ptunError } from "../errors.ts";
import { readText, updateFile } from "./atomic_file.ts";
import {
  addForwards,
  addProfile,
  plainLines,
  profileText,
  removeProfile,
  replaceProfile,
} from "./edit.ts";
import { nearest } from "./nearest.ts";
import {
  checkProfile,
  mistakesError,
  parseProfiles,
  readProfiles,
} from "./parse.ts";
import { type Profile, sameButForCase } from "./profile.ts";
import type { ForwardSource, ProfileSource } from "./schema.ts";
import { indentLines } from "./text_block.ts";
import { readYaml } from "./yaml_text.ts";

export { checkProfile, parseProfiles } from "./parse.ts";

/**
 * The profiles of one file.
 *
 * Whatever writes keeps comments, order and blank lines, writes all or
 * nothing, never leaves mistakes in the file, and may run in several
 * processes at once. Every method throws I2ptunError "usage" with all
 * mistakes in its details if the file has any.
 */
export class ProfileStore {
  /** @param path of the file, which need not exist */
  constructor(readonly path: string) {}

  /** The text of the file; empty if there is none. */
  async text(): Promise<string> {
    return await readText(this.path) ?? "";
  }

  /** All profiles, in the order of the file. */
  async load(): Promise<Profile[]> {
    const file = resolve(this.path);
    return parseProfiles(await this.text(), this.path)
      .map((profile) => ({ ...profile, file }));
  }

  /**
   * One profile.
   *
   * @throws I2ptunError "not-found" naming the nearest one
   */
  async get(name: string): Promise<Profile> {
    const profiles = await this.load();
    const found = profiles.find((profile) => profile.name === name);
    if (found) return found;
    throw notFound(name, profiles.map((profile) => profile.name));
  }

  /**
   * Adds a profile after the others.
   *
   * @throws I2ptunError "usage" if the name is taken or `source` has mistakes
   */
  async add(name: string, source: ProfileSource): Promise<void> {
    checkProfile(name, source);
    await this.#update(name, (text) => {
      if (namesIn(text).includes(name)) {
        throw new I2ptunError("usage", `profile "${name}" already exists`, {
          remedy: `choose another name, or: i2ptun profile edit ${name}`,
        });
      }
      const other = sameButForCase(name, namesIn(text));
      if (other !== undefined) {
        throw new I2ptunError(
          "usage",
          `"${name}" differs from profile "${other}" only in case`,
          { remedy: "choose another name" },
        );
      }
      return addProfile(text, name, source);
    });
  }

  /**
   * Removes a profile.
   *
   * @throws I2ptunError "not-found"
   */
  async remove(name: string): Promise<void> {
    await this.#updateExisting(name, (text) => removeProfile(text, name));
  }

  /**
   * Adds forwards to a profile, after those it has.
   *
   * @throws I2ptunError "not-found"; "usage" if they do not go with the others
   */
  async addForwards(
    name: string,
    forwards: readonly ForwardSource[],
  ): Promise<void> {
    await this.#updateExisting(
      name,
      (text) => addForwards(text, name, forwards),
    );
  }

  /**
   * One profile as YAML text: a mapping of its name, with its comments. Works
   * also while a profile has mistakes, so that they can be edited away.
   *
   * @throws I2ptunError "not-found"; "usage" if the file is not YAML
   */
  async textOf(name: string): Promise<string> {
    return this.#textOf(name, withoutMark(await this.text()));
  }

  /**
   * Puts a text in the form of {@link textOf} in a profile's place.
   *
   * @param label what to call `lines` in messages, whose line numbers are its
   * @throws I2ptunError "not-found"; "usage" if the text, or still another
   * profile, has mistakes, or if the text holds anything but this profile
   */
  async replace(
    name: string,
    lines: string,
    label = `profile ${name}`,
  ): Promise<void> {
    await this.textOf(name);
    await this.#write((text) => {
      this.#textOf(name, text);
      const changed = replaceProfile(text, name, lines);
      const mistakes = readProfiles(changed).mistakes.length > 0
        ? mistakesAlone(lines)
        : [];
      if (mistakes.length > 0) throw mistakesError(label, mistakes);
      const keys = readYaml(plainLines(lines)).keysOf();
      const isSame = `${namesIn(text)}` === `${namesIn(changed)}`;
      if (isSame && `${keys}` === name) return changed;
      throw new I2ptunError(
        "usage",
        `${label} must hold the profile "${name}" and nothing else`,
        { remedy: "to rename a profile, add it anew and remove the old one" },
      );
    });
  }

  #textOf(name: string, text: string): string {
    const { doubtfulFrom, mistakes } = readYaml(text);
    if (doubtfulFrom < Infinity) throw mistakesError(this.path, mistakes);
    const lines = profileText(text, name);
    if (lines === undefined) throw notFound(name, namesIn(text));
    return lines;
  }

  async #updateExisting(name: string, edit: (text: string) => string) {
    // Before anything is made on disk, such as the folder and the lock.
    await this.get(name);
    await this.#update(name, (text) => {
      const names = namesIn(text);
      if (!names.includes(name)) throw notFound(name, names);
      return edit(text);
    });
  }

  async #update(name: string, edit: (text: string) => string): Promise<void> {
    await this.#write((text) => {
      parseProfiles(text, this.path);
      const changed = edit(text);
      const { mistakes } = readProfiles(changed);
      if (mistakes.length > 0) {
        const why = mistakes.map(({ message }) => message).join("; ");
        throw new I2ptunError(
          "usage",
          `profile "${name}" left as it was: ${why}`,
        );
      }
      if (others(text, name) === others(changed, name)) return changed;
      throw new I2ptunError(
        "usage",
        `${this.path} is written in a way that cannot be changed safely`,
        { remedy: `change it in an editor: ${this.path}` },
      );
    });
  }

  async #write(edit: (text: string) => string): Promise<void> {
    await updateFile(this.path, (written = "") => {
      const text = withoutMark(written);
      const changed = edit(text);
      parseProfiles(changed, this.path);
      return written.slice(0, written.length - text.length) + changed;
    });
  }
}

function withoutMark(text: string): string {
  return text.replace(/^\ufeff/, "");
}

function namesIn(text: string): string[] {
  return readYaml(text).keysOf("profiles");
}

/** All of a text's data but one profile, to compare. */
function others(text: string, name: string): string {
  const { data, keysOf } = readYaml(text);
  const { profiles, ...rest } = Object(data) as Record<string, unknown>;
  const kept = { ...Object(profiles) as object, [name]: undefined };
  const names = keysOf("profiles").filter((key) => key !== name);
  return JSON.stringify([{ version: 1, ...rest }, kept, names]);
}

/** The mistakes of one profile's text, by its own lines. */
function mistakesAlone(lines: string) {
  const file = `profiles:\n${indentLines(plainLines(lines), 2)}`;
  return readProfiles(file).mistakes.map(({ line, column, message }) => ({
    line: Math.max(line - 1, 1),
    column: Math.max(column - 2, 1),
    message,
  }));
}

function notFound(name: string, names: string[]): I2ptunError {
  const near = nearest(name, names);
  return new I2ptunError(
    "not-found",
    `no profile "${name}"` + (near ? `; did you mean "${near}"?` : ""),
    {
      remedy: near
        ? "i2ptun profile list shows them all"
        : `add it with: i2ptun profile add ${name}`,
    },
  );
}

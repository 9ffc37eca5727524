/**
 * Walks through ssh_config(5) files line by line and keeps what applies to one
 * host.
 *
 * @module
 */

import { I2ptunError } from "../errors.ts";
import {
  matchHostList,
  matchPattern,
  matchPatternList,
} from "./host_pattern.ts";
import {
  findFiles,
  includeFolder,
  readDirectives,
  type SshConfigContext,
} from "./ssh_config_files.ts";
import {
  isForSshOnly,
  type ListName,
  LISTS,
  nameOf,
  type SettingName,
  SETTINGS,
  type SettingValue,
} from "./ssh_config_keywords.ts";
import {
  ConfigMistake,
  type Directive,
  parseSshConfig,
  splitWords,
} from "./ssh_config_parse.ts";
import { expand, expandTilde, type Tokens } from "./ssh_config_tokens.ts";

/** A value and the `FILE:LINE` it stands at. */
export interface Placed<T> {
  value: T;
  at: string;
}

type Settings = { [K in SettingName]?: Placed<SettingValue<K>> };

/** ssh's own limit. */
const MAX_INCLUDE_DEPTH = 16;

/** What the files say about one host. */
export class SshConfigReader {
  readonly settings: Settings = {};
  readonly lists: Record<ListName, Placed<string>[]> = {
    identityFile: [],
    certificateFile: [],
    localForward: [],
    remoteForward: [],
    dynamicForward: [],
  };
  /** Each `FILE:LINE: …`. */
  readonly warnings = new Set<string>();
  /** What ssh would refuse, each `FILE:LINE: …`. */
  readonly mistakes = new Set<string>();
  /** Whether a `Match final` was met. */
  wantsFinalPass = false;
  /** The host's real name, once it is settled: set for a final pass. */
  finalHost: string | undefined;

  constructor(
    /** As typed. */
    private readonly host: string,
    private readonly context: SshConfigContext,
  ) {}

  /** Goes through all files once; values that are set already stay. */
  async read(): Promise<void> {
    const options = this.context.options ?? [];
    for (const directive of parseSshConfig(options.join("\n"), "-o")) {
      this.attempt(directive.at, () => {
        this.take(directive, splitWords(directive.rest), true);
      });
    }
    for (const [index, file] of this.context.files.entries()) {
      const folder = includeFolder(this.context, index);
      await this.readFile(file, folder, true, 0);
    }
  }

  /** Runs `body`, keeping what is wrong with the line at `at`. */
  attempt<T>(at: string, body: () => T): T | undefined {
    try {
      return body();
    } catch (error) {
      if (!(error instanceof ConfigMistake)) throw error;
      this.mistakes.add(`${at}: ${error.message}`);
      return undefined;
    }
  }

  /** The host's real name as far as it is known. */
  get hostName(): string {
    if (this.finalHost !== undefined) return this.finalHost;
    const setting = this.settings.hostName;
    return setting === undefined ? this.host : this.attempt(
      setting.at,
      () => expand(setting.value, { h: this.host }),
    ) ?? this.host;
  }

  /** Who logs in, as far as it is known. */
  get user(): string {
    return this.settings.user?.value ?? this.context.localUser;
  }

  /** What the `%` tokens stand for, as far as it is known. */
  get tokens(): Tokens {
    const { context, settings } = this;
    const local = context.localHostname ?? Deno.hostname();
    return {
      L: local.replace(/\..*/s, ""),
      d: context.home,
      h: this.hostName,
      i: String(context.uid ?? Deno.uid() ?? ""),
      j: settings.proxyJump?.value.at(-1)?.host ?? "",
      k: settings.hostKeyAlias?.value ?? this.host,
      l: local,
      n: this.host,
      p: String(settings.port?.value ?? 22),
      r: this.user,
      u: context.localUser,
    };
  }

  /** @param applies whether the file is included from a block that applies */
  private async readFile(
    file: string,
    folder: string,
    applies: boolean,
    depth: number,
  ): Promise<void> {
    let active = applies;
    for (const directive of await readDirectives(file)) {
      const { keyword, at } = directive;
      const words = this.attempt(at, () => splitWords(directive.rest));
      if (words === undefined) continue;
      if (keyword === "include") {
        for (const path of await this.included(words, folder, at)) {
          if (depth === MAX_INCLUDE_DEPTH) {
            throw new I2ptunError("usage", `${at}: too many nested Includes`, {
              remedy: "see whether a file includes itself",
            });
          }
          await this.readFile(path, folder, active, depth + 1);
        }
        continue;
      }
      this.attempt(at, () => {
        if (keyword === "host") {
          active = this.matchesHost(words) && applies;
        } else if (keyword === "match") {
          active = this.matches(words, at, applies) && applies;
        } else {
          this.take(directive, words, active);
        }
      });
    }
  }

  private async included(words: string[], folder: string, at: string) {
    const patterns = this.attempt(at, () => {
      if (words.length === 0) throw new ConfigMistake("a value is missing");
      const { home, env } = this.context;
      return words.map((word) =>
        expandTilde(expand(word, this.tokens, env), home)
      );
    });
    const found = await Promise.all(
      (patterns ?? []).map((pattern) => findFiles(pattern, folder)),
    );
    return found.flat();
  }

  private matchesHost(patterns: string[]): boolean {
    if (patterns.length === 0 || patterns.includes("")) {
      throw new ConfigMistake("a host is missing");
    }
    const host = this.finalHost ?? this.host;
    const matching = patterns.filter((pattern) =>
      matchPattern(host, pattern.replace(/^!/, ""))
    );
    return matching.length > 0 &&
      !matching.some((pattern) => pattern.startsWith("!"));
  }

  private matches(words: string[], at: string, applies: boolean): boolean {
    let result = true;
    let count = 0;
    for (let i = 0; i < words.length; i++) {
      const [, not, name, , inline] =
        /^(!?)([^=]*)(=(.*))?$/s.exec(words[i]!) ?? [];
      const criterion = name!.toLowerCase();
      const met = (truth: boolean) => {
        result &&= truth !== (not === "!");
      };
      if (criterion === "all") {
        if (count > 1 || i + 1 < words.length) {
          throw new ConfigMistake("Match all cannot be combined with others");
        }
        met(true);
        return result;
      }
      count++;
      if (criterion === "final" || criterion === "canonical") {
        this.wantsFinalPass ||= criterion === "final" && not === "";
        met(this.finalHost !== undefined);
        continue;
      }
      const value = inline ?? words[++i];
      if (!value) {
        throw new ConfigMistake(`Match ${name} needs a value`);
      }
      switch (criterion) {
        case "host":
          met(matchHostList(this.hostName, value));
          break;
        case "originalhost":
          met(matchHostList(this.host, value));
          break;
        case "user":
          met(matchPatternList(this.user, value));
          break;
        case "localuser":
          met(matchPatternList(this.context.localUser, value));
          break;
        default:
          if (result && applies) this.warnings.add(`${at}: ${leftOut(name!)}`);
          result = false;
      }
    }
    if (count === 0) throw new ConfigMistake("Match needs a criterion");
    return result;
  }

  private take(directive: Directive, words: string[], active: boolean): void {
    const { keyword, rest, at } = directive;
    const name = nameOf(keyword);
    if (name === undefined) {
      const ignored = this.settings.ignoreUnknown?.value.toLowerCase();
      const expected = isForSshOnly(keyword) ||
        (ignored !== undefined && matchPatternList(keyword, ignored));
      if (!expected) {
        this.warnings.add(`${at}: unknown keyword ${keyword}`);
      }
    } else if (isList(name)) {
      const value = LISTS[name](words, rest);
      const known = this.lists[name].some((placed) => placed.value === value);
      if (active && !known) this.lists[name].push({ value, at });
    } else {
      const value = SETTINGS[name](words, rest);
      if (active && value !== undefined && !this.isSet(name)) {
        Object.assign(this.settings, { [name]: { value, at } });
      }
    }
  }

  /** Of ProxyJump and ProxyCommand, the first one rules out the other. */
  private isSet(name: SettingName): boolean {
    const { settings } = this;
    return name === "proxyJump" || name === "proxyCommand"
      ? settings.proxyJump !== undefined || settings.proxyCommand !== undefined
      : settings[name] !== undefined;
  }
}

function isList(name: SettingName | ListName): name is ListName {
  return Object.hasOwn(LISTS, name);
}

function leftOut(criterion: string): string {
  return criterion.toLowerCase() === "exec"
    ? "Match exec is left out with its block, because i2ptun starts no programs; use Match host or Match user"
    : `Match ${criterion} is not supported and left out with its block; use Match host or Match user`;
}

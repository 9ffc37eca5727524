/**
 * Puts a public key into a user's authorized_keys (sshd(8)) on a server, as
 * ssh-copy-id(1) does.
 *
 * @module
 */

import { I2ptunError } from "../errors.ts";
import { isKeyOfType } from "./fingerprint.ts";
import { Buffer } from "node:buffer";
import type { Connection } from "./connection.ts";

/** What stands in a `.pub` file. */
export interface PublicKey {
  /** `TYPE BASE64 COMMENT`, without control characters. */
  line: string;
  /** As it travels (RFC 4253 §6.6). */
  blob: Uint8Array;
}

/**
 * Reads the text of a `.pub` file.
 *
 * @param path for messages
 * @throws {I2ptunError} `usage` if that is no public key
 */
export function parsePublicKey(text: string, path: string): PublicKey {
  const line = text.trim();
  const [type = "", base64 = "", ...comment] = line.split(/[ \t]+/);
  const blob = Buffer.from(base64, "base64");
  if (!/[\r\n]/.test(line) && isKeyOfType(blob, type)) {
    const words = [type, base64, ...comment].join(" ");
    return { line: words.replace(/\p{Cc}/gu, ""), blob };
  }
  throw new I2ptunError("usage", `${path} is not a public key`, {
    remedy: text.includes("PRIVATE KEY-----")
      ? "that is the private half, which must stay here: name the .pub file"
      : "name a .pub file, such as ~/.ssh/id_ed25519.pub",
  });
}

/**
 * For any POSIX shell, by way of whatever shell the user has; so no single
 * quotes, nor `!` for csh. The key comes by standard input. OpenWrt's dropbear
 * has root's keys elsewhere.
 */
const SCRIPT = `
cd || exit 1
umask 077
IFS= read -r key || exit 1
dir=.ssh
if [ -f /etc/openwrt_release ] && [ "$(id -u)" = 0 ]; then dir=/etc/dropbear; fi
file=$dir/authorized_keys
mkdir -p "$dir" && touch "$file" || exit 1
if [ "$dir" = .ssh ]; then chmod 700 .ssh || exit 1; fi
chmod 600 "$file" || exit 1
words=$(printf "%s" "$key" | cut -d " " -f 1,2)
if grep -v "^[[:space:]]*#" "$file" | grep -F -e "$words" >/dev/null; then
  echo i2ptun:present; exit 0
fi
if [ -s "$file" ] && [ -n "$(tail -c 1 "$file")" ]; then echo >> "$file"; fi
printf "%s\\n" "$key" >> "$file" || exit 1
if command -v restorecon >/dev/null 2>&1; then restorecon -F "$dir" "$file"; fi
echo i2ptun:added
`.trim();

/**
 * Adds the key for the user who is logged in, unless it is there.
 *
 * @param login for messages
 * @returns whether it was added
 * @throws {I2ptunError} `login-refused` if the server does not let it be added
 */
export async function authorizeKey(
  connection: Connection,
  key: PublicKey,
  login: string,
): Promise<boolean> {
  const { code, output } = await connection.exec(
    // csh takes a line break in a word only after a backslash
    `exec sh -c '${
      SCRIPT.replaceAll("\n", "; ").replaceAll(/(then|do);/g, "$1")
    }'`,
    `${key.line}\n`,
  ).catch((error) => {
    throw cannotAdd(I2ptunError.from(error).message, key, login);
  });
  const [, done] = /^i2ptun:(added|present)\r?$/m.exec(output) ?? [];
  if (done !== undefined) return done === "added";
  const isWindows = /is not recognized|CommandNotFound/.test(output);
  if (isWindows) {
    throw cannotAdd("the server's shell is that of Windows", key, login);
  }
  const said = output.trim().split("\n").at(-1)!.replace(/\p{Cc}/gu, "");
  throw cannotAdd(
    `its shell answered with exit code ${code}${
      said === "" ? "" : `: ${said.slice(0, 200)}`
    }`,
    key,
    login,
  );
}

function cannotAdd(
  reason: string,
  key: PublicKey,
  login: string,
): I2ptunError {
  const where = reason.includes("Windows")
    ? "%USERPROFILE%\\.ssh\\authorized_keys, for administrators C:\\ProgramData\\ssh\\administrators_authorized_keys"
    : "~/.ssh/authorized_keys";
  return new I2ptunError(
    "login-refused",
    `cannot add the key for ${login}: ${reason}`,
    {
      details: [`the line to add: ${key.line}`],
      remedy:
        `add the line above on the server yourself, to ${where}, or ask whoever runs it`,
    },
  );
}

/**
 * The door to ssh2's client, with its types; the server's is `ssh2_server.ts`.
 * Only what is imported here is loaded: ssh2 as a whole has servers, HTTP
 * agents and the making of keys, too, and would take half as long again.
 *
 * @module
 */

// the order matters: it changes what ssh2 loads
import "./ssh2_compression.ts";
// @ts-types="@types/ssh2"
import type {
  AnyAuthMethod,
  BaseAgent as BaseAgentType,
  Client as ClientType,
  ClientChannel,
  ClientErrorExtensions,
  ParsedKey,
  utils,
} from "ssh2";
import ssh2Agent from "ssh2/lib/agent.js";
import ssh2Client from "ssh2/lib/client.js";
import ssh2Constants from "ssh2/lib/protocol/constants.js";
import ssh2KeyParser from "ssh2/lib/protocol/keyParser.js";

export const Client = ssh2Client as unknown as typeof ClientType;
export const { BaseAgent } = ssh2Agent as { BaseAgent: typeof BaseAgentType };
export const { parseKey } = ssh2KeyParser as {
  parseKey: typeof utils.parseKey;
};

/** A connected or connecting client. */
export type SshClient = ClientType;

/** The cipher that ssh2_channels.ts brings. */
export const OWN_CIPHER = "chacha20-poly1305@openssh.com";

// it offers no cipher that node:crypto lacks, as Deno's did ChaCha20 before 2.8
const { SUPPORTED_CIPHER } = ssh2Constants as { SUPPORTED_CIPHER: string[] };
if (!SUPPORTED_CIPHER.includes(OWN_CIPHER)) SUPPORTED_CIPHER.push(OWN_CIPHER);

export type { AnyAuthMethod, ClientChannel, ClientErrorExtensions, ParsedKey };

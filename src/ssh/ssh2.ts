/**
 * The door to ssh2: the only module that imports it (but for the part of it that
 * `ssh2_compression.ts` replaces), with its types.
 *
 * @module
 */

// the order matters: it changes what ssh2 loads
import "./ssh2_compression.ts";
// @ts-types="@types/ssh2"
import ssh2 from "ssh2";
// @ts-types="@types/ssh2"
import type {
  AnyAuthMethod,
  ClientChannel,
  ClientErrorExtensions,
  ParsedKey,
} from "ssh2";
import ssh2Constants from "ssh2/lib/protocol/constants.js";

export const { BaseAgent, Client, Server, createAgent, utils } = ssh2;

/** A connected or connecting client. */
export type SshClient = InstanceType<typeof ssh2.Client>;

// it offers no cipher that node:crypto lacks, as Deno's did ChaCha20 before
// 2.8; but ssh2_channels.ts brings this one, always
const { SUPPORTED_CIPHER } = ssh2Constants as { SUPPORTED_CIPHER: string[] };
const OWN_CIPHER = "chacha20-poly1305@openssh.com";
if (!SUPPORTED_CIPHER.includes(OWN_CIPHER)) SUPPORTED_CIPHER.push(OWN_CIPHER);

export type { AnyAuthMethod, ClientChannel, ClientErrorExtensions, ParsedKey };

/**
 * The door to ssh2: the only module that imports it (but for the part of it that
 * `ssh2_compression.ts` replaces), with its types.
 *
 * @module
 */

// the order matters: these change what ssh2 loads
import "./cipher_release.ts";
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

export const { BaseAgent, Client, Server, createAgent, utils } = ssh2;

/** A connected or connecting client. */
export type SshClient = InstanceType<typeof ssh2.Client>;

export type { AnyAuthMethod, ClientChannel, ClientErrorExtensions, ParsedKey };
